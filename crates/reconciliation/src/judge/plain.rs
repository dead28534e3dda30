//! Groups of which nothing is to be told, recognised by their amounts alone: nearly all of a day. A reader that has only numbers
//! in its hands asks here before it makes a group.

use money::{Fen, MilliFen};

use super::{Judge, MovementsJudged};
use crate::books::{Fact, RefundState, Taken, TakenAs};
use crate::funds::Movement;
use crate::group::{PaymentGroup, RefundGroup};
use crate::movement_kind::Kind;
use crate::rate::{self, Rate};

/// The amounts of a payment that the bill and the day's books both have under the same two numbers, and that the bill does not
/// take back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainPayment {
    pub(crate) amount: Fen,
    pub(crate) settled: Fen,
    pub(crate) coupon: Fen,
    pub(crate) fee: MilliFen,
    pub(crate) rate: Rate,
    pub(crate) issued: Option<Fen>,
    pub(crate) taken: Option<Taken>,
    pub(crate) fact: Option<Fact>,
    pub(crate) given_back: Fen,
    pub(crate) moved: PlainMoved,
}

/// The amounts of a refund that the bill and the day's books both have under the same two numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainRefund {
    pub(crate) amount: Fen,
    pub(crate) settled: Fen,
    pub(crate) fee: MilliFen,
    pub(crate) rate: Rate,
    pub(crate) book_amount: Fen,
    pub(crate) state: RefundState,
    pub(crate) fact: Option<Fen>,
    pub(crate) moved: PlainMoved,
}

/// What moved under its number on the basic account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlainMoved {
    /// The size of its only movement of its kind and direction.
    pub(crate) principal: Option<Fen>,
    /// Fees that left, less those that came back.
    pub(crate) fee: Fen,
    /// Whether anything else moved: a second time, in the other direction, of another kind.
    pub(crate) anything_else: bool,
}

impl PlainMoved {
    /// Adds a movement under the number of a row whose money moves as `principal`. `None` when the sums do not fit.
    pub(crate) fn add(&mut self, principal: Kind, kind: Kind, amount: Fen) -> Option<()> {
        if kind.is_fee() {
            self.fee = self.fee.checked_sub(amount)?;
        } else if kind == principal && kind.comes_in() == amount.is_positive() && self.principal.is_none() {
            self.principal = Some(Fen::new(amount.get().checked_abs()?));
        } else {
            self.anything_else = true;
        }
        Some(())
    }
}

impl Judge {
    /// Whether [`Judge::payment`] has nothing to tell of it, and all of it agrees.
    pub(crate) fn is_plain_payment(&self, payment: &PlainPayment) -> bool {
        let PlainPayment { amount, settled, coupon, .. } = *payment;
        let is_taken = payment.taken.is_some_and(|taken| {
            taken.amount == amount && (taken.taken_as == TakenAs::Paid || amount <= payment.given_back)
        });
        is_taken
            && payment.issued.is_none_or(|issued| issued == amount)
            && payment.fact.is_some_and(|fact| {
                fact.amount == amount && self.settlement_is_off_by(amount, settled, coupon, Some(fact.payer)).is_none()
            })
            && self.fits(payment.fee, payment.rate, Some(settled))
            && self.moved_as(payment.moved, [settled, amount], payment.fee)
    }

    /// Whether [`Judge::refund`] has nothing to tell of it, and all of it agrees.
    pub(crate) fn is_plain_refund(&self, refund: &PlainRefund) -> bool {
        refund.book_amount == refund.amount
            && refund.state == RefundState::Succeeded
            && refund.fact.is_none_or(|fact| fact == refund.amount)
            && self.fits(refund.fee, refund.rate, refund.settled.checked_neg())
            && self.moved_as(refund.moved, [refund.settled, refund.amount], refund.fee)
    }

    fn fits(&self, fee: MilliFen, rate: Rate, base: Option<Fen>) -> bool {
        match (rate, base) {
            (Rate::Untold, _) => true,
            (Rate::Known(known), Some(base)) => rate::distance(fee, known, base, self.rules.fee_tolerance).is_none(),
            (Rate::Known(_), None) | (Rate::Unreadable, _) => false,
        }
    }

    /// Whether it moved as a row of which one of these sizes is accepted, with its fee.
    pub(crate) fn moved_as(&self, moved: PlainMoved, accepted: [Fen; 2], fee: MilliFen) -> bool {
        let is_principal_right = match moved.principal {
            Some(principal) => accepted.contains(&principal),
            None => accepted[0] == Fen::ZERO,
        };
        let is_fee_right = || {
            let (moved, billed) = (i128::from(moved.fee.get()), i128::from(fee.get()));
            rate::distance_of_whole(moved, billed, self.rules.fee_tolerance).is_none()
        };
        !moved.anything_else
            && match self.movements {
                MovementsJudged::None => true,
                MovementsJudged::Principal => is_principal_right,
                MovementsJudged::All => is_principal_right && is_fee_right(),
            }
    }
}

impl PaymentGroup {
    /// Its amounts, when it may be plain.
    pub(crate) fn amounts(&self) -> Option<PlainPayment> {
        let (Some(row), None, Some(book)) = (&self.billed, &self.revoked, &self.book) else { return None };
        if book.billed_on.is_some() || book.moved_on.is_some() {
            return None;
        }
        Some(PlainPayment {
            amount: row.amount,
            settled: row.settled,
            coupon: row.coupon,
            fee: row.fee,
            rate: row.rate,
            issued: book.issued,
            taken: book.taken,
            fact: book.fact,
            given_back: book.given_back,
            moved: moved(&self.movements, Kind::Payment)?,
        })
    }
}

impl RefundGroup {
    /// Its amounts, when it may be plain.
    pub(crate) fn amounts(&self) -> Option<PlainRefund> {
        let (Some(row), Some(book)) = (&self.billed, &self.book) else { return None };
        // Which row is its own is known when all are seen.
        if book.billed_on.is_some() || book.moved_on.is_some() || book.refund_id.is_none() {
            return None;
        }
        Some(PlainRefund {
            amount: row.amount,
            settled: row.settled,
            fee: row.fee,
            rate: row.rate,
            book_amount: book.amount,
            state: book.state,
            fact: book.fact,
            moved: moved(&self.movements, Kind::Refund)?,
        })
    }
}

/// `None` when the sums do not fit.
fn moved(movements: &[Movement], principal: Kind) -> Option<PlainMoved> {
    let mut moved = PlainMoved::default();
    for movement in movements {
        moved.add(principal, Kind::of(&movement.kind), movement.amount)?;
    }
    Some(moved)
}
