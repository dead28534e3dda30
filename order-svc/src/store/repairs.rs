//! Table `repairs`: what was asked for, whose turn it is, and what was answered. A claim is a lease on the database's clock.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    asking::{LEASE_S, behind_the_lease, readable},
    impossible,
    orders::seconds,
};
use crate::domain::repair::{Action, Answer, Repair};

/// Repairs of merchants that are no longer configured, given up in one go.
const FORGOTTEN: i64 = 16;

struct Row {
    repair_id: Uuid,
    discrepancy_id: Uuid,
    merchant: String,
    bill_date: String,
    code: String,
    action: String,
    out_trade_no: String,
    transaction_id: String,
    out_refund_no: String,
    refund_id: String,
    bill_amount_fen: i64,
    requested_by: Vec<String>,
    attempts: i32,
    deadline: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Repair {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let wrong = |what: &str| impossible("repairs", format!("{} with {what}", row.repair_id));
        let action = Action::from_word(&row.action).ok_or_else(|| wrong(&row.action))?;
        let bill_date = row.bill_date.parse().map_err(|_| wrong(&row.bill_date))?;
        Ok(Repair {
            id: row.repair_id,
            discrepancy: row.discrepancy_id,
            merchant: row.merchant,
            bill_date,
            code: row.code,
            action,
            out_trade_no: row.out_trade_no,
            transaction_id: row.transaction_id,
            out_refund_no: row.out_refund_no,
            refund_id: row.refund_id,
            bill_amount: Fen::new(row.bill_amount_fen),
            requested_by: row.requested_by,
            attempts: row.attempts,
            deadline: row.deadline.to_jiff(),
        })
    }
}

/// Writes a new repair, due at once. One that is there already stays as it is, whatever has become of it.
pub async fn insert(conn: &mut PgConnection, repair: &Repair, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO repairs (repair_id, discrepancy_id, merchant, bill_date, code, action, out_trade_no, transaction_id,
                              out_refund_no, refund_id, bill_amount_fen, requested_by, state, create_time, deadline, next_turn)
         VALUES ($1, $2, $3, $4::text::date, $5, $6, $7, $8, $9, $10, $11, $12, 'WAITING', $13, $14, $13)
         ON CONFLICT (repair_id) DO NOTHING",
        repair.id,
        repair.discrepancy,
        repair.merchant,
        repair.bill_date.to_string(),
        repair.code,
        repair.action.word(),
        repair.out_trade_no,
        repair.transaction_id,
        repair.out_refund_no,
        repair.refund_id,
        repair.bill_amount.get(),
        &repair.requested_by,
        now.to_sqlx() as _,
        repair.deadline.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A repair that this process may do until the lease ends.
#[derive(Debug)]
pub struct Claim {
    /// The repair.
    pub repair: Repair,
}

/// Takes repairs that are due, at most `rooms[i]` of `merchants[i]` and `limit` in all; and a few whose time is over and whose
/// merchant nobody knows, so that these are answered, too. Actions of a later release are left to it.
pub async fn claim_due(
    conn: &mut PgConnection,
    now: Timestamp,
    merchants: &[String],
    rooms: &[i64],
    limit: i64,
) -> sqlx::Result<Vec<Claim>> {
    let actions = Action::ALL.map(|action| action.word().to_owned());
    let rows = sqlx::query_as!(
        Row,
        r#"WITH due AS MATERIALIZED (
             SELECT waiting.repair_id FROM unnest($2::text[], $3::bigint[]) AS share (merchant, room)
             CROSS JOIN LATERAL (
                 SELECT r.repair_id FROM repairs AS r
                 WHERE r.merchant = share.merchant AND r.state = 'WAITING' AND r.next_turn <= $1 AND r.action = ANY($7)
                   AND (r.claimed_until IS NULL OR r.claimed_until < now())
                 ORDER BY r.next_turn LIMIT share.room FOR UPDATE SKIP LOCKED) AS waiting),
         forgotten AS MATERIALIZED (
             SELECT r.repair_id FROM repairs AS r
             WHERE r.state = 'WAITING' AND r.next_turn <= $1 AND r.deadline <= $1 AND r.merchant <> ALL($2) AND r.action = ANY($7)
               AND (r.claimed_until IS NULL OR r.claimed_until < now())
             ORDER BY r.next_turn LIMIT $8 FOR UPDATE SKIP LOCKED),
         taken AS MATERIALIZED (
             SELECT repair_id FROM (SELECT repair_id FROM due UNION ALL SELECT repair_id FROM forgotten) AS either
             ORDER BY random() LIMIT $4)
         UPDATE repairs SET claimed_until = now() + $5, next_turn = $6
         WHERE repair_id IN (SELECT repair_id FROM taken)
         RETURNING repair_id, discrepancy_id, merchant, bill_date::text AS "bill_date!", code, action, out_trade_no,
                   transaction_id, out_refund_no, refund_id, bill_amount_fen, requested_by, attempts, deadline"#,
        now.to_sqlx() as _,
        merchants,
        rooms,
        limit,
        seconds(LEASE_S),
        behind_the_lease(now).to_sqlx() as _,
        &actions,
        FORGOTTEN,
    )
    .fetch_all(conn)
    .await?;
    Ok(readable(rows, |row| Ok(Claim { repair: Repair::try_from(row)? })))
}

/// Gives a claim back with the next turn; `tried` counts the try.
pub async fn release(conn: &mut PgConnection, id: Uuid, next_turn: Timestamp, tried: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE repairs SET claimed_until = NULL, next_turn = $2, attempts = attempts + $3
         WHERE repair_id = $1 AND state = 'WAITING'",
        id,
        next_turn.to_sqlx() as _,
        i32::from(tried),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the answer. False when there is one already: then nothing of what goes with this one may stay.
pub async fn answer(conn: &mut PgConnection, id: Uuid, answer: &Answer, now: Timestamp) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE repairs SET state = 'DONE', outcome = $2, detail = $3, answer_time = $4, next_turn = NULL, claimed_until = NULL
         WHERE repair_id = $1 AND state = 'WAITING'",
        id,
        answer.outcome.word(),
        answer.detail,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Forgets repairs that were answered more than `days` ago, at most `limit`, the oldest first.
pub async fn prune(conn: &mut PgConnection, days: i32, limit: i64) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        "DELETE FROM repairs WHERE repair_id IN (
             SELECT repair_id FROM repairs WHERE state = 'DONE' AND answer_time < now() - make_interval(days => $1)
             ORDER BY answer_time LIMIT $2 FOR UPDATE SKIP LOCKED)",
        days,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(removed.rows_affected())
}

/// The earliest turn of any repair, to sleep until.
pub async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
    let row = sqlx::query!(
        r#"SELECT next_turn AS "at!: jiff_sqlx::Timestamp" FROM repairs WHERE state = 'WAITING' ORDER BY next_turn LIMIT 1"#
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.at.to_jiff()))
}
