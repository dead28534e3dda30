//! The comparison of one merchant's day: the provider's bills and our books in, counts, sums and named differences out.
//!
//! Pure: bytes in, values out; no IO, no SQL, no proto, no clock, and what is compared against "today" is an input
//! ([`Inputs::as_of`]). The same inputs give the same [`Outcome`] to the byte ([`Outcome::digest`]), in whatever order the rows
//! stand. It is complete: every fen of the bill and every fen of the books is either matched or in a named [`Difference`].
//!
//! ```text
//!        trade bill (T) ─┐
//!  fund flows (F) ×3 ────┤                ┌─► Questions ─► what the books know about them ─┐
//!  payments of the day ──┼─► read ─► Reading ──────────────────────────────────────────────┴─► conclude ─► Outcome
//!  refunds of the day ───┘     └─► Refused (nothing of a bill that fails a control is used)
//! ```
//! Payments and refunds of our side (O: what order-svc accepted, E: what the provider told) come as text files; see [`books`].
//! Everything is joined by the provider's own number, and our numbers are compared like any other field.

// Days are made up by the same code in tests of the inside and of the outside.
#[cfg(test)]
extern crate self as reconciliation;

pub mod books;
mod code;
mod conclude;
mod fast;
mod findings;
mod funds;
mod group;
mod inputs;
mod judge;
mod movement_kind;
mod outcome;
mod rate;
mod reading;
mod rules;
mod trade;

pub use code::{Code, Repair, UnknownCode};
pub use inputs::{Account, AccountKind, Answers, Closings, FundFile, Inputs, Issued, Questions};
pub use outcome::{
    AccountDay, BoundaryMatch, Difference, Key, Leg, MovementKind, MovementState, Outcome, Refused, Tally,
};
pub use reading::{Reading, read};
pub use rules::Rules;

/// Names the program by which a result was made; with [`Rules::VERSION`] part of what pins a run. Raise it when the same inputs
/// would give another result.
pub const ENGINE_VERSION: i32 = 5;

/// Most differences that one run keeps, those that wait included. More than this is not a day with differences but books that
/// are missing, and a person is told that instead of getting a list that nobody can read.
pub const MAX_DIFFERENCES: usize = 100_000;
