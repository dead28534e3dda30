//! The database: one function per question, a connection as its first argument, so the caller owns the transaction.

pub mod asking;
pub mod measures;
pub mod orders;
pub mod payments;
pub mod requests;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;

/// A row that the checks of the database should have made impossible.
#[derive(Debug, thiserror::Error)]
#[error("{table} holds an impossible row: {what}")]
struct Impossible {
    table: &'static str,
    what: String,
}

fn impossible(table: &'static str, what: impl Into<String>) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Impossible { table, what: what.into() }))
}

fn some_sqlx(instant: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    instant.map(Timestamp::to_sqlx)
}
