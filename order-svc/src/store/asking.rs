//! Who asks the provider about which attempt, and when. Replicas share the work without a leader: a claim is a lease in the
//! database, on the database's clock.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use super::{as_kept, column, orders::seconds, payments::Row};
use crate::domain::{
    OrderId, PaymentId,
    payment::{Method, Payment},
};

/// How long one replica may hold an attempt while it asks; longer than query, close and query together.
pub(super) const LEASE_S: u32 = 60;

/// An attempt that this process may ask about until the lease ends.
#[derive(Debug)]
pub struct Claim {
    /// The attempt.
    pub payment: Payment,
    /// Why it was claimed.
    pub turn: Turn,
}

/// Why an attempt was claimed, which says what its next turn will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It was due. The claim moved its turn behind the lease; an earlier turn when it is given back means that somebody wants
    /// it looked at again, because the order has changed since the claimer read it.
    Due {
        /// Where the claim moved the turn.
        moved_to: Timestamp,
    },
    /// Somebody asked for it out of turn. Its turn stays where it is.
    Refresh,
}

/// Takes attempts that are due: charges first, because their payer stands at a till, then those near their end before others and
/// those past it after them (they wait for their closing, and nobody waits for that), at most `rooms[i]` of `merchants[i]` and
/// `limit` in all, so that one slow account cannot take every place and a long list of idle ones takes none. Attempts by a method
/// of a later release are left to it.
pub async fn claim_due(
    conn: &mut PgConnection,
    now: Timestamp,
    merchants: &[String],
    rooms: &[i64],
    limit: i64,
) -> sqlx::Result<Vec<Claim>> {
    let moved_to = behind_the_lease(now);
    let rows = sqlx::query_as!(
        Row,
        "WITH due AS MATERIALIZED (
             SELECT waiting.payment_id FROM unnest($2::text[], $3::bigint[]) AS share (merchant, room)
             CROSS JOIN LATERAL (
                 SELECT p.payment_id FROM payments AS p
                 WHERE p.merchant = share.merchant AND p.next_ask_at <= $1 AND p.method = ANY($7)
                   AND (p.claimed_until IS NULL OR p.claimed_until < now())
                 ORDER BY p.method NOT IN ('pay_code', 'face', 'facepay'), p.expire_time <= $1, p.expire_time LIMIT share.room FOR UPDATE SKIP LOCKED) AS waiting),
         taken AS MATERIALIZED (SELECT payment_id FROM due ORDER BY random() LIMIT $4)
         UPDATE payments SET claimed_until = now() + $5, last_ask_at = $1, next_ask_at = $6
         WHERE payment_id IN (SELECT payment_id FROM taken)
         RETURNING payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip, state,
                   create_time, sends, asks, transaction_id, paid_time, surplus, disputed_at, superseded, expire_time,
                   refunded_fen, refunding_fen, sub_mch_id, details::text AS details, reversing_at,
                   reverses, reverse_sent_at, reverse_too_late, provider_code",
        now.to_sqlx() as _,
        merchants,
        rooms,
        limit,
        seconds(LEASE_S),
        moved_to.to_sqlx() as _,
        &methods(),
    )
    .fetch_all(conn)
    .await?;
    Ok(readable(rows, |row| Ok(Claim { payment: Payment::try_from(row)?, turn: Turn::Due { moved_to } })))
}

/// Takes the open attempts of one order that nobody is asking about and that were not asked about since `asked_before`.
pub async fn claim_of_order(
    conn: &mut PgConnection,
    order: OrderId,
    now: Timestamp,
    asked_before: Timestamp,
) -> sqlx::Result<Vec<Claim>> {
    let rows = sqlx::query_as!(
        Row,
        "UPDATE payments SET claimed_until = now() + $4, last_ask_at = $2
         WHERE payment_id IN (
               SELECT payment_id FROM payments
               WHERE order_id = $1 AND next_ask_at IS NOT NULL AND method = ANY($5) AND (last_ask_at IS NULL OR last_ask_at <= $3)
                 AND (claimed_until IS NULL OR claimed_until < now())
               FOR UPDATE SKIP LOCKED)
         RETURNING payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip, state,
                   create_time, sends, asks, transaction_id, paid_time, surplus, disputed_at, superseded, expire_time,
                   refunded_fen, refunding_fen, sub_mch_id, details::text AS details, reversing_at,
                   reverses, reverse_sent_at, reverse_too_late, provider_code",
        order.0,
        now.to_sqlx() as _,
        asked_before.to_sqlx() as _,
        seconds(LEASE_S),
        &methods(),
    )
    .fetch_all(conn)
    .await?;
    Ok(readable(rows, |row| Ok(Claim { payment: Payment::try_from(row)?, turn: Turn::Refresh })))
}

