//! What order-svc was asked to do, and what it answered.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// One thing that order-svc was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Which difference it is about.
    pub discrepancy: Uuid,
    /// Whether it was answered.
    pub answered: bool,
}

/// Writes a repair. Only one of a difference is under way.
pub async fn insert(
    conn: &mut PgConnection,
    repair: Uuid,
    discrepancy: Uuid,
    action: &str,
    requested_by: &[String],
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO repairs (repair_id, discrepancy_id, action, requested_by, request_time) VALUES ($1, $2, $3, $4, $5)",
        repair,
        discrepancy,
        action,
        requested_by,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether order-svc was asked about a difference and has not answered.
pub async fn under_way(conn: &mut PgConnection, discrepancy: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM repairs WHERE discrepancy_id = $1 AND outcome IS NULL) AS "exists!""#,
        discrepancy,
    )
    .fetch_one(conn)
    .await
}

/// Those of these repairs that are ours.
pub async fn find(conn: &mut PgConnection, repairs: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Repair>> {
    let rows = sqlx::query!(
        r#"SELECT repair_id, discrepancy_id, outcome IS NOT NULL AS "answered!" FROM repairs WHERE repair_id = ANY($1)"#,
        repairs,
    )
    .fetch_all(conn)
    .await?;
    let repair = |discrepancy, answered| Repair { discrepancy, answered };
    Ok(rows.into_iter().map(|row| (row.repair_id, repair(row.discrepancy_id, row.answered))).collect())
}

/// Writes an answer down. The first one stays: `false` when there was one.
pub async fn answer(
    conn: &mut PgConnection,
    repair: Uuid,
    outcome: &str,
    detail: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        "UPDATE repairs SET outcome = $2, detail = $3, answer_time = $4 WHERE repair_id = $1 AND outcome IS NULL",
        repair,
        outcome,
        detail,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Repairs that nobody has answered within `hours`, oldest first.
pub async fn unanswered_for(conn: &mut PgConnection, hours: i32, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT repair_id FROM repairs WHERE outcome IS NULL AND ask_time < now() - make_interval(hours => $1)
         ORDER BY ask_time LIMIT $2",
        hours,
        limit,
    )
    .fetch_all(conn)
    .await
}
