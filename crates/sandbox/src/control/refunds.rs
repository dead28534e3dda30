use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One refund at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Our name of the merchant.
    pub merchant: String,
    /// The order it gives back money of.
    pub out_trade_no: String,
    /// The merchant's number of the refund; one of WeChat's making when it was made in the merchant platform.
    pub out_refund_no: String,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// What goes back, in fen.
    pub amount_fen: i64,
    /// How far it is.
    pub state: RefundState,
    /// Who asked for it.
    pub source: RefundSource,
    /// When it was accepted, in whole seconds.
    pub created_at: Timestamp,
    /// When the money arrived, in whole seconds; only of `SUCCESS`.
    pub settled_at: Option<Timestamp>,
    /// How often it was asked for with the same number: 1, unless answers got lost.
    pub requests: u32,
}

/// How far a refund is, in WeChat's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RefundState {
    /// Accepted, and on its way.
    Processing,
    /// The money arrived.
    Success,
    /// The money bounced: a person must act in the merchant platform.
    Change,
    /// It did not happen, and its amount can be refunded again under another number.
    RefundClose,
}

impl RefundState {
    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefundState::Processing => "PROCESSING",
            RefundState::Success => "SUCCESS",
            RefundState::Change => "CHANGE",
            RefundState::RefundClose => "REFUNDCLOSE",
        }
    }
}

/// Who asked for a refund, in WeChat's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundSource {
    /// The merchant's servers.
    Api,
    /// A person in the merchant platform.
    VendorPlatform,
}

impl RefundSource {
    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefundSource::Api => "API",
            RefundSource::VendorPlatform => "VENDOR_PLATFORM",
        }
    }
}

/// Decides what becomes of a refund: of one that is `PROCESSING`, or of one that is `CHANGE`, as if a person had acted in
/// the merchant platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// `SUCCESS`, `CHANGE` or `REFUNDCLOSE`.
    pub state: RefundState,
    /// Our name of the merchant; needed only when two merchants used the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
}

/// A person makes a refund in the merchant platform. Everything is optional; an empty body refunds what is left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlatformRefund {
    /// Our name of the merchant; needed only when two merchants used the same number of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// How much, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
}

/// What a merchant has for refunds from now on. Accepted refunds take from it, refunds that did not happen give back,
/// payments add nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// In fen, at least 0; `null` is without limit, as it is at first.
    pub fen: Option<i64>,
}

/// How long refunds that are accepted from now on are `PROCESSING` before they succeed by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleDelay {
    /// In milliseconds of the sandbox's clock, at first 3000; `null` leaves them to commands.
    pub delay_ms: Option<u64>,
}
