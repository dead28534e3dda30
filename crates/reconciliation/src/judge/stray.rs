//! Code F3: movements under a number that is no trade of the bill.

use jiff::civil::Date;
use money::Fen;

use super::moved::{closes, fee_of, of_another_day};
use super::{Judgement, Moved, difference, distance, words};
use crate::funds::Movement;
use crate::movement_kind::Kind;
use crate::{AccountKind, Code, Difference, Key};

/// What our books know under a number of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Known {
    pub(crate) amount: Fen,
    pub(crate) trade: KnownTrade,
    /// Its day in our books.
    pub(crate) date: Date,
    /// How much of it moved on other days than this one.
    pub(crate) moved: Fen,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KnownTrade {
    Payment,
    Refund,
}

/// Judges the movements of one number on the basic account. `known` is what our books have under it.
pub(crate) fn stray(movements: &[Movement], known: Option<Known>) -> Judgement {
    let mut judgement = Judgement::default();
    let mut movements: Vec<_> = movements.iter().collect();
    movements.sort_unstable_by(|a, b| a.flow_number.cmp(&b.flow_number));
    let is_closed = closes(movements.iter().copied());
    let (mut principal, mut fee) = (None, 0);
    for movement in &movements {
        let is_principal = Kind::of(&movement.kind).is_principal();
        // A trade moves its money once: a second time has no reason.
        let is_first = !is_principal || principal.is_none();
        if known.is_some_and(|known| is_first && is_explained(movement, known)) {
            let (kind, amount) = (movement.kind.clone(), movement.amount);
            judgement.moved.push(Moved { account: AccountKind::Basic, kind, of_trade: true, amount });
            fee += fee_of(movement, is_closed);
            if is_principal {
                principal = Some(distance(amount, Fen::ZERO));
            }
        } else {
            count_or_tell(AccountKind::Basic, movement, &mut judgement);
        }
    }
    if let (Some(known), Some(movement)) = (known, movements.first()) {
        judgement.boundary.extend(of_another_day(&movement.number, known.date, principal, fee));
    }
    judgement
}

/// Whether a trade of our books moves money like that.
fn is_explained(movement: &Movement, known: Known) -> bool {
    let kind = Kind::of(&movement.kind);
    let is_kind = match known.trade {
        KnownTrade::Payment => kind == Kind::Payment || kind.is_fee(),
        KnownTrade::Refund => matches!(kind, Kind::Refund | Kind::RefundClosed) || kind.is_fee(),
    };
    let is_direction = kind.is_fee() || kind.comes_in() == movement.amount.is_positive();
    let moved = if kind.is_principal() { known.moved } else { Fen::ZERO };
    // Coupons make it less, nothing makes it more, and whether it is exactly what moves its own day's run tells.
    let whole = distance(movement.amount, Fen::ZERO).checked_add(moved);
    is_kind && is_direction && whole.is_some_and(|whole| whole <= known.amount)
}

/// A movement that no trade explains.
pub(crate) fn unexplained(account: AccountKind, movement: &Movement) -> Judgement {
    let mut judgement = Judgement::default();
    count_or_tell(account, movement, &mut judgement);
    judgement
}

/// Counts a movement that no trade explains; tells it as well, unless its kind needs none.
pub(super) fn count_or_tell(account: AccountKind, movement: &Movement, judgement: &mut Judgement) {
    let (kind, amount) = (Kind::of(&movement.kind), movement.amount);
    judgement.moved.push(Moved { account, kind: movement.kind.clone(), of_trade: false, amount });
    // Merchants who settle fees apart have an account for nothing else.
    if kind == Kind::Ordinary || (account == AccountKind::Fees && kind.is_fee()) {
        return;
    }
    let number = movement.number.clone();
    let (transaction_id, refund_id) = match kind {
        Kind::Refund | Kind::RefundClosed | Kind::FeeReturned | Kind::Reversal => (String::new(), number),
        Kind::Payment | Kind::FeeTaken | Kind::Ordinary | Kind::Other => (number, String::new()),
    };
    let (word, movement) = (movement.kind.clone(), movement.flow_number.clone());
    let key = Key { transaction_id, refund_id, account: Some(account), movement, ..Key::default() };
    let risk = distance(amount, Fen::ZERO);
    let told = difference(Code::F3, key, risk, words::unexplained(account, &word, amount, kind));
    judgement.differences.push(Difference { bill_amount: Some(amount), ..told });
}
