//! What belongs together: rows, books and movements of one payment or one refund.

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
