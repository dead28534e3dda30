use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use money::{Fen, MilliFen};
use uuid::Uuid;

use reconciliation::{AccountDay, AccountKind, Code, MovementState, Tally};

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
    /// Which control failed, or where the bill cannot be read; empty otherwise.
    pub problem: String,
    /// The program it was made by.
    pub engine_version: i32,
    /// The holds and tolerances it was made by.
    pub rules_version: i32,
    /// Civil date in Asia/Shanghai on which it was made; `None` in runs of earlier releases.
    pub as_of: Option<Date>,
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
    /// Refunds of that day in our books.
    pub book_refunds: Tally,
    /// Payments that agree.
    pub matched: Tally,
    /// Refunds that agree.
    pub matched_refunds: Tally,
    /// Differences by code, in order, those that only wait left out.
    pub codes: Vec<CodeTally>,
    /// What may still come with a later bill.
    pub waiting: Tally,
    /// The accounts.
    pub accounts: Vec<AccountDay>,
    /// Every input.
    pub inputs: Vec<Input>,
    /// Pins the bill, hex; empty when no bill exists.
    pub bill_sha256: String,
    /// Pins the books' side, hex.
    pub books_sha256: String,
    /// SHA-256 of the whole result, hex.
    pub result_sha256: String,
    /// When it was begun.
    pub start_time: Timestamp,
    /// When it was final.
    pub end_time: Option<Timestamp>,
    /// Whether it is the version of its day that counts: the last one that was compared, or the last of all while none was.
    pub current: bool,
}

/// One input of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is.
    pub kind: InputKind,
    /// What there was of it.
    pub state: MovementState,
    /// SHA-256 of its decompressed bytes, hex; empty unless read.
    pub sha256: String,
    /// How long it is.
    pub bytes: u64,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InputKind {
    /// The trade bill.
    Trade,
    /// The fund flow of an account.
    Fund(AccountKind),
    /// Payments of our books.
    BookPayments,
    /// Refunds of our books.
    BookRefunds,
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
    /// All legs agree to the fen.
    Balanced,
    /// Nothing differs, and something may still come with a later bill.
    Waiting,
    /// Compared, and something differs.
    Differences,
    /// The bill is not to be trusted; nothing of it was used.
    ControlFailed,
    /// The bill cannot be read as one; nothing of it was used.
    BillInvalid,
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
    /// Our number of the refund; empty when it is about none.
    pub out_refund_no: String,
    /// The provider's number of the refund.
    pub refund_id: String,
    /// `BASIC`, `OPERATION` or `FEES`, of F3 and F4.
    pub account: String,
    /// The movement's own number, of F3.
    pub movement: String,
    /// What may be lost.
    pub risk: Fen,
    /// How far it is.
    pub state: DiscrepancyState,
    /// Of HELD: from this day on it is a difference.
    pub due_date: Option<Date>,
    /// What order-svc can do by itself, in the words of the table.
    pub repair: Option<String>,
    /// Somebody must look today.
    pub critical: bool,
    /// Who looks after it; empty when nobody does.
    pub assignee: String,
    /// Of WAIVED: until when.
    pub waived_until: Option<Date>,
    /// How it ended: `RESOLVED_BY_RERUN`, `APPLIED`, `WAIVED`; empty while it has not.
    pub resolution: String,
    /// What order-svc answered last.
    pub answer: String,
    /// What somebody proposed, and who.
    pub proposed: Option<String>,
    /// Who proposed it.
    pub proposed_by: Option<String>,
    /// Of PROPOSED: the proposal's row in the audit log.
    pub proposal_sequence: Option<i64>,
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

/// How far a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiscrepancyState {
    /// Not one yet: it may come with a later bill.
    Held,
    /// A person, or the next bill, must end it.
    Open,
    /// order-svc asks the provider.
    Resolving,
    /// One person proposed what to do.
    Proposed,
    /// Another person agreed; order-svc does it.
    Approved,
    /// It was done.
    Applied,
    /// Somebody decided to live with it for a while.
    Waived,
    /// A later run no longer found it (`RESOLVED_BY_RERUN`).
    Resolved,
}

/// A word in a table that no release of ours wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an unknown state")]
pub struct UnknownState;

impl RunState {
    const ALL: [RunState; 6] = [
        RunState::Running,
        RunState::Balanced,
        RunState::Waiting,
        RunState::Differences,
        RunState::ControlFailed,
        RunState::BillInvalid,
    ];

    /// The word in tables, events and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "RUNNING",
            RunState::Balanced => "BALANCED",
            RunState::Waiting => "WAITING",
            RunState::Differences => "DIFFERENCES",
            RunState::ControlFailed => "CONTROL_FAILED",
            RunState::BillInvalid => "BILL_INVALID",
        }
    }

    /// Whether bill and books were compared; nothing of the files was used otherwise.
    pub const fn is_compared(self) -> bool {
        matches!(self, RunState::Balanced | RunState::Waiting | RunState::Differences)
    }
}

impl InputKind {
    /// Every input.
    pub const ALL: [InputKind; 6] = [
        InputKind::Trade,
        InputKind::Fund(AccountKind::Basic),
        InputKind::Fund(AccountKind::Operation),
        InputKind::Fund(AccountKind::Fees),
        InputKind::BookPayments,
        InputKind::BookRefunds,
    ];

    /// The word in tables and on wires.
    pub const fn as_str(self) -> &'static str {
        match self {
            InputKind::Trade => "TRADE",
            InputKind::Fund(AccountKind::Basic) => "FUND_BASIC",
            InputKind::Fund(AccountKind::Operation) => "FUND_OPERATION",
            InputKind::Fund(AccountKind::Fees) => "FUND_FEES",
            InputKind::BookPayments => "BOOK_PAYMENTS",
            InputKind::BookRefunds => "BOOK_REFUNDS",
        }
    }

    /// Whether it is the provider's.
    pub const fn is_a_bill(self) -> bool {
        matches!(self, InputKind::Trade | InputKind::Fund(_))
    }
}

impl DiscrepancyState {
    /// Every state.
    pub const ALL: [DiscrepancyState; 8] = [
        DiscrepancyState::Held,
        DiscrepancyState::Open,
        DiscrepancyState::Resolving,
        DiscrepancyState::Proposed,
        DiscrepancyState::Approved,
        DiscrepancyState::Applied,
        DiscrepancyState::Waived,
        DiscrepancyState::Resolved,
    ];

    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            DiscrepancyState::Held => "HELD",
            DiscrepancyState::Open => "OPEN",
            DiscrepancyState::Resolving => "RESOLVING",
            DiscrepancyState::Proposed => "PROPOSED",
            DiscrepancyState::Approved => "APPROVED",
            DiscrepancyState::Applied => "APPLIED",
            DiscrepancyState::Waived => "WAIVED",
            DiscrepancyState::Resolved => "RESOLVED",
        }
    }
}

impl FromStr for InputKind {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownState)
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
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
