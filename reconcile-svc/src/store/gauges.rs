//! What the metrics show.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use reconciliation::Code;
use sqlx::PgConnection;

use crate::metrics::OpenOfCode;

/// What is open, by code.
pub async fn open_by_code(conn: &mut PgConnection, now: Timestamp) -> sqlx::Result<Vec<(Code, OpenOfCode)>> {
    let rows = sqlx::query!(
        r#"SELECT code, COUNT(*) AS "count!", LEAST(SUM(risk_fen), 9223372036854775807)::BIGINT AS "fen!",
             GREATEST(EXTRACT(EPOCH FROM $1::TIMESTAMPTZ - MIN(open_time)), 0)::BIGINT AS "oldest_seconds!"
           FROM discrepancies WHERE state IN ('OPEN', 'RESOLVING', 'PROPOSED', 'APPROVED')
           GROUP BY code"#,
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let code = row.code.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok((code, OpenOfCode { count: row.count, fen: row.fen, oldest_seconds: row.oldest_seconds }))
        })
        .collect()
}

/// Seconds since each merchant's last finished run. A refused bill is no finished run.
pub async fn since_last_run(conn: &mut PgConnection, now: Timestamp) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT merchant, GREATEST(EXTRACT(EPOCH FROM $1::TIMESTAMPTZ - MAX(end_time)), 0)::BIGINT AS "seconds!"
           FROM runs WHERE state IN ('BALANCED', 'WAITING', 'DIFFERENCES')
           GROUP BY merchant"#,
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.merchant, row.seconds)).collect())
}
