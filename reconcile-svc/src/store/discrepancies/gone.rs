use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use reconciliation::BoundaryMatch;
use sqlx::PgConnection;
use uuid::Uuid;

use super::FoundBy;
use crate::store::results::{BATCH, text};

/// A difference that is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Names it.
    pub id: Uuid,
    /// Its own day, which a payment about midnight makes another than the run's.
    pub bill_date: Date,
    /// As it was opened: `P1`, …
    pub code: String,
    /// Our number.
    pub out_trade_no: String,
    /// Our number of the refund; empty when it is about none.
    pub out_refund_no: String,
    /// Whether it only waited: then nobody was told of it.
    pub was_held: bool,
}

/// Those that this day's run may no longer find: first seen by a run of this day, or told by its version before. A run of another day
/// may have seen one first and tell it no more.
pub(super) async fn of_the_day(conn: &mut PgConnection, by: &FoundBy<'_>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"SELECT discrepancy_id AS "id!" FROM discrepancies
           WHERE merchant = $1 AND bill_date = $2 AND state <> 'RESOLVED'
           UNION
           SELECT d.discrepancy_id FROM run_differences f JOIN discrepancies d USING (discrepancy_id)
           WHERE f.run_id = (SELECT run_id FROM runs WHERE merchant = $1 AND bill_date = $2 AND run_id <> $3
                               AND state IN ('BALANCED', 'WAITING', 'DIFFERENCES')
                             ORDER BY version DESC LIMIT 1)
             AND d.state <> 'RESOLVED'"#,
        by.merchant,
        by.day.to_sqlx() as _,
        by.run_id,
    )
    .fetch_all(conn)
    .await
}

/// Those of other days that this day's files have.
pub(super) async fn matched(
    conn: &mut PgConnection,
    by: &FoundBy<'_>,
    matches: &[BoundaryMatch],
) -> sqlx::Result<Vec<Uuid>> {
    let mut all = Vec::new();
    for batch in matches.chunks(BATCH) {
        let legs: Vec<String> = batch.iter().map(|found| found.leg.as_str().to_owned()).collect();
        let numbers: Vec<String> = batch.iter().map(|found| text(&found.number)).collect();
        let amounts: Vec<Option<i64>> = batch.iter().map(|found| found.amount.map(Fen::get)).collect();
        // The provider numbers payments and refunds apart, so one number is never both.
        let found = sqlx::query_scalar!(
            "SELECT DISTINCT d.discrepancy_id
             FROM UNNEST($3::TEXT[], $4::TEXT[], $5::BIGINT[]) AS f (leg, number, amount_fen)
             JOIN discrepancies d ON d.merchant = $1 AND d.bill_date <> $2 AND d.state <> 'RESOLVED'
                 AND ((d.transaction_id = f.number AND d.transaction_id <> '' AND d.refund_id = '')
                   OR (d.refund_id = f.number AND d.refund_id <> ''))
             WHERE (f.leg = 'TRADE' AND d.code IN ('P5', 'P10', 'R2'))
                OR (f.leg = 'FUND' AND d.code = 'F2' AND d.state = 'HELD'
                    AND f.amount_fen IN (d.risk_fen, d.bill_amount_fen))",
            by.merchant,
            by.day.to_sqlx() as _,
            &legs,
            &numbers,
            &amounts as &[Option<i64>],
        )
        .fetch_all(&mut *conn)
        .await?;
        all.extend(found);
    }
    Ok(all)
}

/// Resolves what this day's run no longer found, unless another day's run that counts still has it: a difference ends with the last
/// run that tells it. What an account's movements tell is not gone because nobody could look at them: `unseen` are the accounts that
/// could not be fetched.
pub async fn resolve_missing(
    conn: &mut PgConnection,
    by: &FoundBy<'_>,
    unseen: &[String],
) -> sqlx::Result<Vec<Resolved>> {
    let told = of_the_day(conn, by).await?;
    let gone = sqlx::query_scalar!(
        "SELECT d.discrepancy_id FROM discrepancies d
         WHERE d.discrepancy_id = ANY($2)
           AND NOT EXISTS (SELECT 1 FROM run_differences f
                           WHERE f.discrepancy_id = d.discrepancy_id AND f.run_id = $1)
           AND NOT EXISTS (SELECT 1 FROM run_differences f JOIN runs r USING (run_id)
                           WHERE f.discrepancy_id = d.discrepancy_id AND r.current AND r.bill_date <> $3)
           AND NOT (d.code IN ('F3', 'F4') AND d.account = ANY($4))
           AND NOT (d.code IN ('F1', 'F2') AND 'BASIC' = ANY($4))",
        by.run_id,
        &told,
        by.day.to_sqlx() as _,
        unseen,
    )
    .fetch_all(&mut *conn)
    .await?;
    resolve(conn, by.run_id, by.now, &gone).await
}

/// Resolves what another day missed and this day's files have. Of money that moved here only what another day waits for is resolved,
/// and only when it is what was settled there or the whole of it; everything else that day's own next run judges, which
/// [`crate::store::neighbours::look_again`] wishes for.
pub async fn resolve_boundary(
    conn: &mut PgConnection,
    by: &FoundBy<'_>,
    matches: &[BoundaryMatch],
) -> sqlx::Result<Vec<Resolved>> {
    let gone = matched(conn, by, matches).await?;
    resolve(conn, by.run_id, by.now, &gone).await
}

async fn resolve(conn: &mut PgConnection, run_id: Uuid, now: Timestamp, gone: &[Uuid]) -> sqlx::Result<Vec<Resolved>> {
    let mut resolved = Vec::with_capacity(gone.len());
    for batch in gone.chunks(BATCH) {
        let rows = sqlx::query!(
            "WITH before AS (
                 SELECT discrepancy_id, state FROM discrepancies
                 WHERE discrepancy_id = ANY($1) AND state <> 'RESOLVED'
             )
             UPDATE discrepancies d SET state = 'RESOLVED', resolution = 'RESOLVED_BY_RERUN', resolve_time = $3,
                 resolved_by = $2, waived_until = NULL, due_date = NULL, repair_at = NULL
             FROM before WHERE d.discrepancy_id = before.discrepancy_id
             RETURNING d.discrepancy_id, d.bill_date, d.code, d.out_trade_no, d.out_refund_no,
                 before.state = 'HELD' AS \"was_held!\"",
            batch,
            run_id,
            now.to_sqlx() as _,
        )
        .fetch_all(&mut *conn)
        .await?;
        resolved.extend(rows.into_iter().map(|row| Resolved {
            id: row.discrepancy_id,
            bill_date: row.bill_date.to_jiff(),
            code: row.code,
            out_trade_no: row.out_trade_no,
            out_refund_no: row.out_refund_no,
            was_held: row.was_held,
        }));
    }
    Ok(resolved)
}
