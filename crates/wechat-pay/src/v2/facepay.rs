//! `/pay/facepay` and `/pay/facepayquery`: WeChat's older face API, which it no longer maintains. Newer devices give a face code
//! that is a pay code.

use super::request::Request;
use super::sale::Sale;
use super::{ApiKey, Fields, Goods, Identity, OrderNumber, PayCode, Payer, SignType};

/// Takes a payment by face. Everything that is said of [`Micropay`](super::Micropay) holds here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facepay {
    /// For whom.
    pub identity: Identity,
    /// What is sold.
    pub sale: Sale,
    /// What the device gave after it saw the face.
    pub face_code: PayCode,
    /// Who that is, as the device says.
    pub payer: Payer,
}

impl Facepay {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/facepay";

    /// The only type that this call takes, whatever the merchant's.
    pub const SIGN_TYPE: SignType = SignType::HmacSha256;

    /// The signed request. `nonce` is at most 32 letters and digits.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        Request::new(&self.identity, nonce)
            .with_sale(&self.sale)
            // This API has its own word for how many there are of a thing.
            .with_some("detail", self.sale.particulars.goods.as_ref().map(Goods::facepay_detail))
            .with_payer(&self.payer)
            .with("face_code", self.face_code.as_str())
            .signed(key, Facepay::SIGN_TYPE)
    }
}

/// Asks what became of a face payment. Its answer is read as that to an [`OrderQuery`](super::OrderQuery).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacepayQuery {
    /// For whom.
    pub identity: Identity,
    /// Which payment.
    pub order: OrderNumber,
}

impl FacepayQuery {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/facepayquery";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        let (name, number) = self.order.pair();
        Request::new(&self.identity, nonce).with(name, number).signed(key, sign_type)
    }
}
