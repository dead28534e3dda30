//! Our side, as text files: one line per row, tabs between columns, `\N` for nothing — what Postgres writes with
//! `COPY … TO STDOUT` in text format. A backslash in a value is written twice, a tab `\t`, a line break `\n`.
//!
//! payments: `out_trade_no transaction_id issued_fen taken_as taken_fen fact_fen payer_fen fact_ripe paid_date billed_on billed_fen
//! moved_on moved_fen moved_fee_fen order_state given_back_fen`
//!
//! refunds: `out_refund_no refund_id out_trade_no transaction_id amount_fen state cause fact_fen accept_date billed_on moved_on
//! moved_fen moved_fee_fen`
//!
//! Dates are `2026-11-21`, booleans `t` and `f`. Files are sorted by the provider's number, so that their SHA-256 names them.

mod line;
mod payment_line;
mod refund_line;
mod words;

use jiff::civil::Date;
use money::Fen;

pub use line::LineError;

/// One payment that our books hold as paid: what order-svc accepted (leg O) and what the provider told (leg E), joined by number
/// and transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookPayment {
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// What we asked for when we gave out the number; `None` when we never issued it.
    pub issued: Option<Fen>,
    /// What order-svc accepted (leg O); `None` when it has not.
    pub taken: Option<Taken>,
    /// What the provider told us while it happened (leg E); `None` when no fact came.
    pub fact: Option<Fact>,
    /// Civil date in Asia/Shanghai of the provider's time of the payment.
    pub paid_date: Date,
    /// The other day whose bill already holds it, when one does: then it is not missing here.
    pub billed_on: Option<Date>,
    /// What that bill has as paid; `None` when it has only the reversal, and when a run of before version 5 said so.
    pub billed: Option<Fen>,
    /// The other day whose fund flow already holds money of it.
    pub moved_on: Option<Date>,
    /// How much; `None` when a run of before version 5 said so.
    pub moved: Option<MovedElsewhere>,
    /// How its order stands.
    pub order: OrderState,
    /// What is given back of it, or on its way back: refunds that were neither rejected nor closed.
    pub given_back: Fen,
}

/// What order-svc did with the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How much.
    pub amount: Fen,
    /// As what.
    pub taken_as: TakenAs,
}

/// As what money was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenAs {
    /// It pays the order.
    Paid,
    /// The order was closed or already paid.
    Surplus,
}

/// What the provider told of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Order amount.
    pub amount: Fen,
    /// What the payer paid after coupons.
    pub payer: Fen,
    /// Whether it came long enough (5 minutes) before the run for an order to have taken it: until then it is waited for (P10).
    pub ripe: bool,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderState {
    /// Nobody paid yet.
    Open,
    /// Closed without money.
    Closed,
    /// Paid, by this attempt.
    Paid,
    /// Paid by another attempt.
    PaidByOther,
    /// We do not know the order.
    Unknown,
}

/// One refund of our books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRefund {
    /// Our number; one that the provider's console made when it was imported.
    pub out_refund_no: String,
    /// The provider's number; `None` while it did not accept it.
    pub refund_id: Option<String>,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// What goes back.
    pub amount: Fen,
    /// How far it is.
    pub state: RefundState,
    /// Who wanted it.
    pub cause: RefundCause,
    /// What the provider told on the bus (leg E); `None` while it has told nothing.
    pub fact: Option<Fen>,
    /// Civil date in Asia/Shanghai on which the provider accepted it; `None` while it has not.
    pub accept_date: Option<Date>,
    /// The other day whose bill already holds it.
    pub billed_on: Option<Date>,
    /// The other day whose fund flow already holds money of it.
    pub moved_on: Option<Date>,
    /// How much; `None` when a run of before version 5 said so.
    pub moved: Option<MovedElsewhere>,
}

/// What moved under the provider's number on other days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedElsewhere {
    /// How much of the money itself, in whichever direction it should; zero when only a fee moved.
    pub principal: Fen,
    /// Fees that left, less those that came back.
    pub fee: Fen,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// Written, not accepted yet: unknown.
    Created,
    /// Accepted.
    Processing,
    /// The money is back.
    Succeeded,
    /// It bounced: a person must act.
    Abnormal,
    /// The provider accepted it and then did not do it.
    Closed,
    /// The provider refused it.
    Rejected,
}

/// Who wanted a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundCause {
    /// A team.
    Requested,
    /// Money that no order could keep.
    Surplus,
    /// Somebody at the provider's console.
    External,
}

impl BookPayment {
    /// What it is worth in our books: what was accepted, else what was asked for, else what we were told.
    pub fn amount(&self) -> Fen {
        let fact = self.fact.map(|fact| fact.amount);
        self.taken.map(|taken| taken.amount).or(self.issued).or(fact).unwrap_or(Fen::ZERO)
    }

    /// Whether we gave out the number. Taking money for a number proves that too, should its own event come late.
    pub fn is_ours(&self) -> bool {
        self.issued.is_some() || self.taken.is_some()
    }
}
