//! What belongs together: rows, books and movements of one payment or one refund.

use money::Fen;

use crate::books::{BookPayment, BookRefund};
use crate::funds::Movement;
use crate::trade::BillRow;

/// Everything that the legs have under one number of a payment (the provider's and ours).
#[derive(Clone, Debug, Default)]
pub(crate) struct PaymentGroup {
    /// The bill's payment row.
    pub(crate) billed: Option<BillRow>,
    /// The bill's reversal row.
    pub(crate) revoked: Option<BillRow>,
    pub(crate) book: Option<BookPayment>,
    /// Under the payment's number.
    pub(crate) movements: Vec<Movement>,
    /// Under the reversal's own number, when it has one.
    pub(crate) reversal_movements: Vec<Movement>,
}

/// Everything that the legs have under one number of a refund (the provider's and ours).
#[derive(Clone, Debug, Default)]
pub(crate) struct RefundGroup {
    pub(crate) billed: Option<BillRow>,
    pub(crate) book: Option<BookRefund>,
    pub(crate) movements: Vec<Movement>,
}

impl PaymentGroup {
    /// Whether the bill has anything of it.
    pub(crate) fn is_in_bill(&self) -> bool {
        self.billed.is_some() || self.revoked.is_some()
    }
}

impl RefundGroup {
    /// Our number, when our books have the refund under it and no row, or only by guessing which is its own.
    pub(crate) fn number_without_its_row(&self) -> Option<&str> {
        let book = self.book.as_ref()?;
        (self.billed.is_none() || book.refund_id.is_none()).then_some(book.out_refund_no.as_str())
    }
}

/// What orders rows under one number of ours when our books do not know the provider's: the first is taken for ours. In whatever
/// order rows stand, it is the same one.
pub(crate) fn likeness(row: &BillRow, ours: Fen) -> (bool, &str) {
    (row.amount != ours, &row.refund_id)
}
