//! `/secapi/pay/reverse` and `/secapi/pay/facepayreverse`: take a payment at a counter back. Both need the merchant's client
//! certificate.

use super::request::Request;
use super::{ApiKey, Fields, Identity, OrderNumber, SignType};

/// Takes a pay code payment back: unpaid it is closed, paid its money goes back in full. Not before 15 s after the payment was
/// sent, and for at most 7 days. It may be repeated as long as WeChat asks for it; see [`asks_again`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverse {
    /// For whom.
    pub identity: Identity,
    /// Which payment.
    pub order: OrderNumber,
}

impl Reverse {
    /// Path below WeChat's host.
    pub const PATH: &str = "/secapi/pay/reverse";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        signed(&self.identity, &self.order, nonce, key, sign_type)
    }
}

/// Takes a payment of the older face API back; as [`Reverse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacepayReverse {
    /// For whom.
    pub identity: Identity,
    /// Which payment.
    pub order: OrderNumber,
}

impl FacepayReverse {
    /// Path below WeChat's host.
    pub const PATH: &str = "/secapi/pay/facepayreverse";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        signed(&self.identity, &self.order, nonce, key, sign_type)
    }
}

fn signed(identity: &Identity, order: &OrderNumber, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
    let (name, number) = order.pair();
    Request::new(identity, nonce).with(name, number).signed(key, sign_type)
}

/// Whether the verified answer to a reversal, a success or a refusal, asks to be called again (`recall=Y`): then nothing is
/// decided yet.
pub fn asks_again(fields: &Fields) -> bool {
    fields.text("recall") == Some("Y")
}
