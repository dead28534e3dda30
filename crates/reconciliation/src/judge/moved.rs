//! Codes F1 and F2: the trade rows under one number, and the money that moved under it.

use jiff::civil::Date;
use money::Fen;

use super::fee::{self, FeeProblem};
use super::{Judge, Judgement, Moved, MovementsJudged, difference, distance, stray, words};
use crate::books::MovedElsewhere;
use crate::funds::Movement;
use crate::group::{PaymentGroup, RefundGroup};
use crate::movement_kind::Kind;
use crate::rate;
use crate::trade::{BillRow, RowKind};
use crate::{AccountKind, BoundaryMatch, Code, Difference, Leg};

/// What other days' fund flows have under the same number.
#[derive(Clone, Copy)]
struct Elsewhere {
    /// On the first of them.
    on: Date,
    /// `None` when nobody wrote it down.
    moved: Option<MovedElsewhere>,
}

/// How a trade row's money moved.
enum Principal {
    /// As it should, or nothing had to move.
    Fits,
    /// On another day, and nobody wrote down how much.
    Untold,
    /// Another amount.
    Differs(Fen),
    /// Not at all.
    Missing,
}

impl Judge {
    pub(super) fn rows_of_payment(&self, group: &PaymentGroup, judgement: &mut Judgement) {
        let elsewhere = group.book.as_ref().and_then(|book| self.moved_elsewhere(book.moved_on, book.moved));
        let has_own_number = |row: &&BillRow| !row.refund_id.is_empty();
        let (apart, beside): (Vec<_>, Vec<_>) = group.revoked.iter().partition(has_own_number);
        let under_payment: Vec<_> = group.billed.iter().chain(beside).collect();
        self.rows(&under_payment, elsewhere, &group.movements, judgement);
        // What moved under the payment's number is not what moves under the reversal's.
        self.rows(&apart, None, &group.reversal_movements, judgement);
    }

    pub(super) fn rows_of_refund(&self, group: &RefundGroup, judgement: &mut Judgement) {
        let elsewhere = group.book.as_ref().and_then(|book| self.moved_elsewhere(book.moved_on, book.moved));
        let rows: Vec<_> = group.billed.iter().collect();
        self.rows(&rows, elsewhere, &group.movements, judgement);
    }

    fn moved_elsewhere(&self, on: Option<Date>, moved: Option<MovedElsewhere>) -> Option<Elsewhere> {
        self.elsewhere(on).map(|on| Elsewhere { on, moved })
    }

    /// A row that is told because the bill of another day, `on`, has it as well. Whichever of both its money moved with, the other
    /// one is not told once more for the lack of it: what moved here is noted for that day.
    pub(super) fn row_that_is_billed_again(
        &self,
        row: &BillRow,
        on: Date,
        movements: &[Movement],
        judgement: &mut Judgement,
    ) {
        let mut left: Vec<&Movement> = movements.iter().collect();
        left.sort_unstable_by(|a, b| a.flow_number.cmp(&b.flow_number));
        let here = principal(row, &mut left, judgement);
        let moved_fee = fees(&[row], &mut left, judgement);
        judgement.boundary.extend(of_another_day(row.number(), on, here, moved_fee));
        fee::note(row, self.fee_problem(row), judgement);
        for movement in left {
            stray::count_or_tell(AccountKind::Basic, movement, judgement);
        }
    }

    /// Judges rows whose money moves under one number, and every movement under it. What moved under it on other days counts as
    /// well: all of it together must be what the row says.
    fn rows(&self, rows: &[&BillRow], elsewhere: Option<Elsewhere>, movements: &[Movement], judgement: &mut Judgement) {
        let mut left: Vec<&Movement> = movements.iter().collect();
        left.sort_unstable_by(|a, b| a.flow_number.cmp(&b.flow_number));
        let mut complete = true;
        if self.movements != MovementsJudged::None {
            for row in rows {
                let here = principal(row, &mut left, judgement);
                // Nobody knows a reversal's money by its payment's number.
                let elsewhere = elsewhere.filter(|_| row.kind != RowKind::Revoked);
                match whole(row, here, elsewhere) {
                    Principal::Fits => {}
                    Principal::Untold => complete = false,
                    Principal::Differs(moved) => {
                        let on = elsewhere.filter(Elsewhere::is_of_money).map(|elsewhere| elsewhere.on);
                        judgement.differences.push(moved_otherwise(row, moved, on));
                    }
                    Principal::Missing => {
                        complete = false;
                        judgement.differences.push(self.not_moved(row));
                    }
                }
            }
        }
        let fee_elsewhere = elsewhere.and_then(|elsewhere| elsewhere.moved).map_or(0, |moved| moved.fee.get());
        let moved_fee = fees(rows, &mut left, judgement) + i128::from(fee_elsewhere);
        // The fee of money that moves on another day moves with it, and one that moved there shows that fees do.
        let do_fees_move = match self.movements {
            MovementsJudged::None => false,
            MovementsJudged::Principal => fee_elsewhere != 0,
            MovementsJudged::All => true,
        };
        let mut moved_fee = (do_fees_move && complete).then(|| self.moved_fee_problem(rows, moved_fee)).flatten();
        for row in rows {
            fee::note(row, self.fee_problem(row).into_iter().chain(moved_fee.take()), judgement);
        }
        for movement in left {
            stray::count_or_tell(AccountKind::Basic, movement, judgement);
        }
    }

    fn moved_fee_problem(&self, rows: &[&BillRow], moved: i128) -> Option<FeeProblem> {
        let billed: i128 = rows.iter().map(|row| i128::from(row.fee.get())).sum();
        let risk = rate::distance_of_whole(moved, billed, self.rules.fee_tolerance)?;
        Some(FeeProblem { risk, explanation: words::moved_fee(billed, moved) })
    }

