//! Proves that no fen is missing: the promises of the design, as code over witnesses that cannot all be wrong in the same way.
//! The provider's own ledger says what was really paid (only the sandbox shows one), Postgres says what we believe, the
//! streams say what we told.
//!
//! ```no_run
//! # async fn example(sources: payctl::verify::Sources) -> anyhow::Result<()> {
//! use payctl::verify::{Allowed, Limits, Progress, Window, judge, look};
//!
//! let progress = Progress::silent();
//! let window = Window::newest(&sources, &Limits::default()).await?;
//! let evidence = look(&sources, &window, &Limits::default(), &progress).await?;
//! for violation in judge(&evidence, &Allowed::default()) {
//!     println!("{violation}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! In reading order: [`Sources`] are the witnesses, [`Window`] and [`Limits`] say how much of them fits into memory, [`look`]
//! gathers the [`Evidence`] in the direction in which things happen, [`judge`] is a pure function over it, [`settle`] looks
//! again until what is under way has arrived, [`Report`] says what was looked at and what is wrong.
//!
//! Nothing is written anywhere: databases are read in `REPEATABLE READ READ ONLY`, streams message by message, without a
//! consumer that could be left behind.

mod allowed;
mod command;
mod evidence;
mod fact;
mod judge;
mod limits;
mod look;
mod progress;
mod report;
mod rows;
mod rule;
mod settle;
mod sources;
mod window;
mod witnesses;

pub use allowed::Allowed;
pub use command::{VerifyArgs, run};
pub use evidence::{Books, Evidence, Requests, Taken, Told, Unapplied, Waiting};
pub use fact::{DeadLetter, Fact, News};
pub use judge::judge;
pub use limits::Limits;
pub use look::look;
pub use progress::Progress;
pub use report::Report;
pub use rows::{ChangeRow, Instant, Journal, OrderRow, PaymentRow, RefundRow, RepairRow};
pub use rule::{Rule, Violation};
pub use settle::{Settled, settle};
pub use sources::{LedgerSource, Sources};
pub use window::Window;
