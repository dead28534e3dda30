//! Groups and what the books know about them become the outcome.

use std::collections::{HashMap, HashSet};

use crate::books::{BookPayment, BookRefund};
use crate::group::{RefundGroup, likeness};
use crate::judge::{Known, balance, stray};
use crate::reading::{Reading, known_payment, known_refund};
use crate::trade::BillRow;
use crate::{AccountDay, AccountKind, Answers, Issued, Outcome, Refused, Tally};

impl Reading<'_> {
    /// Judges every group with what the books answered.
    ///
    /// # Errors
    /// [`Refused::TooManyDifferences`], [`Refused::Books`] for answers that contradict each other, and [`Refused::Control`] for
    /// sums beyond all money.
    ///
    /// # Panics
    /// When money is not conserved: only a mistake in this crate does that, and no number of it may be shown then.
    pub fn conclude(mut self, answers: &Answers) -> Result<Outcome, Refused> {
        let known = Lookup::of(answers)?;
        let own_refund_numbers: HashSet<String> =
            self.refunds.iter().filter_map(RefundGroup::number_without_its_row).map(str::to_owned).collect();
        let rows_of_numbers = rows_of_numbers(&self.refunds, &known.refunds);
        for mut group in std::mem::take(&mut self.payments) {
            let row = group.billed.as_ref().or(group.revoked.as_ref()).filter(|_| group.book.is_none());
            let mut issued = None;
            if let Some(row) = row {
                let key = (row.transaction_id.as_str(), row.out_trade_no.as_str());
                issued = known.issued.get(row.out_trade_no.as_str()).copied();
                group.book = known.payments.get(&key).copied().cloned();
            }
            self.findings.payment(self.judge.payment(&group, issued))?;
        }
        for mut group in std::mem::take(&mut self.refunds) {
            let mut is_our_number = false;
            if let (Some(row), None) = (&group.billed, &group.book) {
                let ours = known.refunds.get(row.out_refund_no.as_str()).copied();
                is_our_number = ours.is_some() || own_refund_numbers.contains(&row.out_refund_no);
                let number_of = |book: &BookRefund| {
                    book.refund_id.as_ref().or_else(|| rows_of_numbers.get(&row.out_refund_no)) == Some(&row.refund_id)
                };
                group.book = ours.filter(|book| number_of(book)).cloned();
            }
            self.findings.refund(self.judge.refund(&group, is_our_number))?;
        }
        for (number, movements) in &self.strays {
            let known = self.not_billed.get(number).or_else(|| known.numbers.get(number)).copied();
            self.findings.add(stray(movements, known))?;
        }
        self.finish()
    }

    fn finish(mut self) -> Result<Outcome, Refused> {
        let mut accounts = Vec::new();
        for (flow, closed_before) in self.accounts.iter().zip(self.closings) {
            let expects_file = self.has_trades && flow.account == AccountKind::Basic;
            let (opening, closing) = balance::of(flow, closed_before);
            let trades = expects_file.then_some(self.findings.payments.bill.sum);
            self.findings.differences.extend(balance::broken(flow, self.judge.day, closed_before, trades));
            let (account, state, movements) = (flow.account, flow.state, self.findings.movements_of(flow.account));
            accounts.push(AccountDay { account, state, opening, closing, movements });
        }
        let mut differences = self.findings.differences;
        differences.sort_unstable_by(|a, b| (a.code, &a.key, &a.explanation).cmp(&(b.code, &b.key, &b.explanation)));
        // One thing differs once in one way.
        differences.dedup_by(|later, first| {
            let is_same = (later.code, &later.key) == (first.code, &first.key);
            if is_same {
                first.risk = first.risk.max(later.risk);
            }
            is_same
        });
        let mut boundary = self.findings.boundary;
        boundary.sort_unstable();
        boundary.dedup_by(|later, first| {
            let is_same = (later.leg, &later.number) == (first.leg, &first.number);
            if is_same {
                first.amount = first.amount.max(later.amount);
            }
            is_same
        });
        // Whoever adds up the risks of a code never meets a sum beyond all money.
        differences.iter().try_fold(Tally::default(), |mut sum, difference| sum.add(difference.risk).map(|()| sum))?;
        let (payments, refunds) = (self.findings.payments, self.findings.refunds);
        let outcome = Outcome {
            bill: payments.bill,
            bill_refunds: refunds.bill,
            revoked: self.revoked,
            fee: self.fee,
            books: payments.books,
            book_refunds: refunds.books,
            matched: payments.matched,
            matched_refunds: refunds.matched,
            accounts,
            differences,
            boundary,
        };
        assert!(outcome.is_conserved(), "every fen is matched or in a named difference");
        Ok(outcome)
    }
}

/// Which row is that of a refund whose number of the provider our books do not know, by our number: there is one refund, and of two
/// rows under its number the one with its amount is likelier.
fn rows_of_numbers(groups: &[RefundGroup], known: &HashMap<&str, &BookRefund>) -> HashMap<String, String> {
    let mut rows: HashMap<String, &BillRow> = HashMap::new();
    for row in groups.iter().filter(|group| group.book.is_none()).filter_map(|group| group.billed.as_ref()) {
        let Some(book) = known.get(row.out_refund_no.as_str()).filter(|book| book.refund_id.is_none()) else {
            continue;
        };
        let kept = rows.entry(row.out_refund_no.clone()).or_insert(row);
        if likeness(row, book.amount) < likeness(kept, book.amount) {
            *kept = row;
        }
    }
    rows.into_iter().map(|(number, row)| (number, row.refund_id.clone())).collect()
}

/// Two things under one number of the provider cannot both be right; which one is taken must not depend on their order.
fn keep_largest(numbers: &mut HashMap<String, Known>, number: String, known: Known) {
    numbers.entry(number).and_modify(|kept| *kept = (*kept).max(known)).or_insert(known);
}

/// Answers by what they are looked up by.
struct Lookup<'l> {
    payments: HashMap<(&'l str, &'l str), &'l BookPayment>,
    issued: HashMap<&'l str, &'l Issued>,
    refunds: HashMap<&'l str, &'l BookRefund>,
    /// What moves money under one of the provider's numbers.
    numbers: HashMap<String, Known>,
}

impl<'l> Lookup<'l> {
    fn of(answers: &'l Answers) -> Result<Self, Refused> {
        let mut lookup = Lookup {
            payments: HashMap::new(),
            issued: HashMap::new(),
            refunds: HashMap::new(),
            numbers: HashMap::new(),
        };
        let contradiction = |what| Err(Refused::Books(format!("answers: two different {what} under one number")));
        for payment in &answers.payments {
            let key = (payment.transaction_id.as_str(), payment.out_trade_no.as_str());
            if lookup.payments.insert(key, payment).is_some_and(|other| other != payment) {
                return contradiction("payments");
            }
            keep_largest(&mut lookup.numbers, payment.transaction_id.clone(), known_payment(payment));
        }
        for issued in &answers.issued {
            if lookup.issued.insert(&issued.out_trade_no, issued).is_some_and(|other| other != issued) {
                return contradiction("payments");
            }
        }
        for refund in &answers.refunds {
            if lookup.refunds.insert(&refund.out_refund_no, refund).is_some_and(|other| other != refund) {
                return contradiction("refunds");
            }
            if let Some((number, known)) = known_refund(refund) {
                keep_largest(&mut lookup.numbers, number, known);
            }
        }
        Ok(lookup)
    }
}
