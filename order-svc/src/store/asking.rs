//! Who asks the provider about which attempt, and when. Replicas share the work without a leader: a claim is a lease in the
//! database, on the database's clock.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use super::{orders::seconds, payments::Row};
use crate::domain::{OrderId, PaymentId, payment::Payment};

/// Takes attempts that are due, nearest to their turn first, at most `rooms[i]` of `merchants[i]`, so that one slow account
/// cannot take every place.
pub async fn claim_due(
    conn: &mut PgConnection,
    now: Timestamp,
    merchants: &[String],
    rooms: &[i64],
    lease_s: u32,
) -> sqlx::Result<Vec<Payment>> {
    sqlx::query_as!(
        Row,
        r#"UPDATE payments SET claimed_until = now() + $4, last_ask_at = $1, asks = asks + 1
         FROM (SELECT due.payment_id FROM unnest($2::text[], $3::bigint[]) AS share (merchant, room)
               CROSS JOIN LATERAL (
                   SELECT p.payment_id FROM payments AS p
                   WHERE p.merchant = share.merchant AND p.next_ask_at <= $1
                     AND (p.claimed_until IS NULL OR p.claimed_until < now())
                   ORDER BY p.next_ask_at LIMIT share.room FOR UPDATE SKIP LOCKED) AS due) AS taken
         WHERE payments.payment_id = taken.payment_id
         RETURNING payments.payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip,
                   state, create_time, sends, asks, transaction_id, paid_time, surplus, disputed_at"#,
        now.to_sqlx() as _,
        merchants,
        rooms,
        seconds(lease_s),
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Payment::try_from)
    .collect()
}

/// Takes the open attempts of one order that nobody is asking about and that were not asked about since `asked_before`.
pub async fn claim_of_order(
    conn: &mut PgConnection,
    order: OrderId,
    now: Timestamp,
    asked_before: Timestamp,
    lease_s: u32,
) -> sqlx::Result<Vec<Payment>> {
    sqlx::query_as!(
        Row,
        "UPDATE payments SET claimed_until = now() + $4, last_ask_at = $2, asks = asks + 1
         WHERE payment_id IN (
               SELECT payment_id FROM payments
               WHERE order_id = $1 AND next_ask_at IS NOT NULL AND (last_ask_at IS NULL OR last_ask_at <= $3)
                 AND (claimed_until IS NULL OR claimed_until < now())
               FOR UPDATE SKIP LOCKED)
         RETURNING payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip, state,
                   create_time, sends, asks, transaction_id, paid_time, surplus, disputed_at",
        order.0,
        now.to_sqlx() as _,
        asked_before.to_sqlx() as _,
        seconds(lease_s),
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Payment::try_from)
    .collect()
}

/// Gives a claim back and says when to ask next. An attempt that is final keeps no time.
pub async fn release(conn: &mut PgConnection, id: PaymentId, next_ask_at: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET claimed_until = NULL,
                             next_ask_at = CASE WHEN next_ask_at IS NULL THEN NULL ELSE $2::timestamptz END
         WHERE payment_id = $1",
        id.0,
        next_ask_at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Brings the turn of an order's open attempts forward to `at`, when it is later.
pub async fn ask_soon(conn: &mut PgConnection, order: OrderId, at: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET next_ask_at = least(next_ask_at, $2) WHERE order_id = $1 AND next_ask_at IS NOT NULL",
        order.0,
        at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The earliest turn of any attempt that nobody holds, to sleep until.
pub async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
    let row = sqlx::query!(
        r#"SELECT min(next_ask_at) AS "at: jiff_sqlx::Timestamp" FROM payments
           WHERE next_ask_at IS NOT NULL AND (claimed_until IS NULL OR claimed_until < now())"#
    )
    .fetch_one(conn)
    .await?;
    Ok(row.at.map(jiff_sqlx::Timestamp::to_jiff))
}
