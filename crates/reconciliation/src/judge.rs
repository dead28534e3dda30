//! What comes of one group, told by its own rows alone: pure functions, one per kind of group.

pub(crate) mod balance;
mod fee;
mod moved;
mod payment;
mod plain;
mod refund;
mod stray;
mod words;

use jiff::civil::Date;
use money::Fen;

use crate::{AccountKind, BoundaryMatch, Code, Difference, Key, Repair, Rules};

pub(crate) use plain::{PlainMoved, PlainPayment, PlainRefund};
pub(crate) use stray::{Known, KnownTrade, stray, unexplained};

/// Judges groups of one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge {
    pub(crate) day: Date,
    pub(crate) as_of: Date,
    pub(crate) rules: Rules,
    pub(crate) movements: MovementsJudged,
}

/// Which movements of the basic account every trade must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MovementsJudged {
    /// None: there is no file to look into.
    None,
    /// Its principal. The merchant settles fees elsewhere.
    Principal,
    /// Its principal and its fee.
    All,
}

/// What comes of one group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judgement {
    /// What counts on the bill's side.
    pub(crate) billed: Option<Fen>,
    /// What counts on our side.
    pub(crate) booked: Option<Fen>,
    /// What agrees.
    pub(crate) matched: Option<Fen>,
    pub(crate) differences: Vec<Difference>,
    pub(crate) boundary: Vec<BoundaryMatch>,
    pub(crate) moved: Vec<Moved>,
}

/// A movement as it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) account: AccountKind,
    pub(crate) kind: String,
    pub(crate) of_trade: bool,
    pub(crate) amount: Fen,
}

impl Judgement {
    /// Whether all of it agrees and nothing is to be told.
    pub(crate) fn is_plain(&self) -> bool {
        let agree = self.matched.is_some() && self.billed == self.matched && self.booked == self.matched;
        agree
            && self.differences.is_empty()
            && self.boundary.is_empty()
            && self.moved.iter().all(|moved| moved.of_trade)
    }
}

impl Judge {
    /// `Some` while it is to be waited for.
    fn held_until(&self, due: Date) -> Option<Date> {
        Some(due).filter(|due| self.as_of < *due)
    }

    /// The day whose file has it, when it is another one.
    fn elsewhere(&self, date: Option<Date>) -> Option<Date> {
        date.filter(|date| *date != self.day)
    }
}

/// A difference with what every code says of it.
fn difference(code: Code, key: Key, risk: Fen, explanation: String) -> Difference {
    Difference {
        code,
        key,
        app_id: String::new(),
        bill_amount: None,
        book_amount: None,
        risk,
        due: None,
        repair: repair(code),
        explanation,
    }
}

/// What order-svc can do by itself about most differences of a code.
fn repair(code: Code) -> Option<Repair> {
    match code {
        Code::P1 | Code::P2 | Code::P4 | Code::P5 | Code::P8 => Some(Repair::QueryPayment),
        Code::P9 => Some(Repair::RepublishPayment),
        Code::R1 | Code::R2 | Code::R4 => Some(Repair::QueryRefund),
        Code::P3 | Code::P6 | Code::P7 | Code::P10 | Code::R3 | Code::F1 | Code::F2 | Code::F3 | Code::F4 => None,
    }
}

/// How far two amounts are apart.
fn distance(one: Fen, other: Fen) -> Fen {
    Fen::new(i64::try_from(one.get().abs_diff(other.get())).unwrap_or(i64::MAX))
}
