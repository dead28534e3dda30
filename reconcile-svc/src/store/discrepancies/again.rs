use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::FoundBy;
use crate::store::results::BATCH;

/// What a run told and what has ended since, in the order of their ids.
pub async fn ended(conn: &mut PgConnection, run_id: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT d.discrepancy_id FROM run_differences f JOIN discrepancies d USING (discrepancy_id)
         WHERE f.run_id = $1 AND d.state = 'RESOLVED' ORDER BY d.discrepancy_id",
        run_id,
    )
    .fetch_all(conn)
    .await
}

/// RESOLVED → OPEN, HELD where it only waited, and RESOLVING where order-svc was asked and has not answered: as the run told them,
/// and nothing of how they ended is left. They are locked.
pub async fn reopen(conn: &mut PgConnection, by: &FoundBy<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    for batch in ids.chunks(BATCH) {
        sqlx::query!(
            "UPDATE discrepancies d SET due_date = f.due_date,
                 state = CASE WHEN f.due_date IS NOT NULL THEN 'HELD' WHEN q.asked THEN 'RESOLVING' ELSE 'OPEN' END,
                 bill_date = $3, bill_amount_fen = f.bill_amount_fen, book_amount_fen = f.book_amount_fen, risk_fen = f.risk_fen,
                 explanation = f.explanation, resolve_time = NULL, resolved_by = NULL, resolution = '', proposed = NULL,
                 proposed_by = NULL, repair_count = 0,
                 repair_at = CASE WHEN f.due_date IS NULL AND d.repair IS NOT NULL AND NOT q.asked THEN now() END
             FROM run_differences f
             CROSS JOIN LATERAL (SELECT EXISTS (
                 SELECT 1 FROM repairs r WHERE r.discrepancy_id = f.discrepancy_id AND r.outcome IS NULL) AS asked) q
             WHERE f.run_id = $1 AND f.discrepancy_id = d.discrepancy_id AND d.discrepancy_id = ANY($2) AND d.state = 'RESOLVED'",
            by.run_id,
            batch,
            by.day.to_sqlx() as _,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
