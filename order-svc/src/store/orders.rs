//! Table `orders`.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use super::{from_json, impossible, some_sqlx, to_json};
use crate::domain::{
    OrderId, PaymentId, ProductCodeId,
    order::{Order, Refunded, State},
};

pub(super) struct Row {
    pub(super) order_id: Uuid,
    pub(super) app: String,
    pub(super) order_no: String,
    pub(super) merchant: String,
    pub(super) amount_fen: i64,
    pub(super) description: String,
    pub(super) state: String,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) expire_time: jiff_sqlx::Timestamp,
    pub(super) close_requested_at: Option<jiff_sqlx::Timestamp>,
    pub(super) paid_time: Option<jiff_sqlx::Timestamp>,
    pub(super) paid_payment_id: Option<Uuid>,
    pub(super) close_time: Option<jiff_sqlx::Timestamp>,
    pub(super) version: i64,
    pub(super) particulars: Option<String>,
    pub(super) product_code_id: Option<Uuid>,
}

impl TryFrom<Row> for Order {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let state = match (row.state.as_str(), row.paid_payment_id, row.paid_time, row.close_time) {
            ("PENDING", None, None, None) => State::Pending,
            (word @ ("PAID" | "PARTIALLY_REFUNDED" | "REFUNDED"), Some(payment), Some(at), None) => {
                let refunded = match word {
                    "REFUNDED" => Refunded::All,
                    "PARTIALLY_REFUNDED" => Refunded::Part,
                    _ => Refunded::Nothing,
                };
                State::Paid { payment: PaymentId(payment), at: at.to_jiff(), refunded }
            }
            ("CLOSED", None, None, Some(at)) => State::Closed { at: at.to_jiff() },
            (state, ..) => return Err(impossible("orders", format!("{} in state {state}", row.order_id))),
        };
        Ok(Order {
            id: OrderId(row.order_id),
            app: row.app,
            order_no: row.order_no,
            merchant: row.merchant,
            amount: Fen::new(row.amount_fen),
            description: row.description,
            particulars: row.particulars.as_deref().map(from_json).transpose()?,
            product_code: row.product_code_id.map(ProductCodeId),
            state,
            create_time: row.create_time.to_jiff(),
            expire_time: row.expire_time.to_jiff(),
            close_requested_at: row.close_requested_at.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
        })
    }
}

/// Writes a new order. False when this app has used the `order_no` before.
pub async fn insert(conn: &mut PgConnection, order: &Order, content_sha256: &[u8]) -> sqlx::Result<bool> {
    let particulars = order.particulars.as_ref().map(to_json).transpose()?;
    let inserted = sqlx::query!(
        "INSERT INTO orders (order_id, app, order_no, merchant, amount_fen, description, content_sha256, state,
                             create_time, expire_time, version, particulars, product_code_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', $8, $9, $10, $11::text::jsonb, $12)
         ON CONFLICT (app, order_no) DO NOTHING",
        order.id.0,
        order.app,
        order.order_no,
        order.merchant,
        order.amount.get(),
        order.description,
        content_sha256,
        order.create_time.to_sqlx() as _,
        order.expire_time.to_sqlx() as _,
        order.version,
        particulars,
        order.product_code.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The order that this app made under that number, with the hash of what it asked for.
pub async fn by_order_no(conn: &mut PgConnection, app: &str, order_no: &str) -> sqlx::Result<Option<(Uuid, Vec<u8>)>> {
    let row =
        sqlx::query!("SELECT order_id, content_sha256 FROM orders WHERE app = $1 AND order_no = $2", app, order_no)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|row| (row.order_id, row.content_sha256)))
}

/// An order of that app.
pub async fn get(conn: &mut PgConnection, app: &str, id: OrderId) -> sqlx::Result<Option<Order>> {
    sqlx::query_as!(
        Row,
        "SELECT order_id, app, order_no, merchant, amount_fen, description, state, create_time, expire_time,
                close_requested_at, paid_time, paid_payment_id, close_time, version,
                particulars::text AS particulars, product_code_id
         FROM orders WHERE order_id = $1 AND app = $2",
        id.0,
        app,
    )
    .fetch_optional(conn)
    .await?
    .map(Order::try_from)
    .transpose()
}

/// An order, whosever it is.
pub async fn find(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<Option<Order>> {
    sqlx::query_as!(
        Row,
        "SELECT order_id, app, order_no, merchant, amount_fen, description, state, create_time, expire_time,
                close_requested_at, paid_time, paid_payment_id, close_time, version,
                particulars::text AS particulars, product_code_id
         FROM orders WHERE order_id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(Order::try_from)
    .transpose()
}

/// Locks orders until the end of the transaction, always in the order of their ids, so that two batches cannot deadlock.
pub async fn lock(conn: &mut PgConnection, ids: &[OrderId]) -> sqlx::Result<Vec<Order>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Row,
        "SELECT order_id, app, order_no, merchant, amount_fen, description, state, create_time, expire_time,
                close_requested_at, paid_time, paid_payment_id, close_time, version,
                particulars::text AS particulars, product_code_id
         FROM orders WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE",
        &ids,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Order::try_from)
    .collect()
}

