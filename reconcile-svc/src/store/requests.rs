//! Answered requests: same id and content, same run.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// What a request id was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Merchant account that was asked for.
    pub merchant: String,
    /// Day that was asked for.
    pub bill_date: Date,
    /// What was answered.
    pub run_id: Uuid,
}

/// What this request id was answered with, if it ever was.
pub async fn answered(conn: &mut PgConnection, request_id: Uuid) -> sqlx::Result<Option<Answered>> {
    let row = sqlx::query!("SELECT merchant, bill_date, run_id FROM run_requests WHERE request_id = $1", request_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Answered { merchant: row.merchant, bill_date: row.bill_date.to_jiff(), run_id: row.run_id }))
}

/// Notes an answer. The first one stays.
pub async fn note(conn: &mut PgConnection, request_id: Uuid, answer: &Answered, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO run_requests (request_id, merchant, bill_date, run_id, create_time) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (request_id) DO NOTHING",
        request_id,
        answer.merchant,
        answer.bill_date.to_sqlx() as _,
        answer.run_id,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
