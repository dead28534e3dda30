//! One row of a trade bill, typed.

use jiff::Timestamp;
use money::{Fen, MilliFen};

use crate::v2::OpenId;

/// One payment or one refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeRow {
    /// When it happened. Of a refund row the sources disagree on what that is: match refunds by number, not by time.
    pub trade_time: Timestamp,
    /// The app used at the time of the payment.
    pub appid: String,
    /// The merchant; always the one the bill was asked for.
    pub mch_id: String,
    /// The sub-merchant; `None` for a direct merchant, whose bill says `0`.
    pub sub_mch_id: Option<String>,
    /// The terminal, often empty.
    pub device_info: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment. A refund row repeats it, so one number appears in several rows.
    pub out_trade_no: String,
    /// The payer.
    pub openid: OpenId,
    /// `JSAPI`, `NATIVE`, `APP`, `MWEB`, `MICROPAY`, `FACE`, …: an open set.
    pub trade_type: String,
    /// What kind of row this is.
    pub state: BillState,
    /// Where the money came from: an open set.
    pub bank_type: String,
    /// The currency, `CNY`.
    pub fee_type: String,
    /// The order's amount; zero in a refund row. Compare this with the order.
    pub total_fee: Fen,
    /// `total_fee` minus coupons the merchant did not prepay.
    pub settlement_total_fee: Fen,
    /// The part that coupons paid.
    pub coupon_fee: Fen,
    /// The refund, of a refund row.
    pub refund: Option<BillRefund>,
    /// What the user read.
    pub body: String,
    /// What the order carried along.
    pub attach: String,
    /// WeChat's fee; negative when it is given back.
    pub fee: MilliFen,
    /// The rate as text, e.g. `0.60%`.
    pub rate: String,
    /// A remark on the rate, mostly empty.
    pub rate_note: String,
}

/// The refund of a refund row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRefund {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Our number of the refund; one we never issued when it was made in the merchant platform.
    pub out_refund_no: String,
    /// What was asked to go back. Compare this with the refund.
    pub refund_fee: Fen,
    /// `refund_fee` minus coupons the merchant did not prepay.
    pub settlement_refund_fee: Fen,
    /// The prepaid coupons' part.
    pub coupon_refund_fee: Fen,
    /// `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`.
    pub refund_type: String,
    /// `SUCCESS`, `PROCESSING`, `FAIL`, `CHANGE`: as it was when the bill was made.
    pub refund_status: String,
    /// When it was asked for; only in refund bills.
    pub applied_at: Option<Timestamp>,
    /// When the money arrived; only in refund bills.
    pub succeeded_at: Option<Timestamp>,
}

/// What kind of row it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BillState {
    /// A payment.
    Success,
    /// A refund.
    Refund,
    /// A pay-code payment that was reversed.
    Revoked,
    /// A kind WeChat added since.
    Other(String),
}

impl BillState {
    /// Reads WeChat's word.
    pub fn parse(text: &str) -> BillState {
        match text {
            "SUCCESS" => BillState::Success,
            "REFUND" => BillState::Refund,
            "REVOKED" => BillState::Revoked,
            other => BillState::Other(other.to_owned()),
        }
    }

    /// WeChat's word.
    pub fn as_str(&self) -> &str {
        match self {
            BillState::Success => "SUCCESS",
            BillState::Refund => "REFUND",
            BillState::Revoked => "REVOKED",
            BillState::Other(text) => text,
        }
    }
}
