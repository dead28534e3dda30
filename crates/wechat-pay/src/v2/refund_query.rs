//! `/pay/refundquery`: asks what became of refunds.

use jiff::Timestamp;
use money::Fen;

use super::fields::FieldProblem;
use super::request::Request;
use super::{ApiKey, Coupon, FieldError, Fields, Identity, OrderNumber, SignType, indexed};

/// Names one refund, or all refunds of one order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RefundNumber {
    /// WeChat's number of one refund.
    RefundId(String),
    /// Our number of one refund.
    OutRefundNo(String),
    /// All refunds of this order.
    OfOrder(OrderNumber),
}

/// Asks what became of refunds. Right after a refund whose answer was lost, "no such refund" means: send it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundQuery {
    /// For whom.
    pub identity: Identity,
    /// Which refunds.
    pub refund: RefundNumber,
    /// How many to skip; only for all refunds of an order.
    pub offset: Option<u32>,
}

impl RefundQuery {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/refundquery";

    /// The path for refunds that named goods; it knows refunds by their own numbers alone.
    pub const PATH_WITH_GOODS: &str = "/pay/refundqueryv2";

    /// Most refunds in one answer; further ones are asked for with an offset.
    pub const PAGE: u32 = 10;

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        let (name, number) = match &self.refund {
            RefundNumber::RefundId(number) => ("refund_id", number.as_str()),
            RefundNumber::OutRefundNo(number) => ("out_refund_no", number.as_str()),
            RefundNumber::OfOrder(order) => order.pair(),
        };
        Request::new(&self.identity, nonce)
            .with(name, number)
            .with_some("offset", self.offset.map(|offset| offset.to_string()))
            .signed(key, sign_type)
    }
}

/// Refunds of one order: one page of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundList {
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// The whole amount of the order.
    pub total_fee: Fen,
    /// How many refunds there are altogether, when WeChat says so.
    pub total_refund_count: Option<u32>,
    /// The refunds of this page, in WeChat's order.
    pub refunds: Vec<RefundSummary>,
}

/// One refund that named goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundWithGoods {
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// The refund.
    pub refund: RefundSummary,
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundSummary {
    /// Our number; one we never issued when the refund was made in the merchant platform.
    pub out_refund_no: String,
    /// WeChat's number.
    pub refund_id: String,
    /// What goes back altogether.
    pub refund_fee: Fen,
    /// `refund_fee` minus coupons the merchant did not prepay.
    pub settlement_refund_fee: Option<Fen>,
    /// How far it is.
    pub status: RefundStatus,
    /// `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`, …
    pub channel: Option<String>,
    /// Where the money went, in words.
    pub received_by: Option<String>,
    /// When it arrived; only of succeeded refunds.
    pub succeeded_at: Option<Timestamp>,
    /// All coupons of this refund together.
    pub coupon_refund_fee: Option<Fen>,
    /// The coupons that go back.
    pub coupons: Vec<Coupon>,
}

/// How far a refund is: an open set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// The money arrived.
    Success,
    /// On its way.
    Processing,
    /// It did not happen; another refund needs a new number.
    Closed,
    /// The money bounced: somebody must act in the merchant platform.
    Abnormal,
    /// A state WeChat added since.
    Other(String),
}

impl RefundStatus {
    /// Reads WeChat's word.
    pub fn parse(text: &str) -> RefundStatus {
        match text {
            "SUCCESS" => RefundStatus::Success,
            "PROCESSING" => RefundStatus::Processing,
            "REFUNDCLOSE" => RefundStatus::Closed,
            "CHANGE" => RefundStatus::Abnormal,
            other => RefundStatus::Other(other.to_owned()),
        }
    }

    /// WeChat's word.
    pub fn as_str(&self) -> &str {
        match self {
            RefundStatus::Success => "SUCCESS",
            RefundStatus::Processing => "PROCESSING",
            RefundStatus::Closed => "REFUNDCLOSE",
            RefundStatus::Abnormal => "CHANGE",
            RefundStatus::Other(text) => text,
        }
    }
}

impl RefundList {
    /// Reads the fields of a successful answer.
    ///
    /// # Errors
    /// [`FieldError`] when a number, amount or status is absent or malformed.
    pub fn parse(fields: &Fields) -> Result<RefundList, FieldError> {
        Ok(RefundList {
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            total_fee: fields.required_fen("total_fee")?,
            total_refund_count: fields.count("total_refund_count")?,
            refunds: indexed::refunds(fields)?,
        })
    }

    /// The refund with our number `out_refund_no`, in the answer to a query for that number.
    ///
    /// # Errors
    /// [`FieldError`] when the answer is about other refunds, or contradicts itself with two of one number.
    pub fn only(&self, out_refund_no: &str) -> Result<&RefundSummary, FieldError> {
        only(&self.refunds, out_refund_no)
    }

    /// The refund with WeChat's number `refund_id`, in the answer to a query for that number.
    ///
    /// # Errors
    /// [`FieldError`] when the answer is about other refunds, or contradicts itself with two of one number.
    pub fn only_with_id(&self, refund_id: &str) -> Result<&RefundSummary, FieldError> {
        let mut found = self.refunds.iter().filter(|refund| refund.refund_id == refund_id);
        match (found.next(), found.next()) {
            (Some(refund), None) => Ok(refund),
            _ => Err(FieldError::new("refund_id", FieldProblem::Mismatch)),
        }
    }
}

impl RefundWithGoods {
    /// Reads the fields of a successful answer of `refundqueryv2` to a query for our number `out_refund_no`.
    ///
    /// WeChat's pages show its one refund without numbers behind the names, and one SDK reads numbered names as at
    /// `refundquery`: both are read. Numbered names, once there are any, decide alone.
    ///
    /// # Errors
    /// [`FieldError`] when a number, amount or status is absent or malformed, or the answer is about another refund.
    pub fn parse(fields: &Fields, out_refund_no: &str) -> Result<RefundWithGoods, FieldError> {
        let mut refunds = indexed::refunds(fields)?;
        if refunds.is_empty() {
            refunds.push(indexed::refund_without_number(fields)?);
        }
        Ok(RefundWithGoods {
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            refund: only(&refunds, out_refund_no)?.clone(),
        })
    }
}

fn only<'a>(refunds: &'a [RefundSummary], out_refund_no: &str) -> Result<&'a RefundSummary, FieldError> {
    let mut found = refunds.iter().filter(|refund| refund.out_refund_no == out_refund_no);
    match (found.next(), found.next()) {
        (Some(refund), None) => Ok(refund),
        _ => Err(FieldError::new("out_refund_no", FieldProblem::Mismatch)),
    }
}
