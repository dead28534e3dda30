use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use money::{Fen, MilliFen};
use uuid::Uuid;

use crate::engine::{Code, Tally};

/// One comparison of one merchant's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Names it.
    pub id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// 1, 2, … for one merchant and day.
    pub version: i32,
    /// How far it is.
    pub state: RunState,
    /// Which control failed; empty otherwise.
    pub problem: String,
    /// The rules it was made by.
    pub engine_version: i32,
    /// Payment rows of the bill, without those that it takes back and our books do not hold as paid.
    pub bill: Tally,
    /// Refund rows of the bill.
    pub refunds: Tally,
    /// Reversal rows of the bill.
    pub revoked: Tally,
    /// The provider's fees.
    pub fee: MilliFen,
    /// Payments of that day in our books.
    pub books: Tally,
    /// Payments that agree.
    pub matched: Tally,
    /// Differences by code, in order.
    pub codes: Vec<CodeTally>,
    /// Pins the bill, hex; empty when no bill exists.
    pub bill_sha256: String,
    /// Pins the books' side, hex.
    pub books_sha256: String,
    /// When it was begun.
    pub start_time: Timestamp,
    /// When it was final.
    pub end_time: Option<Timestamp>,
    /// Whether it is the last final version of its day.
    pub current: bool,
}

/// Differences of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeTally {
    /// The code.
    pub code: Code,
    /// How many.
    pub count: i64,
    /// What they may lose together: the larger of the two sides, summed.
    pub sum: Fen,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Under way, or interrupted and to be taken up again.
    Running,
    /// Bill and books agree to the fen.
    Balanced,
    /// Compared, and something differs.
    Differences,
    /// The bill is not to be trusted; nothing of it was used.
    ControlFailed,
}

/// One difference, over all versions of its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// Names it.
    pub id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// What differs.
    pub code: Code,
    /// Our number.
    pub out_trade_no: String,
    /// The provider's number.
    pub transaction_id: String,
    /// In the bill; nothing when it is not there.
    pub bill_amount: Fen,
    /// In our books; nothing when it is not there.
    pub book_amount: Fen,
    /// Whether it still is one.
    pub state: DiscrepancyState,
    /// When it was first seen.
    pub open_time: Timestamp,
    /// By which run.
    pub opened_by: Uuid,
    /// When it was gone.
    pub resolve_time: Option<Timestamp>,
    /// Which run saw that.
    pub resolved_by: Option<Uuid>,
    /// One sentence for finance.
    pub explanation: String,
}

/// What became of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscrepancyState {
    /// It is there.
    Open,
    /// A later run no longer found it (`RESOLVED_BY_RERUN`).
    Resolved,
}

/// A word in a table that no release of ours wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an unknown state")]
pub struct UnknownState;

impl RunState {
    const ALL: [RunState; 4] = [RunState::Running, RunState::Balanced, RunState::Differences, RunState::ControlFailed];

    /// The word in tables, events and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "RUNNING",
            RunState::Balanced => "BALANCED",
            RunState::Differences => "DIFFERENCES",
            RunState::ControlFailed => "CONTROL_FAILED",
        }
    }
}

impl DiscrepancyState {
    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            DiscrepancyState::Open => "OPEN",
            DiscrepancyState::Resolved => "RESOLVED",
        }
    }
}

impl FromStr for RunState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

impl FromStr for DiscrepancyState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        let all = [DiscrepancyState::Open, DiscrepancyState::Resolved];
        all.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