/// Gives a claim back with the next turn. `heard` counts the asking, which makes the schedule go on.
pub async fn release(
    conn: &mut PgConnection,
    id: PaymentId,
    turn: Turn,
    next_ask_at: Timestamp,
    heard: bool,
) -> sqlx::Result<()> {
    match turn {
        Turn::Due { moved_to } => {
            sqlx::query!(
                "UPDATE payments SET claimed_until = NULL, asks = asks + $4,
                                     next_ask_at = CASE WHEN next_ask_at IS NULL THEN NULL
                                                        WHEN next_ask_at < $3 THEN next_ask_at
                                                        ELSE $2::timestamptz END
                 WHERE payment_id = $1",
                id.0,
                next_ask_at.to_sqlx() as _,
                moved_to.to_sqlx() as _,
                i32::from(heard),
            )
            .execute(conn)
            .await?;
        }
        Turn::Refresh => {
            sqlx::query!("UPDATE payments SET claimed_until = NULL WHERE payment_id = $1", id.0).execute(conn).await?;
        }
    }
    Ok(())
}

/// Brings the turns of these orders' open attempts forward to `at`, when they are later. The caller holds the orders' locks, so
/// that attempts are always locked after their order.
pub async fn ask_soon(conn: &mut PgConnection, orders: &[OrderId], at: Timestamp) -> sqlx::Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE payments SET next_ask_at = least(next_ask_at, $2) WHERE order_id = ANY($1) AND next_ask_at IS NOT NULL",
        &column(orders, |order| order.0),
        at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The earliest turn of any attempt, to sleep until.
pub async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
    let row = sqlx::query!(
        r#"SELECT next_ask_at AS "at!: jiff_sqlx::Timestamp" FROM payments
           WHERE next_ask_at IS NOT NULL ORDER BY next_ask_at LIMIT 1"#
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.at.to_jiff()))
}

/// Merchants whose attempts or refunds wait although their turn was before `overdue`, at most ten: for a log line.
pub async fn waiting_merchants(conn: &mut PgConnection, overdue: Timestamp) -> sqlx::Result<Vec<String>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT merchant AS "merchant!"
           FROM ((SELECT merchant FROM payments WHERE next_ask_at < $1 LIMIT 1000)
                 UNION ALL (SELECT merchant FROM refunds WHERE next_ask_at < $1 LIMIT 1000)) AS late LIMIT 10"#,
        overdue.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.merchant).collect())
}

/// The words of the methods that this release knows.
fn methods() -> Vec<String> {
    Method::ALL.map(|method| method.word().to_owned()).to_vec()
}

/// What this release can read of what it has claimed. One row of a later release must not keep the others from their turn; its
/// claim ends by itself.
pub(super) fn readable<R, C>(rows: Vec<R>, read: impl Fn(R) -> sqlx::Result<C>) -> Vec<C> {
    let read = rows.into_iter().map(read).filter_map(|claim| match claim {
        Ok(claim) => Some(claim),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a claimed row cannot be read by this release; it is left to another");
            None
        }
    });
    read.collect()
}

pub(super) fn behind_the_lease(now: Timestamp) -> Timestamp {
    let moved = now.checked_add(SignedDuration::from_secs(LEASE_S.into())).unwrap_or(now);
    // It is compared when the claim is given back.
    as_kept(moved)
}

#[cfg(test)]
mod tests {
    use super::readable;
    use crate::store::impossible;

    #[test]
    fn a_row_that_cannot_be_read_keeps_no_other_from_its_turn() {
        let read = |n: u8| if n == 2 { Err(impossible("payments", "a method of a later release")) } else { Ok(n) };
        assert_eq!(readable(vec![1, 2, 3], read), [1, 3]);
    }
}
