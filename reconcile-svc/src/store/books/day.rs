//! The books of one day as files, in the format of [`reconciliation::books`], and what else a comparison asks of them.
//!
//! A day may have ten million payments, so Postgres writes the files (`COPY … TO STDOUT`) and they pass through here in pieces. The
//! caller brings the connection, so that everything is read in one snapshot.

mod answers;
mod copy;
mod elsewhere;
mod payments;
mod refunds;

pub use answers::answer;
pub use copy::Sink;
pub use payments::copy_payments;
pub use refunds::copy_refunds;

/// How long a fact waits for an order to take it before anybody wonders (P10): a younger one is held.
const RIPE_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