    fn not_moved(&self, row: &BillRow) -> Difference {
        let due = self.held_until(self.rules.fund_due(self.day));
        let missing = difference(Code::F2, row.key(), row.settled, words::not_moved(row, due));
        Difference { app_id: row.app_id.clone(), bill_amount: Some(row.amount), due, ..missing }
    }
}

impl Elsewhere {
    fn is_of_money(&self) -> bool {
        self.moved.is_some_and(|moved| moved.principal.is_positive())
    }
}

/// `on` is the other day on which some of it moved.
fn moved_otherwise(row: &BillRow, moved: Fen, on: Option<Date>) -> Difference {
    let risk = distance(row.settled, moved);
    let otherwise = difference(Code::F2, row.key(), risk, words::moved_otherwise(row, moved, on));
    Difference { app_id: row.app_id.clone(), bill_amount: Some(row.amount), ..otherwise }
}

/// Whether what moved here and elsewhere is what the row says.
fn whole(row: &BillRow, here: Option<Fen>, elsewhere: Option<Elsewhere>) -> Principal {
    let there = match elsewhere {
        // What moved here is judged as if it were all; whether it is, nobody knows.
        Some(Elsewhere { moved: None, .. }) if here.is_none() => return Principal::Untold,
        Some(Elsewhere { moved: Some(moved), .. }) => Some(moved.principal).filter(|principal| principal.is_positive()),
        _ => None,
    };
    let moved = match (here, there) {
        (Some(here), Some(there)) => here.checked_add(there).unwrap_or(Fen::new(i64::MAX)),
        (Some(moved), None) | (None, Some(moved)) => moved,
        (None, None) => {
            // Coupons may pay all of it. And of a reversal that is not written as a refund nobody says whether money moved.
            let nothing_moves = row.settled == Fen::ZERO || (row.kind == RowKind::Revoked && row.refund_id.is_empty());
            return if nothing_moves { Principal::Fits } else { Principal::Missing };
        }
    };
    if accepted(row).contains(&moved) { Principal::Fits } else { Principal::Differs(moved) }
}

/// What a row's money may be: coupons make it less.
fn accepted(row: &BillRow) -> [Fen; 2] {
    [row.settled, row.amount]
}

/// Takes the row's own movement out of those that are left. How much it moved.
fn principal(row: &BillRow, left: &mut Vec<&Movement>, judgement: &mut Judgement) -> Option<Fen> {
    let kind = match row.kind {
        RowKind::Payment => Kind::Payment,
        RowKind::Refund => Kind::Refund,
        RowKind::Revoked => Kind::Reversal,
    };
    let is_meant =
        |movement: &Movement| Kind::of(&movement.kind) == kind && (kind.comes_in() == movement.amount.is_positive());
    let size = |movement: &Movement| distance(movement.amount, Fen::ZERO);
    let fits = |movement: &Movement| is_meant(movement) && accepted(row).contains(&size(movement));
    let place =
        left.iter().position(|movement| fits(movement)).or_else(|| left.iter().position(|one| is_meant(one)))?;
    let movement = left.remove(place);
    judgement.moved.push(of_trade(movement));
    Some(size(movement))
}

/// Takes fees, and what a closed refund brings back, out of those that are left. The sum of the fees that left, in fen.
fn fees(rows: &[&BillRow], left: &mut Vec<&Movement>, judgement: &mut Judgement) -> i128 {
    let has_refund = rows.iter().any(|row| row.kind == RowKind::Refund);
    let is_closed = has_refund && closes(left.iter().copied());
    let mut moved = 0;
    if !rows.is_empty() {
        left.retain(|movement| {
            let kind = Kind::of(&movement.kind);
            let is_of_trade = kind.is_fee() || (is_closed && kind == Kind::RefundClosed);
            if is_of_trade {
                judgement.moved.push(of_trade(movement));
            }
            moved += fee_of(movement, is_closed);
            !is_of_trade
        });
    }
    moved
}

/// Whether a refund that the provider did not do comes back.
pub(super) fn closes<'m>(movements: impl IntoIterator<Item = &'m Movement>) -> bool {
    movements.into_iter().any(|movement| Kind::of(&movement.kind) == Kind::RefundClosed)
}

/// What another day must know of what moved here: `principal` when money did, and fees in fen.
pub(super) fn of_another_day(
    number: &str,
    book_date: Date,
    principal: Option<Fen>,
    fee: i128,
) -> Option<BoundaryMatch> {
    if principal.is_none() && fee == 0 {
        return None;
    }
    // What is beyond all money is told as the most that there is.
    let fee = i64::try_from(fee).unwrap_or(if fee < 0 { i64::MIN } else { i64::MAX });
    let (number, amount) = (number.to_owned(), Some(principal.unwrap_or(Fen::ZERO)));
    Some(BoundaryMatch { leg: Leg::Fund, number, book_date, amount, fee: Fen::new(fee) })
}

/// What a movement adds to the fees that left, in fen. A refund that is closed takes its fee again, which its row in the bill does
/// not know yet.
pub(super) fn fee_of(movement: &Movement, is_closed: bool) -> i128 {
    let kind = Kind::of(&movement.kind);
    let counts = kind.is_fee() && !(is_closed && kind == Kind::FeeTaken);
    if counts { -i128::from(movement.amount.get()) } else { 0 }
}

fn of_trade(movement: &Movement) -> Moved {
    Moved { account: AccountKind::Basic, kind: movement.kind.clone(), of_trade: true, amount: movement.amount }
}
