//! SQL and nothing else: one function per question, a connection first, so that the caller owns the transaction.

pub mod audit;
pub mod bills;
pub mod books;
pub mod claims;
pub mod days;
pub mod diffs;
pub mod discrepancies;
pub mod due_days;
pub mod exports;
pub mod gauges;
pub mod legs;
pub mod listing;
pub mod locks;
pub mod neighbours;
pub mod overview;
pub mod repairs;
pub mod requests;
pub mod results;
pub mod subjects;

/// The schema of this service; applied at start.
pub fn migrations() -> sqlx::migrate::Migrator {
    sqlx::migrate!("./migrations")
}
