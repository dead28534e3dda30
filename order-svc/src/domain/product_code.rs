//! A product with a fixed price and a QR code that never changes (Native mode 1).

use jiff::Timestamp;
use money::Fen;

use super::{ProductCodeId, carried::Particulars};

/// One product. Only its end ever changes.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductCode {
    /// Its id; also its `product_id`.
    pub id: ProductCodeId,
    /// The team that sells it.
    pub app: String,
    /// The team's own number of it.
    pub product_no: String,
    /// The account that gets the money.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account, as it was when the product was written.
    pub mch_id: String,
    /// The app under which it is sold.
    pub app_id: String,
    /// Its price.
    pub amount: Fen,
    /// What the payer reads.
    pub description: String,
    /// What else its orders tell the provider.
    pub particulars: Option<Particulars>,
    /// When it was written.
    pub create_time: Timestamp,
    /// When it was taken out of sale.
    pub close_time: Option<Timestamp>,
}
