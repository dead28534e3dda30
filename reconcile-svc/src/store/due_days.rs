//! Which days the schedule looks at.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// Days handed out for one merchant at one tick, at most. The newest come first, so the oldest wait for these to be done.
const MAX_DAYS: i64 = 30;

/// Days of one merchant that need a look on `today`, newest first: those from `first` to yesterday without a version that balances;
/// those whose version that counts does not balance and is younger than 10 days, or was never compared; those with something held
/// whose day has come; those with something open for less than 10 days. No bill can be had of a day that is more than three
/// months ago.
pub async fn due(conn: &mut PgConnection, merchant: &str, first: Date, today: Date) -> sqlx::Result<Vec<Date>> {
    let days = sqlx::query_scalar!(
        r#"WITH looked_at AS (
             SELECT day::DATE AS bill_date FROM generate_series($2::DATE, $3::DATE - 1, interval '1 day') AS day
             WHERE NOT EXISTS (SELECT 1 FROM runs WHERE merchant = $1 AND bill_date = day::DATE AND current
                               AND state = 'BALANCED')
           ), unbalanced AS (
             SELECT bill_date FROM runs
             WHERE merchant = $1 AND current AND state <> 'BALANCED' AND $3::DATE - 10 < bill_date
           ), unfinished AS (
             SELECT bill_date FROM discrepancies
             WHERE merchant = $1 AND ((state = 'HELD' AND due_date <= $3)
                   OR (state = 'OPEN' AND $3::DATE - 10 < (open_time AT TIME ZONE 'Asia/Shanghai')::DATE))
           )
           SELECT bill_date AS "bill_date!" FROM (
             SELECT bill_date FROM looked_at UNION SELECT bill_date FROM unbalanced UNION SELECT bill_date FROM unfinished
           ) AS days
           WHERE bill_date < $3 AND $3::DATE - interval '3 months' <= bill_date
           ORDER BY bill_date DESC LIMIT $4"#,
        merchant,
        first.to_sqlx() as _,
        today.to_sqlx() as _,
        MAX_DAYS,
    )
    .fetch_all(conn)
    .await?;
    Ok(days.into_iter().map(jiff_sqlx::Date::to_jiff).collect())
}
