//! Codes R1 to R4.

use jiff::civil::Date;
use money::Fen;

use super::{Judge, Judgement, difference, distance, words};
use crate::books::{BookRefund, RefundState};
use crate::group::RefundGroup;
use crate::trade::BillRow;
use crate::{BoundaryMatch, Code, Difference, Key, Leg, Repair};

impl Judge {
    /// Judges one refund. `is_our_number` says whether our books have a refund under the bill's number of ours, but under
    /// another one of the provider.
    pub(crate) fn refund(&self, group: &RefundGroup, is_our_number: bool) -> Judgement {
        if let (Some(row), Some(book)) = (&group.billed, &group.book)
            && let Some(on) = self.elsewhere(book.billed_on)
        {
            let differs = difference(Code::R3, row.key(), row.amount, words::refund_billed_again(row.amount, on));
            let mut judgement = found(Some(row), None, differs);
            self.row_that_is_billed_again(row, on, &group.movements, &mut judgement);
            return judgement;
        }
        let mut judgement = match (&group.billed, &group.book) {
            (Some(row), Some(book)) => self.refund_of_both_sides(row, book),
            (Some(row), None) => {
                let repair = if is_our_number { Repair::QueryRefund } else { Repair::ImportRefund };
                let unknown = difference(Code::R1, row.key(), row.amount, words::refund_bill_only(row.amount));
                found(Some(row), None, Difference { repair: Some(repair), ..unknown })
            }
            (None, Some(book)) => self.refund_of_books(book),
            (None, None) => Judgement::default(),
        };
        self.rows_of_refund(group, &mut judgement);
        judgement
    }

    fn refund_of_both_sides(&self, row: &BillRow, book: &BookRefund) -> Judgement {
        let known = [Some(book.amount), book.fact];
        let farthest = known.into_iter().flatten().map(|ours| distance(ours, row.amount)).max().unwrap_or(Fen::ZERO);
        let mut judgement = if farthest != Fen::ZERO {
            let explanation = words::refund_amounts(book, row.amount);
            found(Some(row), Some(book), difference(Code::R3, row.key(), farthest, explanation))
        } else if book.state == RefundState::Rejected {
            let explanation = words::refund_rejected(row.amount);
            found(Some(row), Some(book), difference(Code::R1, row.key(), row.amount, explanation))
        } else {
            let mut matched = Judgement {
                billed: Some(row.amount),
                booked: Some(book.amount),
                matched: Some(row.amount),
                ..Judgement::default()
            };
            matched.differences.extend(self.stuck(row, book));
            matched
        };
        if let Some(book_date) = book.accept_date.filter(|date| *date != self.day) {
            let (number, amount) = (row.refund_id.clone(), Some(row.amount));
            judgement.boundary.push(BoundaryMatch { leg: Leg::Trade, number, book_date, amount, fee: Fen::ZERO });
        }
        judgement
    }

    /// A refund that agrees and does not get on.
    fn stuck(&self, row: &BillRow, book: &BookRefund) -> Option<Difference> {
        let due = self.rules.refund_due(book.accept_date.unwrap_or(self.day));
        let due: Option<Date> = match book.state {
            RefundState::Succeeded | RefundState::Rejected => return None,
            RefundState::Abnormal | RefundState::Closed => None,
            RefundState::Created | RefundState::Processing => self.held_until(due),
        };
        let stuck = difference(Code::R4, row.key(), row.amount, words::stuck(book.state, row.amount, due));
        let (bill_amount, book_amount) = (Some(row.amount), Some(book.amount));
        Some(Difference { app_id: row.app_id.clone(), bill_amount, book_amount, due, ..stuck })
    }

    fn refund_of_books(&self, book: &BookRefund) -> Judgement {
        // What the provider refused is in no bill, and rightly so.
        if self.elsewhere(book.billed_on).is_some() || book.state == RefundState::Rejected {
            return Judgement::default();
        }
        let due = self.held_until(self.rules.book_only_due(self.day));
        let missing = difference(Code::R2, key_of(book), book.amount, words::refund_book_only(book.amount, due));
        found(None, Some(book), Difference { due, ..missing })
    }
}

fn key_of(book: &BookRefund) -> Key {
    Key {
        out_trade_no: book.out_trade_no.clone(),
        transaction_id: book.transaction_id.clone(),
        out_refund_no: book.out_refund_no.clone(),
        refund_id: book.refund_id.clone().unwrap_or_default(),
        ..Key::default()
    }
}

fn found(row: Option<&BillRow>, book: Option<&BookRefund>, difference: Difference) -> Judgement {
    let (billed, booked) = (row.map(|row| row.amount), book.map(|book| book.amount));
    let app_id = row.map(|row| row.app_id.clone()).unwrap_or_default();
    let difference = Difference { app_id, bill_amount: billed, book_amount: booked, ..difference };
    Judgement { billed, booked, differences: vec![difference], ..Judgement::default() }
}
