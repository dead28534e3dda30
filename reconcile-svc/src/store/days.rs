//! Days that are worth another run soon, because an answer of order-svc may have ended a difference.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// Days taken at a time.
const MAX_DAYS: i64 = 10;

/// A day that is worth another run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayToLookAt {
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// Tells one wish from the next.
    pub mark: Uuid,
}

/// A merchant account and a day of it, in the order in which they are locked.
pub type MerchantDay = (String, Date);

/// The days whose version that counts tells one of these differences: another run of them shows whether it is still there.
pub async fn that_tell(conn: &mut PgConnection, discrepancies: &[Uuid]) -> sqlx::Result<Vec<MerchantDay>> {
    let rows = sqlx::query!(
        "SELECT DISTINCT r.merchant, r.bill_date FROM run_differences f JOIN runs r USING (run_id)
         WHERE f.discrepancy_id = ANY($1) AND r.current",
        discrepancies,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.merchant, row.bill_date.to_jiff())).collect())
}

/// Wishes for another run of days. The facts that come with an answer come by another stream and need a moment, so it is for ten
/// seconds later.
pub async fn look_again(conn: &mut PgConnection, days: &BTreeSet<MerchantDay>) -> sqlx::Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    let merchants: Vec<String> = days.iter().map(|(merchant, _)| merchant.clone()).collect();
    let dates: Vec<jiff_sqlx::Date> = days.iter().map(|(_, day)| day.to_sqlx()).collect();
    sqlx::query!(
        "INSERT INTO days_to_look_at (merchant, bill_date, look_at)
         SELECT merchant, bill_date, now() + interval '10 s' FROM UNNEST($1::TEXT[], $2::DATE[]) AS d (merchant, bill_date)
         ORDER BY merchant COLLATE \"C\", bill_date
         ON CONFLICT (merchant, bill_date) DO UPDATE SET mark = EXCLUDED.mark, look_at = EXCLUDED.look_at",
        &merchants,
        &dates as &[jiff_sqlx::Date],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Days that are to be run now, newest first: their bills explain what older days miss. A day stays in this list until
/// [`looked_at`].
pub async fn days_to_look_at(conn: &mut PgConnection) -> sqlx::Result<Vec<DayToLookAt>> {
    let rows = sqlx::query!(
        "SELECT merchant, bill_date, mark FROM days_to_look_at WHERE look_at <= now()
         ORDER BY bill_date DESC, merchant LIMIT $1",
        MAX_DAYS,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DayToLookAt { merchant: row.merchant, bill_date: row.bill_date.to_jiff(), mark: row.mark })
        .collect())
}

/// The day was run (or found unchanged) after it was in the list. A wish that came meanwhile stays.
pub async fn looked_at(conn: &mut PgConnection, day: &DayToLookAt) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM days_to_look_at WHERE merchant = $1 AND bill_date = $2 AND mark = $3",
        day.merchant,
        day.bill_date.to_sqlx() as _,
        day.mark,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The day could not be run: again in half an hour, as every day that could not.
pub async fn look_later(conn: &mut PgConnection, day: &DayToLookAt) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE days_to_look_at SET look_at = now() + interval '30 min'
         WHERE merchant = $1 AND bill_date = $2 AND mark = $3",
        day.merchant,
        day.bill_date.to_sqlx() as _,
        day.mark,
    )
    .execute(conn)
    .await?;
    Ok(())
}
