//! Codes F1 and F2: the trade rows under one number, and the money that moved under it.

use jiff::civil::Date;
use money::Fen;

use super::fee::{self, FeeProblem};
use super::{Judge, Judgement, Moved, MovementsJudged, difference, distance, stray, words};
use crate::funds::Movement;
use crate::group::{PaymentGroup, RefundGroup};
use crate::movement_kind::Kind;
use crate::rate;
use crate::trade::{BillRow, RowKind};
use crate::{AccountKind, Code, Difference};

/// How a trade row's money moved.
enum Principal {
    /// As it should, or nothing had to move.
    Fits,
    /// Another amount.
    Differs(Fen),
    /// Not at all in this file.
    Missing,
}

impl Judge {
    pub(super) fn rows_of_payment(&self, group: &PaymentGroup, judgement: &mut Judgement) {
        let moved_on = group.book.as_ref().and_then(|book| book.moved_on);
        let has_own_number = |row: &&BillRow| !row.refund_id.is_empty();
        let (apart, beside): (Vec<_>, Vec<_>) = group.revoked.iter().partition(has_own_number);
        let under_payment: Vec<_> = group.billed.iter().chain(beside).collect();
        self.rows(&under_payment, moved_on, &group.movements, judgement);
        self.rows(&apart, moved_on, &group.reversal_movements, judgement);
    }

    pub(super) fn rows_of_refund(&self, group: &RefundGroup, judgement: &mut Judgement) {
        let moved_on = group.book.as_ref().and_then(|book| book.moved_on);
        let rows: Vec<_> = group.billed.iter().collect();
        self.rows(&rows, moved_on, &group.movements, judgement);
    }

    /// Judges rows whose money moves under one number, and every movement under it.
    fn rows(&self, rows: &[&BillRow], moved_on: Option<Date>, movements: &[Movement], judgement: &mut Judgement) {
        let mut left: Vec<&Movement> = movements.iter().collect();
        left.sort_unstable_by(|a, b| a.flow_number.cmp(&b.flow_number));
        let mut complete = true;
        if self.movements != MovementsJudged::None {
            for row in rows {
                match principal(row, &mut left, judgement) {
                    Principal::Fits => {}
                    Principal::Differs(moved) => judgement.differences.push(moved_otherwise(row, moved)),
                    Principal::Missing => {
                        complete = false;
                        if !self.is_elsewhere(moved_on) {
                            judgement.differences.push(self.not_moved(row));
                        }
                    }
                }
            }
        }
        let moved_fee = fees(rows, &mut left, judgement);
        // The fee of money that moves on another day moves with it.
        let is_judged = self.movements == MovementsJudged::All && complete;
        let mut moved_fee = is_judged.then(|| self.moved_fee_problem(rows, moved_fee)).flatten();
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

fn moved_otherwise(row: &BillRow, moved: Fen) -> Difference {
    let risk = distance(row.settled, moved);
    let otherwise = difference(Code::F2, row.key(), risk, words::moved_otherwise(row, moved));
    Difference { app_id: row.app_id.clone(), bill_amount: Some(row.amount), ..otherwise }
}

/// Takes the row's own movement out of those that are left.
fn principal(row: &BillRow, left: &mut Vec<&Movement>, judgement: &mut Judgement) -> Principal {
    let kind = match row.kind {
        RowKind::Payment => Kind::Payment,
        RowKind::Refund => Kind::Refund,
        RowKind::Revoked => Kind::Reversal,
    };
    let is_meant =
        |movement: &Movement| Kind::of(&movement.kind) == kind && (kind.comes_in() == movement.amount.is_positive());
    let size = |movement: &Movement| distance(movement.amount, Fen::ZERO);
    let accepted = [row.settled, row.amount];
    let fits = |movement: &Movement| is_meant(movement) && accepted.contains(&size(movement));
    let place = left.iter().position(|movement| fits(movement)).or_else(|| left.iter().position(|one| is_meant(one)));
    let Some(place) = place else {
        // Coupons may pay all of it. And of a reversal that is not written as a refund nobody says whether money moved.
        let nothing_moves = row.settled == Fen::ZERO || (row.kind == RowKind::Revoked && row.refund_id.is_empty());
        return if nothing_moves { Principal::Fits } else { Principal::Missing };
    };
    let movement = left.remove(place);
    judgement.moved.push(of_trade(movement));
    let moved = size(movement);
    if accepted.contains(&moved) { Principal::Fits } else { Principal::Differs(moved) }
}

/// Takes fees, and what a closed refund brings back, out of those that are left. The sum of the fees that left, in fen.
fn fees(rows: &[&BillRow], left: &mut Vec<&Movement>, judgement: &mut Judgement) -> i128 {
    let has_refund = rows.iter().any(|row| row.kind == RowKind::Refund);
    let is_closed = has_refund && left.iter().any(|movement| Kind::of(&movement.kind) == Kind::RefundClosed);
    let mut moved = 0;
    if !rows.is_empty() {
        left.retain(|movement| {
            let kind = Kind::of(&movement.kind);
            let is_of_trade = kind.is_fee() || (is_closed && kind == Kind::RefundClosed);
            if is_of_trade {
                judgement.moved.push(of_trade(movement));
            }
            // A refund that is closed takes its fee again, which its row in the bill does not know yet.
            if kind.is_fee() && !(is_closed && kind == Kind::FeeTaken) {
                moved -= i128::from(movement.amount.get());
            }
            !is_of_trade
        });
    }
    moved
}

fn of_trade(movement: &Movement) -> Moved {
    Moved { account: AccountKind::Basic, kind: movement.kind.clone(), of_trade: true, amount: movement.amount }
}
