//! The database: one function per question, a connection as its first argument, so the caller owns the transaction.

pub mod asking;
pub mod creating;
pub mod measures;
pub mod orders;
pub mod paying;
pub mod payments;
pub mod product_codes;
pub mod refund_turns;
pub mod refunds;
pub mod repairs;
pub mod requests;
pub mod settling;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{error::DatabaseError, postgres::types::PgInterval};
pub use svc_kit::postgres::{STEP_TIME, timely};

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

/// A column of jsonb, which goes and comes as text: `$1::text::jsonb` and `column::text`.
fn to_json(value: &impl Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn from_json<T: DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Whole microseconds, as the database keeps them, so that what is told at first and what is read later are equal.
pub fn as_kept(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// In the database's words.
pub fn interval(time: SignedDuration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(time.as_micros()).unwrap_or(i64::MAX) }
}

/// Whether a statement that is all or nothing was nothing: a failed serialization, which `expect_rows` says, a deadlock, or
/// something that is there already. Not asking first what is there saves a quarter of each row.
fn is_changed(error: &dyn DatabaseError) -> bool {
    matches!(error.code().as_deref(), Some("40001" | "40P01" | "23505"))
}

/// One column of rows that are written together.
pub(crate) fn column<'a, R, V>(rows: &'a [R], value: impl FnMut(&'a R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

fn some_sqlx(instant: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    instant.map(Timestamp::to_sqlx)
}