/// Locks the orders of these attempts, as [`lock`] does; numbers that no attempt has are left out.
pub async fn lock_of(conn: &mut PgConnection, payments: &[Uuid]) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as!(
        Row,
        "SELECT order_id, app, order_no, merchant, amount_fen, description, state, create_time, expire_time,
                close_requested_at, paid_time, paid_payment_id, close_time, version,
                particulars::text AS particulars, product_code_id
         FROM orders WHERE order_id = ANY(ARRAY(SELECT order_id FROM payments WHERE payment_id = ANY($1)))
         ORDER BY order_id FOR UPDATE",
        payments,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Order::try_from)
    .collect()
}

/// Writes what may change in an order that was locked in this transaction.
pub async fn update(conn: &mut PgConnection, order: &Order) -> sqlx::Result<()> {
    let (paid_payment_id, paid_time, close_time) = end(order);
    sqlx::query!(
        "UPDATE orders SET state = $2, paid_payment_id = $3, paid_time = $4, close_time = $5, close_requested_at = $6,
                           version = $7
         WHERE order_id = $1",
        order.id.0,
        order.state.word(),
        paid_payment_id,
        paid_time as _,
        close_time as _,
        some_sqlx(order.close_requested_at) as _,
        order.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How an order's state says that it ended: the payment that it kept, when it was paid, when it was closed.
pub(super) fn end(order: &Order) -> (Option<Uuid>, Option<jiff_sqlx::Timestamp>, Option<jiff_sqlx::Timestamp>) {
    match order.state {
        State::Pending => (None, None, None),
        State::Paid { payment, at, .. } => (Some(payment.0), Some(at.to_sqlx()), None),
        State::Closed { at } => (None, None, Some(at.to_sqlx())),
    }
}

/// What a page of a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only this state.
    pub state: Option<&'static str>,
    /// Only this account.
    pub merchant: Option<String>,
    /// Only this number of the team's.
    pub order_no: Option<String>,
    /// Made at or after.
    pub created_from: Option<Timestamp>,
    /// Made before.
    pub created_before: Option<Timestamp>,
    /// Only orders older than this one: where the page before ended.
    pub before: Option<OrderId>,
}

/// Orders of one app, newest first. Ids carry the time of their making, which bounds what is read.
pub async fn list(conn: &mut PgConnection, app: &str, filter: &Filter, limit: i64) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as!(
        Row,
        "SELECT order_id, app, order_no, merchant, amount_fen, description, state, create_time, expire_time,
                close_requested_at, paid_time, paid_payment_id, close_time, version,
                particulars::text AS particulars, product_code_id
         FROM orders
         WHERE app = $1
           AND ($2::uuid IS NULL OR order_id < $2)
           AND ($3::text IS NULL OR state = $3)
           AND ($4::text IS NULL OR merchant = $4)
           AND ($5::text IS NULL OR order_no = $5)
           AND ($6::timestamptz IS NULL OR $6 <= create_time)
           AND ($7::timestamptz IS NULL OR create_time < $7)
           AND $9 <= order_id AND order_id <= $10
         ORDER BY order_id DESC LIMIT $8",
        app,
        filter.before.map(|id| id.0),
        filter.state,
        filter.merchant,
        filter.order_no,
        some_sqlx(filter.created_from) as _,
        some_sqlx(filter.created_before) as _,
        limit,
        filter.created_from.map_or(Uuid::nil(), |at| bound(at, -CLOCKS_DIFFER, 0)),
        filter.created_before.map_or(Uuid::max(), |at| bound(at, CLOCKS_DIFFER, u64::MAX)),
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Order::try_from)
    .collect()
}

/// The versions of these orders, for watchers. An unknown id has none.
pub async fn versions(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<(Uuid, i64)>> {
    let rows =
        sqlx::query!("SELECT order_id, version FROM orders WHERE order_id = ANY($1)", ids).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.version)).collect())
}

/// PENDING orders that are to be closed and have no open attempt left, locked; at most `limit`.
pub async fn lock_closable(conn: &mut PgConnection, now: Timestamp, limit: i64) -> sqlx::Result<Vec<OrderId>> {
    let rows = sqlx::query!(
        "SELECT order_id FROM orders AS o
         WHERE state = 'PENDING' AND (expire_time <= $1 OR close_requested_at IS NOT NULL)
           AND NOT EXISTS (SELECT FROM payments AS p
                           WHERE p.order_id = o.order_id AND p.state IN ('CREATED', 'PENDING') AND p.disputed_at IS NULL)
         LIMIT $2 FOR UPDATE SKIP LOCKED",
        now.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| OrderId(row.order_id)).collect())
}

/// Replicas' clocks, which ids and creation times come from, differ by far less than this.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(1);

/// A version 7 id of about that instant.
fn bound(at: Timestamp, margin: SignedDuration, random: u64) -> Uuid {
    let at = at.checked_add(margin).unwrap_or(at);
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let random = random.to_be_bytes();
    let mut bytes = [random[0]; 10];
    bytes[..8].copy_from_slice(&random);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid()
}

/// A number of seconds as the database likes it.
pub(super) fn seconds(seconds: u32) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::from(seconds) * 1_000_000 }
}
