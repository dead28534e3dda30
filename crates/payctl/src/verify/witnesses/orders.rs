//! order-svc's database.

use anyhow::Context as _;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::{FromRow, PgConnection, PgPool, postgres::PgRow};

use super::{ONE_MOMENT, OUTBOX_ROWS};
use crate::verify::{
    ChangeRow, Instant, Journal, Limits, OrderRow, PaymentRow, RefundRow, RepairRow, Requests, Waiting, Window,
    limits::push,
};

/// Everything of one moment.
pub(in crate::verify) struct Read {
    pub(in crate::verify) orders: Vec<OrderRow>,
    pub(in crate::verify) payments: Vec<PaymentRow>,
    pub(in crate::verify) refunds: Option<Vec<RefundRow>>,
    pub(in crate::verify) journal: Option<Journal>,
    pub(in crate::verify) repairs: Vec<RepairRow>,
    pub(in crate::verify) requests: Requests,
    pub(in crate::verify) outbox: Vec<Waiting>,
    pub(in crate::verify) now: Timestamp,
}

const ORDERS: &str = "SELECT order_id, merchant, amount_fen, state, version, paid_payment_id, create_time FROM orders
    WHERE $1 < order_id AND order_id <= $2";

const PAYMENTS: &str = "SELECT payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, state, sends,
        transaction_id, paid_time, surplus, surplus_held_at IS NOT NULL AS surplus_held, disputed_at IS NOT NULL AS disputed,
        reversing_at IS NOT NULL AS reversing, refunded_fen, refunding_fen
    FROM payments WHERE $1 < order_id AND order_id <= $2";

/// Of a release that takes no pay codes.
const PAYMENTS_WITHOUT_CHARGES: &str =
    "SELECT payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, state,
        sends, transaction_id, paid_time, surplus, surplus_held_at IS NOT NULL AS surplus_held,
        disputed_at IS NOT NULL AS disputed, false AS reversing, refunded_fen, refunding_fen
    FROM payments WHERE $1 < order_id AND order_id <= $2";

/// Of a release that knows no refunds.
const EARLIER_PAYMENTS: &str =
    "SELECT payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, state, sends,
        transaction_id, paid_time, surplus, false AS surplus_held, disputed_at IS NOT NULL AS disputed,
        false AS reversing, 0::bigint AS refunded_fen, 0::bigint AS refunding_fen
    FROM payments WHERE $1 < order_id AND order_id <= $2";

const REFUNDS: &str = "SELECT refund_id, order_id, payment_id, merchant, provider, mch_id, transaction_id, total_fen,
        amount_fen, cause, state, waiting, sends, provider_refund_id, external_no
    FROM refunds WHERE $1 < order_id AND order_id <= $2";

/// Of a release that imports none.
const OWN_REFUNDS: &str =
    "SELECT refund_id, order_id, payment_id, merchant, provider, mch_id, transaction_id, total_fen,
        amount_fen, cause, state, waiting, sends, provider_refund_id, NULL::text AS external_no
    FROM refunds WHERE $1 < order_id AND order_id <= $2";

/// Their ids are times, too, so a window of orders is one of them.
const REPAIRS: &str = "SELECT repair_id, discrepancy_id, merchant, outcome FROM repairs
    WHERE $1 < repair_id AND repair_id <= $2";

const CHANGES: &str = "SELECT seq, entity, id, order_id, version, from_state, to_state FROM state_changes
    WHERE $1 < order_id AND order_id <= $2 ORDER BY seq";

const SHARED: &str = "SELECT r.payment_id, count(*) FROM requests r JOIN payments p ON p.payment_id = r.payment_id
    WHERE $1 < p.order_id AND p.order_id <= $2 GROUP BY r.payment_id HAVING 1 < count(*) LIMIT 1000";

