//! The comparison of one merchant's day: bill rows and book rows in, counts, sums and differences out.
//!
//! Pure: no IO, no SQL, no proto, no clock. The order of rows on either side never changes the result, and the result is
//! complete: every fen of the bill and every fen of the books is either matched or in a named difference
//! ([`Outcome::is_conserved`]).
//!
//! Refund rows are counted and not compared. Reversal rows are counted and are no payments: a payment that the same bill takes
//! back is none either, unless an order of ours took it. The codes for refunds, fees and fund flow join [`Code`] when their legs arrive.

mod books;
mod comparison;
mod digest;
mod judgement;
mod outcome;

pub use books::{BookPayment, Issued, Key};
pub use comparison::{BillRow, Comparison, EngineError, RowKind};
pub use digest::BooksDigest;
pub use outcome::{BoundaryMatch, Difference, Outcome, Tally};
pub use reconciliation::Code;

/// Names the rules by which a result was made; part of what pins a run. Raise it when the same inputs would give another
/// result.
pub const ENGINE_VERSION: i32 = 3;

/// Most differences that one run keeps. More than this is not a day with differences but books that are missing, and a
/// person is told that instead of getting a list that nobody can read.
pub const MAX_DIFFERENCES: usize = 100_000;
