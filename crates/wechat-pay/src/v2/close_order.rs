//! `/pay/closeorder`: ends an unpaid order.

use super::request::Request;
use super::{ApiKey, Fields, Identity, SignType};

/// Closes an order, at the earliest five minutes after it was made.
///
/// Success confirms nothing about the number: WeChat also "closes" numbers it never saw, and a user already inside the
/// cashier can still pay. Query before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseOrder {
    /// For whom.
    pub identity: Identity,
    /// Our number of the order.
    pub out_trade_no: String,
}

impl CloseOrder {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/closeorder";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        Request::new(&self.identity, nonce).with("out_trade_no", &self.out_trade_no).signed(key, sign_type)
    }
}
