//! `/pay/micropay`: takes a payment by pay code. There is no notice: the answer and the query are the only truth.

use super::request::Request;
use super::sale::Sale;
use super::{ApiKey, FieldError, Fields, Identity, OrderNumber, PayCode, Payment, SignType};

/// Takes a payment by the code that the payer shows, or by a face code of 18 digits.
///
/// It is sent once. After anything but a definite answer the order is queried, and reversed at last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Micropay {
    /// For whom.
    pub identity: Identity,
    /// What is sold.
    pub sale: Sale,
    /// What the payer shows.
    pub auth_code: PayCode,
}

impl Micropay {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/micropay";

    /// The signed request. `nonce` is at most 32 letters and digits.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        Request::new(&self.identity, nonce)
            .with_sale(&self.sale)
            .with("auth_code", self.auth_code.as_str())
            .signed(key, sign_type)
    }
}

/// Reads the payment in the successful answer to a pay code or face payment with our number `out_trade_no`.
///
/// # Errors
/// [`FieldError`] when the payment is not whole, or another one. Amount and currency are told as they are.
pub fn payment_at_counter(fields: &Fields, out_trade_no: &str) -> Result<Payment, FieldError> {
    OrderNumber::OutTradeNo(out_trade_no.to_owned()).check(fields)?;
    Payment::parse(fields)
}
