//! Codes P1 to P10.

use jiff::ToSpan as _;
use jiff::civil::Date;
use money::Fen;

use super::{Judge, Judgement, difference, distance, words};
use crate::books::{BookPayment, OrderState, TakenAs};
use crate::group::PaymentGroup;
use crate::trade::BillRow;
use crate::{BoundaryMatch, Code, Difference, Issued, Key, Leg};

impl Judge {
    /// Judges one payment. `issued` is what the books know about the number when they have no payment under it.
    pub(crate) fn payment(&self, group: &PaymentGroup, issued: Option<&Issued>) -> Judgement {
        if let Some((row, on)) = self.billed_again(group) {
            let differs = difference(Code::P6, row.key(), row.amount, words::billed_again(row.amount, on));
            let mut judgement = found(Some(row), None, differs);
            self.row_that_is_billed_again(row, on, &group.movements, &mut judgement);
            return judgement;
        }
        let mut judgement = self.payment_of_both_sides(group, issued);
        if let Some(book) = &group.book
            && group.is_in_bill()
            && book.paid_date != self.day
        {
            let (number, book_date) = (book.transaction_id.clone(), book.paid_date);
            let amount = group.billed.as_ref().map(|row| row.amount);
            judgement.boundary.push(BoundaryMatch { leg: Leg::Trade, number, book_date, amount, fee: Fen::ZERO });
        }
        self.rows_of_payment(group, &mut judgement);
        judgement
    }

    /// The row of a payment that another day's bill has as well, and which. That day's run has matched it, and so has its books.
    fn billed_again<'g>(&self, group: &'g PaymentGroup) -> Option<(&'g BillRow, Date)> {
        let (Some(row), None, Some(book)) = (&group.billed, &group.revoked, &group.book) else { return None };
        // Where the other day has only the reversal, the payment is here.
        book.billed?;
        Some((row, self.elsewhere(book.billed_on)?))
    }

    fn payment_of_both_sides(&self, group: &PaymentGroup, issued: Option<&Issued>) -> Judgement {
        let taken = group.book.as_ref().is_some_and(|book| book.taken.is_some());
        match (&group.billed, &group.book) {
            (billed, Some(book)) if group.revoked.is_some() && taken => {
                let explanation = words::revoked(book.amount(), billed.is_some());
                found(billed.as_ref(), Some(book), payment(Code::P8, group, book.amount(), explanation))
            }
            // What the bill takes back and no order took is no payment on either side.
            _ if group.revoked.is_some() => Judgement::default(),
            (Some(row), Some(book)) => match self.of_bill_and_books(row, book) {
                None => Judgement {
                    billed: Some(row.amount),
                    booked: Some(book.amount()),
                    matched: Some(row.amount),
                    ..Judgement::default()
                },
                Some(difference) => found(Some(row), Some(book), difference),
            },
            (Some(row), None) => found(Some(row), None, bill_only(row, issued)),
            (None, Some(book)) => match self.book_only(book) {
                None => Judgement::default(),
                Some(difference) => found(None, Some(book), difference),
            },
            (None, None) => Judgement::default(),
        }
    }

    /// `None` when both sides agree.
    fn of_bill_and_books(&self, row: &BillRow, book: &BookPayment) -> Option<Difference> {
        let differs = |code, risk, explanation| Some(difference(code, row.key(), risk, explanation));
        if !book.is_ours() {
            return differs(Code::P3, row.amount, words::never_issued(row.amount));
        }
        let known = [book.issued, book.taken.map(|taken| taken.amount), book.fact.map(|fact| fact.amount)];
        let farthest = known.into_iter().flatten().map(|ours| distance(ours, row.amount)).max().unwrap_or(Fen::ZERO);
        if farthest != Fen::ZERO {
            return differs(Code::P6, farthest, words::amounts(book, row.amount));
        }
        let Some(taken) = book.taken else {
            let code = code_of_open(book.order);
            return differs(code, row.amount, words::not_taken(code, row.amount));
        };
        if taken.taken_as == TakenAs::Surplus && book.given_back < row.amount {
            let code = match book.order {
                OrderState::Paid | OrderState::PaidByOther => Code::P4,
                OrderState::Open | OrderState::Closed | OrderState::Unknown => Code::P2,
            };
            let risk = distance(row.amount, book.given_back);
            // The merchant's policy held it, so nothing happens by itself: a person decides.
            return Some(Difference {
                repair: None,
                ..difference(code, row.key(), risk, words::surplus(code, row.amount, book.given_back))
            });
        }
        if let Some(by) =
            self.settlement_is_off_by(row.amount, row.settled, row.coupon, book.fact.map(|fact| fact.payer))
        {
            return differs(Code::P7, by, words::settlement(row, book.fact.map(|fact| fact.payer)));
        }
        if book.fact.is_none() {
            return differs(Code::P9, Fen::ZERO, words::fact_missing(row.amount));
        }
        None
    }

    /// How far the bill's amounts are from each other or from what the payer paid, when that is too far.
    pub(super) fn settlement_is_off_by(
        &self,
        total: Fen,
        settled: Fen,
        coupon: Fen,
        payer: Option<Fen>,
    ) -> Option<Fen> {
        let [total, settled, coupon] = [total, settled, coupon].map(|amount| i128::from(amount.get()));
        let of_payer = payer.map_or(0, |payer| (i128::from(payer.get()) + coupon - total).abs());
        let of_payer = if i128::from(self.rules.settlement_tolerance.get()) < of_payer { of_payer } else { 0 };
        let off = of_payer.max(settled - total).max(total - coupon - settled);
        (0 < off).then(|| Fen::new(i64::try_from(off).unwrap_or(i64::MAX)))
    }

    /// `None` when it is not this day's to judge.
    fn book_only(&self, book: &BookPayment) -> Option<Difference> {
        if self.elsewhere(book.billed_on).is_some() {
            return None;
        }
        let key = key_of(book);
        match (book.taken, book.fact) {
            (Some(_), _) => {
                let due = self.held_until(self.rules.book_only_due(self.day));
                let explanation = words::book_only(book, due);
                Some(Difference { due, ..difference(Code::P5, key, book.amount(), explanation) })
            }
            (None, Some(fact)) => {
                // An order may just be about to take it, so the next run decides, on whatever day this one is made.
                let due = if fact.ripe { None } else { Some(self.as_of.saturating_add(1.day())) };
                let explanation = words::orphan(fact.amount, due);
                Some(Difference { due, ..difference(Code::P10, key, book.amount(), explanation) })
            }
            (None, None) => None,
        }
    }
}

