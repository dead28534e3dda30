//! Differences over all versions of their day: written when a run finds them, resolved when one no longer does.

mod found;
mod gone;

pub use found::{Found, FoundBy, write};
pub use gone::{Resolved, resolve_boundary, resolve_missing};

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

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
