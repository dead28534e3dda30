use jiff::civil::Date;
use money::{Fen, MilliFen};

use super::{BooksDigest, Code, EngineError, Key};

/// How many, and how much together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub count: i64,
    /// Their sum.
    pub sum: Fen,
}

impl Tally {
    /// One row more.
    ///
    /// # Errors
    /// [`EngineError::Overflow`] when the sum does not fit.
    pub fn add(&mut self, amount: Fen) -> Result<(), EngineError> {
        self.sum = self.sum.checked_add(amount).ok_or(EngineError::Overflow)?;
        self.count = self.count.checked_add(1).ok_or(EngineError::Overflow)?;
        Ok(())
    }

    /// One row less.
    ///
    /// # Errors
    /// [`EngineError::Overflow`] when the difference does not fit.
    pub fn take_out(&mut self, amount: Fen) -> Result<(), EngineError> {
        self.sum = self.sum.checked_sub(amount).ok_or(EngineError::Overflow)?;
        self.count = self.count.checked_sub(1).ok_or(EngineError::Overflow)?;
        Ok(())
    }
}

/// One difference between bill and books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub code: Code,
    /// Which payment.
    pub key: Key,
    /// The app of the bill's row; empty when the bill does not have it. A query needs it.
    pub app_id: String,
    /// In the bill; `None` when it is not there.
    pub bill_amount: Option<Fen>,
    /// In our books; `None` when it is not there.
    pub book_amount: Option<Fen>,
    /// One sentence for finance.
    pub explanation: String,
}

impl Difference {
    /// What may be lost: the larger of the two sides.
    pub fn at_risk(&self) -> Fen {
        self.bill_amount.max(self.book_amount).unwrap_or(Fen::ZERO)
    }
}

/// A payment in this day's bill that our books had on another day: a payment about midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundaryMatch {
    /// Which payment.
    pub key: Key,
    /// Its day in our books.
    pub book_date: Date,
}

/// The result of one comparison. The same inputs give the same value, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Payment rows of the bill, without those that it takes back and no order of ours took: nobody paid there.
    pub bill: Tally,
    /// Refund rows of the bill; counted, not compared.
    pub refunds: Tally,
    /// Reversal rows of the bill; counted. One of a payment that an order of ours took is a difference, too.
    pub revoked: Tally,
    /// The provider's fees over all rows.
    pub fee: MilliFen,
    /// Payments of that day in our books. One about midnight counts on the day whose bill has it.
    pub books: Tally,
    /// Payments that agree.
    pub matched: Tally,
    /// What does not, ordered by code and number.
    pub differences: Vec<Difference>,
    /// Payments about midnight that this bill has and another day's books had, ordered by number.
    pub boundary: Vec<BoundaryMatch>,
    /// Pins the books' side.
    pub books_digest: BooksDigest,
}

impl Outcome {
    /// Differences of one code, and what they may lose together.
    ///
    /// # Errors
    /// [`EngineError::Overflow`] when the sum does not fit.
    pub fn tally_of(&self, code: Code) -> Result<Tally, EngineError> {
        let mut tally = Tally::default();
        for difference in self.differences.iter().filter(|difference| difference.code == code) {
            tally.add(difference.at_risk())?;
        }
        Ok(tally)
    }

    /// Whether each side is the matched part and its named differences, in rows and in fen.
    pub fn is_conserved(&self) -> bool {
        let add_side = |side: fn(&Difference) -> Option<Fen>| {
            let mut sum = self.matched;
            self.differences.iter().filter_map(side).try_for_each(|amount| sum.add(amount)).map(|()| sum)
        };
        add_side(|difference| difference.bill_amount) == Ok(self.bill)
            && add_side(|difference| difference.book_amount) == Ok(self.books)
    }
}
