//! Orders that wait for their payers, as many as a run needs.

use anyhow::Context as _;
use e2e::World;
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::MERCHANT;

/// What every order costs.
pub(crate) const AMOUNT_FEN: i64 = 100;

/// Rows that one statement copies.
const CHUNK: usize = 10_000;

/// An order with an open cashier that was made in the usual way, of which others are copies in everything but their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    order: Uuid,
    payment: Uuid,
    pub(crate) app_id: String,
}

impl Template {
    pub(crate) async fn make(world: &World, orders: &PgPool) -> anyhow::Result<Self> {
        let cashier = world.create_order(AMOUNT_FEN).merchant(MERCHANT).await.pay_by_openid().await;
        let payment = Uuid::try_parse(cashier.out_trade_no()).context("a number of ours is an id")?;
        let order = sqlx::query_scalar("SELECT order_id FROM payments WHERE payment_id = $1").bind(payment);
        let order = order.fetch_one(orders).await.context("the attempt is in the database")?;
        Ok(Self { order, payment, app_id: cashier.invocation().app_id.clone() })
    }

    /// Copies it; the numbers of the attempts.
    pub(crate) async fn copies(&self, orders: &PgPool, count: usize) -> anyhow::Result<Vec<String>> {
        let mut numbers = Vec::with_capacity(count);
        while numbers.len() < count {
            let size = CHUNK.min(count - numbers.len());
            let of_orders: Vec<Uuid> = (0..size).map(|_| Uuid::now_v7()).collect();
            let of_payments: Vec<Uuid> = (0..size).map(|_| Uuid::now_v7()).collect();
            let mut tx = orders.begin().await.context("the database takes orders")?;
            sqlx::query(
                "INSERT INTO orders
                 SELECT (jsonb_populate_record(o, jsonb_build_object('order_id', new.id, 'order_no', new.id::text))).*
                 FROM orders AS o, unnest($2::uuid[]) AS new (id) WHERE o.order_id = $1",
            )
            .bind(self.order)
            .bind(&of_orders)
            .execute(&mut *tx)
            .await
            .context("orders are copied")?;
            sqlx::query(
                "INSERT INTO payments
                 SELECT (jsonb_populate_record(p, jsonb_build_object('order_id', new.order_id, 'payment_id', new.id))).*
                 FROM payments AS p, unnest($2::uuid[], $3::uuid[]) AS new (order_id, id) WHERE p.payment_id = $1",
            )
            .bind(self.payment)
            .bind(&of_orders)
            .bind(&of_payments)
            .execute(&mut *tx)
            .await
            .context("attempts are copied")?;
            tx.commit().await.context("copies are kept")?;
            numbers.extend(of_payments.iter().map(|id| id.simple().to_string()));
        }
        tidy(orders, &["orders", "payments", "state_changes", "applied_events", "outbox", "outbox_archive"]).await?;
        Ok(numbers)
    }
}

/// The statistics of what was just written are known, as they are after a while. There is no checkpoint: what is paid was ordered
/// minutes ago at most, and so its pages have been in the log since the last one.
pub(crate) async fn tidy(base: &PgPool, tables: &[&str]) -> anyhow::Result<()> {
    let vacuum = format!("VACUUM (ANALYZE) {}", tables.join(", "));
    let tidied = sqlx::raw_sql(sqlx::AssertSqlSafe(vacuum)).execute(base).await;
    tidied.map(drop).context("the database tidies up")
}

/// How many orders are paid.
pub(crate) async fn paid(orders: &PgPool) -> anyhow::Result<i64> {
    let paid = sqlx::query_scalar("SELECT count(*) FROM orders WHERE state = 'PAID'").fetch_one(orders).await;
    paid.context("orders can be counted")
}
