//! `/secapi/pay/refund` and `refundv2`: asks for money to go back. Needs the merchant's client certificate.

use money::Fen;

use super::fields::FieldProblem;
use super::goods::refund_detail;
use super::request::Request;
use super::{ApiKey, Coupon, FieldError, Fields, Identity, OrderNumber, RefundGoodsItem, SignType, indexed};

/// Asks for a refund. `out_refund_no` is its idempotency key: a failed attempt is repeated with the same number,
/// because a new number would be a second refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// For whom.
    pub identity: Identity,
    /// Of which order.
    pub order: OrderNumber,
    /// Our number of this refund.
    pub out_refund_no: String,
    /// The whole amount of the order; must match.
    pub total_fee: Fen,
    /// What goes back, at least 1 fen.
    pub refund_fee: Fen,
    /// Shown to the user.
    pub refund_desc: Option<String>,
    /// Where the refund notice goes; without it, where the merchant platform says.
    pub notify_url: Option<String>,
    /// What goes back, of an order with single-item promotions; see
    /// [`limits::check_refund_goods`](super::limits::check_refund_goods). A refund that names goods has a path of its own.
    pub goods: Vec<RefundGoodsItem>,
}

impl Refund {
    /// Path below WeChat's host.
    pub const PATH: &str = "/secapi/pay/refund";
    /// The path of a refund that names goods.
    pub const PATH_WITH_GOODS: &str = "/secapi/pay/refundv2";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        let (name, number) = self.order.pair();
        Request::new(&self.identity, nonce)
            .with(name, number)
            .with("out_refund_no", &self.out_refund_no)
            .with("total_fee", self.total_fee.get().to_string())
            .with("refund_fee", self.refund_fee.get().to_string())
            .with_some("refund_desc", self.refund_desc.as_deref())
            .with_some("notify_url", self.notify_url.as_deref())
            .with_some("detail", (!self.goods.is_empty()).then(|| refund_detail(&self.goods)))
            .signed(key, sign_type)
    }
}

/// A refund that WeChat accepted. It is not refunded yet: the notice and the query tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAccepted {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// What goes back altogether.
    pub refund_fee: Fen,
    /// `refund_fee` minus coupons the merchant did not prepay.
    pub settlement_refund_fee: Option<Fen>,
    /// The cash part of what goes back.
    pub cash_refund_fee: Option<Fen>,
    /// The coupons that go back.
    pub coupons: Vec<Coupon>,
}

impl RefundAccepted {
    /// Reads the fields of a successful answer to `request`.
    ///
    /// # Errors
    /// [`FieldError`] when a number or amount is absent, malformed, or not the one that was asked for.
    pub fn parse(fields: &Fields, request: &Refund) -> Result<RefundAccepted, FieldError> {
        request.order.check(fields)?;
        if fields.required("out_refund_no")? != request.out_refund_no {
            return Err(FieldError::new("out_refund_no", FieldProblem::Mismatch));
        }
        let refund_fee = fields.required_fen("refund_fee")?;
        if refund_fee != request.refund_fee {
            return Err(FieldError::new("refund_fee", FieldProblem::Mismatch));
        }
        Ok(RefundAccepted {
            refund_id: fields.required("refund_id")?.to_owned(),
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            refund_fee,
            settlement_refund_fee: fields.fen("settlement_refund_fee")?,
            cash_refund_fee: fields.fen("cash_refund_fee")?,
            coupons: indexed::refund_coupons(fields)?,
        })
    }
}
