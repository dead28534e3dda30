//! Code F4: an account that does not open as it closed, or whose file is missing.

use jiff::civil::Date;
use money::Fen;

use super::{difference, distance, words};
use crate::funds::AccountFlow;
use crate::{Code, Difference, Key, MovementState};

/// What an account opened and closed with. One on which nothing moved keeps what it had.
pub(crate) fn of(flow: &AccountFlow, closed_before: Option<Fen>) -> (Option<Fen>, Option<Fen>) {
    match flow.state {
        MovementState::Read => (flow.opening.or(closed_before), flow.closing.or(closed_before)),
        MovementState::None => (closed_before, closed_before),
        MovementState::NotFetched => (None, None),
    }
}

/// `trades` is what payers paid, when the trade bill has rows whose money must have moved on this account.
pub(crate) fn broken(
    flow: &AccountFlow,
    day: Date,
    closed_before: Option<Fen>,
    trades: Option<Fen>,
) -> Option<Difference> {
    // An account has a balance every day, so the day is part of what is broken.
    let key = Key { account: Some(flow.account), movement: day.to_string(), ..Key::default() };
    match (flow.state, flow.opening, closed_before, trades) {
        (MovementState::None, _, _, Some(trades)) => {
            Some(difference(Code::F4, key, trades, words::file_missing(flow.account)))
        }
        (MovementState::Read, Some(opening), Some(closed), _) if opening != closed => {
            let explanation = words::discontinuous(flow.account, closed, opening);
            let broken = difference(Code::F4, key, distance(opening, closed), explanation);
            Some(Difference { bill_amount: Some(opening), ..broken })
        }
        _ => None,
    }
}
