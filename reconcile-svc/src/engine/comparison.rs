use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use money::{Fen, MilliFen};

use super::judgement::{Billed, Slot, bill_only};
use super::outcome::{BoundaryMatch, Outcome, Tally};
use super::{BookPayment, BooksDigest, Issued, Key, MAX_DIFFERENCES};

/// One row of a trade bill.
#[derive(Clone, Copy, Debug)]
pub struct BillRow<'a> {
    /// What it says happened.
    pub kind: RowKind,
    /// Our number of the attempt.
    pub out_trade_no: &'a str,
    /// The provider's number of the payment.
    pub transaction_id: &'a str,
    /// The app it was made under.
    pub app_id: &'a str,
    /// Order amount of a payment, requested amount of a refund, what a reversal takes back.
    pub amount: Fen,
    /// The provider's fee; negative when it is given back.
    pub fee: MilliFen,
}

/// What a row of a trade bill says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Somebody paid.
    Payment,
    /// Money goes back.
    Refund,
    /// A payment was taken back as if it had never been.
    Revoked,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Sums beyond 64 bits: no such bill is honest.
    #[error("the sum of all rows is larger than any amount of money")]
    Overflow,
    /// One payment twice on one side.
    #[error("a payment stands in one side twice")]
    Duplicate,
    /// More than [`MAX_DIFFERENCES`].
    #[error("more than {MAX_DIFFERENCES} differences: the books of that day are missing, not different")]
    TooManyDifferences,
}

/// A comparison under way: first the books of the day, then the bill row by row, last what else the books know about
/// numbers that only the bill had.
#[derive(Debug)]
pub struct Comparison {
    day: Date,
    books: HashMap<Key, Slot>,
    bill_only: Vec<BillOnly>,
    bill: Tally,
    refunds: Tally,
    revoked: Tally,
    fee: MilliFen,
}

#[derive(Debug)]
struct BillOnly {
    key: Key,
    /// `None` for a row that says revoked.
    billed: Option<Billed>,
}

impl Comparison {
    /// Starts with the payments that our books have on `day`.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when one payment is given twice.
    pub fn new(day: Date, books: impl IntoIterator<Item = BookPayment>) -> Result<Self, EngineError> {
        let mut comparison = Self {
            day,
            books: HashMap::new(),
            bill_only: Vec::new(),
            bill: Tally::default(),
            refunds: Tally::default(),
            revoked: Tally::default(),
            fee: MilliFen::ZERO,
        };
        books.into_iter().try_for_each(|book| comparison.add_book(book))?;
        Ok(comparison)
    }

    /// Takes one row of the bill.
    ///
    /// # Errors
    /// All of [`EngineError`]; the comparison is worth nothing after one.
    pub fn bill_row(&mut self, row: &BillRow<'_>) -> Result<(), EngineError> {
        self.fee = self.fee.checked_add(row.fee).ok_or(EngineError::Overflow)?;
        let billed = match row.kind {
            RowKind::Refund => return self.refunds.add(row.amount),
            RowKind::Payment => {
                self.bill.add(row.amount)?;
                Some(Billed { amount: row.amount, app_id: row.app_id.to_owned() })
            }
            RowKind::Revoked => {
                self.revoked.add(row.amount)?;
                None
            }
        };
        let key = Key { out_trade_no: row.out_trade_no.to_owned(), transaction_id: row.transaction_id.to_owned() };
        match self.books.get_mut(&key) {
            Some(slot) => slot.take(billed),
            None if self.bill_only.len() < MAX_DIFFERENCES => {
                self.bill_only.push(BillOnly { key, billed });
                Ok(())
            }
            None => Err(EngineError::TooManyDifferences),
        }
    }