/// A payment that only the bill has.
fn bill_only(row: &BillRow, issued: Option<&Issued>) -> Difference {
    let (code, explanation) = match issued {
        None => (Code::P3, words::never_issued(row.amount)),
        Some(issued) => {
            let code = code_of_open(issued.order);
            (code, words::bill_only(code, row.amount, issued.amount))
        }
    };
    difference(code, row.key(), row.amount, explanation)
}

/// What money that no order took is.
fn code_of_open(order: OrderState) -> Code {
    match order {
        OrderState::Closed => Code::P2,
        OrderState::PaidByOther => Code::P4,
        OrderState::Open | OrderState::Paid | OrderState::Unknown => Code::P1,
    }
}

fn key_of(book: &BookPayment) -> Key {
    Key { out_trade_no: book.out_trade_no.clone(), transaction_id: book.transaction_id.clone(), ..Key::default() }
}

fn payment(code: Code, group: &PaymentGroup, risk: Fen, explanation: String) -> Difference {
    let row = group.billed.as_ref().or(group.revoked.as_ref());
    let app_id = row.map(|row| row.app_id.clone()).unwrap_or_default();
    let key = group.book.as_ref().map(key_of).unwrap_or_default();
    Difference { app_id, ..difference(code, key, risk, explanation) }
}

/// A judgement of one difference, in which both sides have what they have.
fn found(row: Option<&BillRow>, book: Option<&BookPayment>, difference: Difference) -> Judgement {
    let (billed, booked) = (row.map(|row| row.amount), book.map(BookPayment::amount));
    let app_id = row.map_or(difference.app_id, |row| row.app_id.clone());
    let difference = Difference { app_id, bill_amount: billed, book_amount: booked, ..difference };
    Judgement { billed, booked, differences: vec![difference], ..Judgement::default() }
}
