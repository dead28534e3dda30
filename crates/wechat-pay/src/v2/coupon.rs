//! Coupons that took part in a payment or a refund.

use money::Fen;

/// One coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// WeChat's id of it, when told.
    pub id: Option<String>,
    /// `CASH` (prepaid by the merchant) or `NO_CASH`, when told.
    pub kind: Option<String>,
    /// What it was worth, when told.
    pub fee: Option<Fen>,
}
