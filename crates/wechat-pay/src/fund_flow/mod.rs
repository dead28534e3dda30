//! The fund flow: every movement of one account of a merchant on one day, with the balance after it.
//!
//! Its form is the trade bill's ([`crate::bill::cells`]), and like it, it is not signed and only believed as a whole:
//! [`FundFlowReader`] checks every movement and, at the end, the sums and the balances. [`FundFlowWriter`] writes the same
//! form.

mod columns;
mod movement;
mod reader;
mod summary;
mod writer;

pub use columns::{Column, FundColumns};
pub use movement::{Direction, Movement};
pub use reader::{Expected, FundFlowReader};
pub use summary::FundSummary;
pub use writer::FundFlowWriter;
