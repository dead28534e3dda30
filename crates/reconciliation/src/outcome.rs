mod digest;
mod sums;

use jiff::civil::Date;
use money::{Fen, MilliFen};

use crate::{AccountKind, Code, Repair};

/// How many, and how much together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub count: i64,
    /// Their sum.
    pub sum: Fen,
}

/// Why nothing of a day's files was used. Names lines and columns, never values: rows hold openids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A bill cannot be read as one: its form, a width, a cell. The text says which file, line and column.
    #[error("{0}")]
    Invalid(String),
    /// A bill reads well and is not to be trusted: a sum, a count, a balance, a number, a day, a repetition.
    #[error("{0}")]
    Control(String),
    /// Our own file is not what [`crate::books`] says: a mistake of ours.
    #[error("books: {0}")]
    Books(String),
    /// More than can be compared in memory, of a day that cannot be compared without becoming rows: its files have an unusual form,
    /// or too much of it does not agree.
    #[error(
        "the files of the day have {mib} MiB, and more than 1024 MiB can only be compared where nearly everything agrees"
    )]
    TooLarge {
        /// All files together.
        mib: usize,
    },
    /// More than [`crate::MAX_DIFFERENCES`].
    #[error("more than {max} differences: the books of that day are missing, not different", max = crate::MAX_DIFFERENCES)]
    TooManyDifferences,
}

/// Which leg another day's file has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// The trade bill.
    Trade,
    /// The fund flow.
    Fund,
}

/// What a difference is about. Its identity over versions is (code, merchant, [`Key::fingerprint`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Our number of the attempt; empty when it is about none.
    pub out_trade_no: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// The provider's number of the refund.
    pub refund_id: String,
    /// The account, of F3 and F4.
    pub account: Option<AccountKind>,
    /// The movement's own number (资金流水单号), of F3; the bill day, of F4, which may come every day.
    pub movement: String,
}

impl Key {
    /// A text that is the same in every version, and another one for everything else.
    pub fn fingerprint(&self) -> String {
        let account = self.account.map_or("", AccountKind::as_str);
        let parts: [[&str; 2]; 3] = [
            [&self.out_trade_no, &self.transaction_id],
            [&self.out_refund_no, &self.refund_id],
            [account, &self.movement],
        ];
        // Honest numbers hold neither a slash nor a bar nor a backslash; what a hostile file has cannot imitate the border between two.
        let marked = |part: &str| part.replace('\\', "\\\\").replace('/', "\\/").replace('|', "\\|");
        parts.map(|pair: [&str; 2]| pair.map(marked).join("/")).join("|")
    }
}

/// One difference between the legs, or what may still become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub code: Code,
    /// About what.
    pub key: Key,
    /// The app of the bill's row; empty when the bill does not have it. A query needs it.
    pub app_id: String,
    /// On the provider's side; `None` when it is not there.
    pub bill_amount: Option<Fen>,
    /// In our books; `None` when it is not there.
    pub book_amount: Option<Fen>,
    /// What may be lost: the larger of the two sides where one lacks it, else their difference; a fee's is its own.
    pub risk: Fen,
    /// `Some` while it only waits: from this day on it is a difference.
    pub due: Option<Date>,
    /// What order-svc can do about it by itself.
    pub repair: Option<Repair>,
    /// One sentence for finance.
    pub explanation: String,
}

/// A payment or refund in this day's file whose other legs are on another day: what that day's run must know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoundaryMatch {
    /// Which file has it.
    pub leg: Leg,
    /// The provider's number of the payment or refund.
    pub number: String,
    /// Its day in our books; of what another day's bill has as well, that day.
    pub book_date: Date,
    /// What the bill has as paid or given back, `None` when it has only a reversal; how much money of it moved, zero when only
    /// its fee did.
    pub amount: Option<Fen>,
    /// In the fund flow: fees that left, less those that came back.
    pub fee: Fen,
}

/// One account on the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDay {
    /// Which.
    pub account: AccountKind,
    /// What was read.
    pub state: MovementState,
    /// The balance before the first movement; of an account on which nothing moved the last known one.
    pub opening: Option<Fen>,
    /// The balance after the last movement.
    pub closing: Option<Fen>,
    /// What moved, by WeChat's own words, sorted by them.
    pub movements: Vec<MovementKind>,
}

/// What there was to read of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementState {
    /// A file.
    Read,
    /// Nothing moved.
    None,
    /// It could not be fetched.
    NotFetched,
}

/// Movements of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MovementKind {
    /// 业务类型, as the file has it.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// Their sum; negative when money left.
    pub sum: Fen,
    /// Whether each has a trade.
    pub of_trades: bool,
}

/// The result of one comparison. The same inputs give the same value, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Payment rows of the bill, without those that it takes back and no order of ours took: nobody paid there.
    pub bill: Tally,
    /// Refund rows of the bill.
    pub bill_refunds: Tally,
    /// Reversal rows of the bill.
    pub revoked: Tally,
    /// The provider's fees over all rows.
    pub fee: MilliFen,
    /// Payments of that day in our books. One about midnight counts on the day whose bill has it.
    pub books: Tally,
    /// Refunds of that day in our books. As with payments.
    pub book_refunds: Tally,
    /// Payments that agree.
    pub matched: Tally,
    /// Refunds that agree.
    pub matched_refunds: Tally,
    /// The accounts, in the order of [`AccountKind::ALL`].
    pub accounts: Vec<AccountDay>,
    /// What does not agree, those that only wait included, ordered by code and key.
    pub differences: Vec<Difference>,
    /// What this day's files have and our books have on another day, ordered.
    pub boundary: Vec<BoundaryMatch>,
}

impl MovementState {
    /// The word in tables and on wires.
    pub const fn as_str(self) -> &'static str {
        match self {
            MovementState::Read => "READ",
            MovementState::None => "NONE",
            MovementState::NotFetched => "NOT_FETCHED",
        }
    }
}

impl Leg {
    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Leg::Trade => "TRADE",
            Leg::Fund => "FUND",
        }
    }
}
