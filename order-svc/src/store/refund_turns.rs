//! Who attends to which refund, and when. As `asking` does for attempts: a claim is a lease on the database's clock.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    asking::{LEASE_S, Turn, behind_the_lease, readable},
    orders::seconds,
    refunds::Row,
};
use crate::domain::{
    RefundId,
    refund::{Cause, Refund, Waiting},
};

/// A refund that this process may attend to until the lease ends.
#[derive(Debug)]
pub struct Claim {
    /// The refund.
    pub refund: Refund,
    /// Why it was claimed.
    pub turn: Turn,
}

/// Takes refunds that are due, at most `rooms[i]` of `merchants[i]` and `limit` in all. Those with words of a later release are
/// left to it.
pub async fn claim_due(
    conn: &mut PgConnection,
    now: Timestamp,
    merchants: &[String],
    rooms: &[i64],
    limit: i64,
) -> sqlx::Result<Vec<Claim>> {
    let moved_to = behind_the_lease(now);
    let causes = Cause::ALL.map(|cause| cause.word().to_owned());
    let waitings = Waiting::ALL.map(|waiting| waiting.word().to_owned());
    let rows = sqlx::query_as!(
        Row,
        "WITH due AS MATERIALIZED (
             SELECT waiting.refund_id FROM unnest($2::text[], $3::bigint[]) AS share (merchant, room)
             CROSS JOIN LATERAL (
                 SELECT r.refund_id FROM refunds AS r
                 WHERE r.merchant = share.merchant AND r.next_ask_at <= $1
                   AND r.cause = ANY($7) AND (r.waiting IS NULL OR r.waiting = ANY($8))
                   AND (r.claimed_until IS NULL OR r.claimed_until < now())
                 ORDER BY r.next_ask_at LIMIT share.room FOR UPDATE SKIP LOCKED) AS waiting),
         taken AS MATERIALIZED (SELECT refund_id FROM due ORDER BY random() LIMIT $4)
         UPDATE refunds SET claimed_until = now() + $5, last_ask_at = $1, next_ask_at = $6
         WHERE refund_id IN (SELECT refund_id FROM taken)
         RETURNING refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen, amount_fen,
                   cause, reason, state, waiting, provider_refund_id, provider_code, create_time, success_time, sends,
                   refused_sends, sent_at, asks, sub_mch_id, goods::text AS goods, external_no",
        now.to_sqlx() as _,
        merchants,
        rooms,
        limit,
        seconds(LEASE_S),
        moved_to.to_sqlx() as _,
        &causes,
        &waitings,
    )
    .fetch_all(conn)
    .await?;
    Ok(readable(rows, |row| Ok(Claim { refund: Refund::try_from(row)?, turn: Turn::Due { moved_to } })))
}

/// Takes one refund that nobody attends to and that was not asked about since `asked_before`.
pub async fn claim(
    conn: &mut PgConnection,
    id: RefundId,
    now: Timestamp,
    asked_before: Timestamp,
) -> sqlx::Result<Option<Claim>> {
    let row = sqlx::query_as!(
        Row,
        "UPDATE refunds SET claimed_until = now() + $4, last_ask_at = $2
         WHERE refund_id IN (
               SELECT refund_id FROM refunds
               WHERE refund_id = $1 AND next_ask_at IS NOT NULL AND (last_ask_at IS NULL OR last_ask_at <= $3)
                 AND (claimed_until IS NULL OR claimed_until < now())
               FOR UPDATE SKIP LOCKED)
         RETURNING refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen, amount_fen,
                   cause, reason, state, waiting, provider_refund_id, provider_code, create_time, success_time, sends,
                   refused_sends, sent_at, asks, sub_mch_id, goods::text AS goods, external_no",
        id.0,
        now.to_sqlx() as _,
        asked_before.to_sqlx() as _,
        seconds(LEASE_S),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(Claim { refund: Refund::try_from(row)?, turn: Turn::Refresh })).transpose()
}

/// Gives a claim back with the next turn. `heard` counts the asking, which makes the schedule go on.
pub async fn release(
    conn: &mut PgConnection,
    id: RefundId,
    turn: Turn,
    next_ask_at: Timestamp,
    heard: bool,
) -> sqlx::Result<()> {
    match turn {
        Turn::Due { moved_to } => {
            sqlx::query!(
                "UPDATE refunds SET claimed_until = NULL, asks = asks + $4,
                                    next_ask_at = CASE WHEN next_ask_at IS NULL THEN NULL
                                                       WHEN next_ask_at < $3 THEN next_ask_at
                                                       ELSE $2::timestamptz END
                 WHERE refund_id = $1",
                id.0,
                next_ask_at.to_sqlx() as _,
                moved_to.to_sqlx() as _,
                i32::from(heard),
            )
            .execute(conn)
            .await?;
        }
        Turn::Refresh => {
            sqlx::query!("UPDATE refunds SET claimed_until = NULL WHERE refund_id = $1", id.0).execute(conn).await?;
        }
    }
    Ok(())
}

/// A CREATED refund has its turn at `at`, when it is later. False when it is no longer CREATED.
pub async fn due(conn: &mut PgConnection, id: RefundId, at: Timestamp) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE refunds SET next_ask_at = least(next_ask_at, $2) WHERE refund_id = $1 AND state = 'CREATED'",
        id.0,
        at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Somebody says that these refunds of these merchants have changed: those that were sent have their turn at `at`, when it is later.
/// Returns those that are final here, each with its state: if the hint is true, it says something else or nothing new.
pub async fn ask_soon(
    conn: &mut PgConnection,
    merchants: &[String],
    ids: &[Uuid],
    at: Timestamp,
) -> sqlx::Result<Vec<(RefundId, String)>> {
    // Locked in the order of their ids, so that two batches cannot deadlock.
    let rows = sqlx::query!(
        "WITH hinted AS MATERIALIZED (
             SELECT r.refund_id FROM refunds AS r
             JOIN (SELECT DISTINCT merchant, id FROM unnest($1::text[], $2::uuid[]) AS hint (merchant, id)) AS hint
               ON r.refund_id = hint.id AND r.merchant = hint.merchant
             ORDER BY r.refund_id FOR UPDATE OF r)
         UPDATE refunds SET next_ask_at = CASE WHEN next_ask_at IS NOT NULL AND 0 < sends THEN least(next_ask_at, $3) ELSE next_ask_at END
         WHERE refund_id IN (SELECT refund_id FROM hinted)
         RETURNING refund_id, state",
        merchants,
        ids,
        at.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    let is_final = |state: &str| matches!(state, "SUCCEEDED" | "CLOSED" | "REJECTED");
    let rows = rows.into_iter().filter(|row| is_final(&row.state));
    Ok(rows.map(|row| (RefundId(row.refund_id), row.state)).collect())
}

/// The earliest turn of any refund, to sleep until.
pub async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
    let row = sqlx::query!(
        r#"SELECT next_ask_at AS "at!: jiff_sqlx::Timestamp" FROM refunds
           WHERE next_ask_at IS NOT NULL ORDER BY next_ask_at LIMIT 1"#
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.at.to_jiff()))
}
