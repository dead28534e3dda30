//! Differences over all versions of their day: written when a run finds them, resolved when one no longer does.

mod again;
mod found;
mod gone;

pub use again::{ended, reopen};
pub use found::{Found, FoundBy, write};
pub use gone::{Resolved, resolve_boundary, resolve_missing};

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use reconciliation::Outcome;
use sqlx::PgConnection;

use super::locks;

/// Locks all that writing down `outcome` may change: what was found and is known, what may be gone, and what other days missed.
pub async fn lock(conn: &mut PgConnection, by: &FoundBy<'_>, outcome: &Outcome) -> sqlx::Result<()> {
    let mut ids = found::known(conn, by.merchant, &outcome.differences).await?;
    ids.extend(gone::of_the_day(conn, by).await?);
    ids.extend(gone::matched(conn, by, &outcome.boundary).await?);
    locks::differences(conn, ids).await
}

/// How many differences of a day are open, whoever is at them.
pub async fn open_count(conn: &mut PgConnection, merchant: &str, day: Date) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "SELECT COUNT(*) AS \"count!\" FROM discrepancies
         WHERE merchant = $1 AND bill_date = $2 AND state IN ('OPEN', 'RESOLVING', 'PROPOSED', 'APPROVED')",
        merchant,
        day.to_sqlx() as _,
    )
    .fetch_one(conn)
    .await
}
