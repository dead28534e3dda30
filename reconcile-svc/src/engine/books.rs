use jiff::civil::Date;
use money::Fen;

/// What a payment is matched by: our number, cross-checked with the provider's.
///
/// The same number under another transaction is another payment: ours is then missing in the bill, and the bill's is
/// missing in our books.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
}

/// One payment that our books hold as paid: legs O and E joined by [`Key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookPayment {
    /// What it is matched by.
    pub key: Key,
    /// What we asked for when we gave out the number; `None` when we never issued it.
    pub issued_amount: Option<Fen>,
    /// What order-svc accepted (leg O); `None` when it has not.
    pub order_amount: Option<Fen>,
    /// What the provider told us while it happened (leg E); `None` when no fact came.
    pub fact_amount: Option<Fen>,
    /// Civil date in Asia/Shanghai of the provider's time of the payment.
    pub paid_date: Date,
    /// The other day whose bill already holds it, when one does: then it is not missing here.
    pub billed_on: Option<Date>,
}

impl BookPayment {
    /// What it is worth in our books: what was accepted, else what was asked for, else what we were told.
    pub fn amount(&self) -> Fen {
        self.order_amount.or(self.issued_amount).or(self.fact_amount).unwrap_or(Fen::ZERO)
    }

    /// Whether we gave out the number. Taking money for a number proves that too, should its own event come late.
    pub fn is_ours(&self) -> bool {
        self.issued_amount.is_some() || self.order_amount.is_some()
    }

    /// Whether every amount that we know is `bill`.
    pub(crate) fn agrees_with(&self, bill: Fen) -> bool {
        [self.issued_amount, self.order_amount, self.fact_amount].into_iter().flatten().all(|amount| amount == bill)
    }
}

/// A number that we gave out and whose payment is still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// What we asked for.
    pub amount: Fen,
}
