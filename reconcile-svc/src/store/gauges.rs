//! What the metrics show.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use reconciliation::Code;
use sqlx::PgConnection;

use crate::metrics::OpenOfCode;

/// What is open, by code.
pub async fn open_by_code(conn: &mut PgConnection, now: Timestamp) -> sqlx::Result<Vec<(Code, OpenOfCode)>> {
    let rows = sqlx::query!(
        r#"SELECT code, COUNT(*) AS "count!", COUNT(*) FILTER (WHERE critical) AS "critical!", LEAST(SUM(risk_fen), 9223372036854775807)::BIGINT AS "fen!",
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
            let (count, critical) = (row.count, row.critical);
            Ok((code, OpenOfCode { count, critical, fen: row.fen, oldest_seconds: row.oldest_seconds }))
        })
        .collect()
}

/// Seconds since each merchant's last finished run. A refused bill is no finished run.
pub async fn since_last_run(conn: &mut PgConnection, now: Timestamp) -> sqlx::Result<HashMap<String, i64>> {
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

/// Merchants of which that day was compared.
pub async fn compared(conn: &mut PgConnection, day: Date) -> sqlx::Result<HashSet<String>> {
    let merchants = sqlx::query_scalar!(
        "SELECT merchant FROM runs WHERE bill_date = $1 AND current AND state IN ('BALANCED', 'WAITING', 'DIFFERENCES')",
        day.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(merchants.into_iter().collect())
}

/// How many days of each merchant, of the three months for which bills can be had, have a newest bill that was refused.
pub async fn refused_days(conn: &mut PgConnection, today: Date) -> sqlx::Result<HashMap<String, i64>> {
    let rows = sqlx::query!(
        r#"SELECT merchant, COUNT(*) AS "count!" FROM (
             SELECT DISTINCT ON (merchant, bill_date) merchant, state FROM runs
             WHERE state <> 'RUNNING' AND $1::DATE - interval '3 months' <= bill_date
             ORDER BY merchant, bill_date, version DESC) AS newest
           WHERE state IN ('CONTROL_FAILED', 'BILL_INVALID') GROUP BY merchant"#,
        today.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.merchant, row.count)).collect())
}

/// Since when the oldest question to order-svc has no answer, in seconds; 0 when there is none.
pub async fn oldest_unanswered(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT COALESCE(GREATEST(EXTRACT(EPOCH FROM now() - MIN(ask_time)), 0), 0)::BIGINT AS "seconds!"
           FROM repairs WHERE outcome IS NULL"#
    )
    .fetch_one(conn)
    .await
}