/// Reads the orders of the window and what belongs to them.
pub(in crate::verify) async fn read(pool: &PgPool, window: &Window, limits: &Limits) -> anyhow::Result<Read> {
    let mut tx = pool.begin_with(ONE_MOMENT).await.context("order-svc's database cannot be read")?;
    let conn = &mut *tx;
    let (refunds, journal) = (exists(conn, "refunds").await?, exists(conn, "state_changes").await?);
    let orders = rows(conn, ORDERS, "orders", window, limits).await?;
    let payments = match (refunds, has_column(conn, "payments", "reversing_at").await?) {
        (true, true) => PAYMENTS,
        (true, false) => PAYMENTS_WITHOUT_CHARGES,
        (false, _) => EARLIER_PAYMENTS,
    };
    let payments = rows(conn, payments, "payments", window, limits).await?;
    let refunds = match (refunds, has_column(conn, "refunds", "external_no").await?) {
        (true, true) => Some(rows(conn, REFUNDS, "refunds", window, limits).await?),
        (true, false) => Some(rows(conn, OWN_REFUNDS, "refunds", window, limits).await?),
        (false, _) => None,
    };
    let repairs = exists(conn, "repairs").await?;
    let repairs = if repairs { rows(conn, REPAIRS, "repairs", window, limits).await? } else { Vec::new() };
    let journal = if journal {
        let changes: Vec<ChangeRow> = rows(conn, CHANGES, "changes of state", window, limits).await?;
        Some(Journal { changes, begun: begun(conn).await? })
    } else {
        None
    };
    let requests = requests(conn, window).await?;
    let outbox = outbox(conn, "order-svc").await?;
    let now: jiff_sqlx::Timestamp = sqlx::query_scalar("SELECT now()").fetch_one(&mut *conn).await?;
    tx.commit().await?;
    Ok(Read { orders, payments, refunds, journal, repairs, requests, outbox, now: now.to_jiff() })
}

async fn rows<R>(
    conn: &mut PgConnection,
    sql: &'static str,
    what: &str,
    window: &Window,
    limits: &Limits,
) -> anyhow::Result<Vec<R>>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut list = Vec::new();
    let mut rows = sqlx::query_as(sql).bind(window.after).bind(window.up_to).fetch(conn);
    while let Some(row) = rows.try_next().await.with_context(|| format!("order-svc's {what} cannot be read"))? {
        push(&mut list, row, what, limits)?;
    }
    Ok(list)
}

async fn exists(conn: &mut PgConnection, table: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(conn).await
}

async fn has_column(conn: &mut PgConnection, table: &str, column: &str) -> sqlx::Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_attribute
        WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped)";
    sqlx::query_scalar(sql).bind(table).bind(column).fetch_one(conn).await
}

/// When the migration that began the journal was applied. The journal's first row would not do: it may be missing.
async fn begun(conn: &mut PgConnection) -> anyhow::Result<Option<Timestamp>> {
    if !exists(conn, "_sqlx_migrations").await? {
        return Ok(None);
    }
    let begun = "SELECT min(installed_on) AS begun FROM _sqlx_migrations WHERE 3 <= version";
    let begun: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(begun).fetch_one(conn).await?;
    Ok(Instant::from(begun).0)
}

async fn requests(conn: &mut PgConnection, window: &Window) -> anyhow::Result<Requests> {
    let shared = sqlx::query_as(SHARED).bind(window.after).bind(window.up_to).fetch_all(&mut *conn).await;
    let twice = "SELECT app, request_id FROM requests WHERE response IS NOT NULL AND refusal IS NOT NULL LIMIT 1000";
    let twice = sqlx::query_as(twice).fetch_all(conn).await;
    let failed = "order-svc's requests cannot be read";
    Ok(Requests { shared: shared.context(failed)?, answered_twice: twice.context(failed)? })
}

/// The oldest events of an outbox.
pub(in crate::verify) async fn outbox(conn: &mut PgConnection, service: &'static str) -> anyhow::Result<Vec<Waiting>> {
    let ids = sqlx::query_scalar("SELECT event_id FROM outbox ORDER BY seq LIMIT $1").bind(OUTBOX_ROWS);
    let ids: Vec<String> = ids.fetch_all(conn).await.with_context(|| format!("{service}'s outbox cannot be read"))?;
    Ok(ids.into_iter().map(|event_id| Waiting::Outbox { service, event_id }).collect())
}
