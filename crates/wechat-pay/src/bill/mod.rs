//! The trade bill: what WeChat says it did for a merchant on one day.
//!
//! A bill is CSV of its own kind: a header, one row per payment or refund with a backtick before every value, a second
//! header and one row of sums. It is not signed, so it is believed only as a whole: [`TradeBillReader`] checks every
//! row and, at the end, the sums. [`TradeBillWriter`] writes the same form.
//!
//! Layers: `lines` (bounded lines of plain or gzipped input), [`cells`] (any bill as texts), [`TradeBillReader`]
//! (typed rows and controls).

pub mod cells;
mod columns;
mod error;
mod failure;
mod lines;
mod numbers;
mod read_row;
mod reader;
mod row;
mod summary;
mod writer;

pub use columns::{BillLayout, Column, TradeColumns};
pub(crate) use error::is_number;
pub use error::{BillError, CellProblem, Control};
pub use failure::BillFailure;
pub use lines::plain;
pub use reader::{Expected, TradeBillReader};
pub use row::{BillRefund, BillState, TradeRow};
pub use summary::Summary;
pub use writer::{BillWriteError, TradeBillWriter};

pub(crate) use columns::normalised;
pub(crate) use numbers::Numbers;
pub(crate) use summary::whole;
pub(crate) use writer::carried;