    /// Numbers that the bill has and that day's books have not, each once, in order. [`Comparison::finish`] wants
    /// everything that the books know about them.
    pub fn numbers_to_look_up(&self) -> Vec<String> {
        let mut numbers: Vec<String> = self.bill_only.iter().map(|row| row.key.out_trade_no.clone()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Classifies what is left and closes the books.
    ///
    /// `other_days` are payments with one of the [`Comparison::numbers_to_look_up`] that our books have on another day;
    /// `issued` are those numbers that we gave out, paid or not.
    ///
    /// # Errors
    /// All of [`EngineError`].
    ///
    /// # Panics
    /// When money is not conserved: only a mistake in this module does that, and no number of it may be shown then.
    pub fn finish(
        mut self,
        other_days: impl IntoIterator<Item = BookPayment>,
        issued: impl IntoIterator<Item = Issued>,
    ) -> Result<Outcome, EngineError> {
        other_days.into_iter().try_for_each(|book| self.add_book(book))?;
        let issued: BTreeMap<String, Issued> =
            issued.into_iter().map(|issued| (issued.out_trade_no.clone(), issued)).collect();
        let books_digest = BooksDigest::of(self.books.values().map(|slot| &slot.book), issued.values());

        let mut differences = Vec::new();
        let (mut seen, mut taken_back) = (HashSet::new(), HashSet::new());
        let (rows, reversals): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.bill_only).into_iter().partition(|row| row.billed.is_some());
        for BillOnly { key, .. } in reversals {
            if let Some(slot) = self.books.get_mut(&key) {
                slot.take(None)?;
            } else if !taken_back.insert(key) {
                return Err(EngineError::Duplicate);
            }
        }
        for BillOnly { key, billed } in rows {
            if let Some(slot) = self.books.get_mut(&key) {
                slot.take(billed)?;
            } else if let Some(billed) = billed {
                // The same row twice must not count as two payments.
                if !seen.insert(key.clone()) {
                    return Err(EngineError::Duplicate);
                }
                // What the same bill takes back is no payment: nothing is open, and nothing is missing.
                if taken_back.contains(&key) {
                    self.bill.take_out(billed.amount)?;
                    continue;
                }
                let asked = issued.get(&key.out_trade_no).map(|issued| issued.amount);
                differences.push(bill_only(key, billed, asked));
            }
        }
        let (mut books, mut matched, mut boundary) = (Tally::default(), Tally::default(), Vec::new());
        for slot in self.books.into_values() {
            // Without a row in this bill, a payment of another day, or one that another day's bill has, is not ours to judge.
            let elsewhere = slot.book.paid_date != self.day || slot.book.billed_on.is_some();
            if slot.billed.is_none() && !slot.revoked && elsewhere {
                continue;
            }
            if slot.book.paid_date != self.day {
                boundary.push(BoundaryMatch { key: slot.book.key.clone(), book_date: slot.book.paid_date });
            }
            // What the bill takes back and no order took is no payment on either side.
            if slot.is_taken_back() {
                if let Some(billed) = &slot.billed {
                    self.bill.take_out(billed.amount)?;
                }
                continue;
            }
            books.add(slot.book.amount())?;
            match slot.judge() {
                Ok(amount) => matched.add(amount)?,
                Err(difference) => differences.push(*difference),
            }
            if MAX_DIFFERENCES < differences.len() {
                return Err(EngineError::TooManyDifferences);
            }
        }
        differences.sort_unstable_by(|a, b| (a.code, &a.key).cmp(&(b.code, &b.key)));
        boundary.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let (bill, refunds, revoked, fee) = (self.bill, self.refunds, self.revoked, self.fee);
        let outcome = Outcome { bill, refunds, revoked, fee, books, matched, differences, boundary, books_digest };
        assert!(outcome.is_conserved(), "every fen is matched or in a named difference");
        Ok(outcome)
    }

    fn add_book(&mut self, book: BookPayment) -> Result<(), EngineError> {
        let slot = Slot::new(book);
        match self.books.insert(slot.book.key.clone(), slot) {
            None => Ok(()),
            Some(_) => Err(EngineError::Duplicate),
        }
    }
}
