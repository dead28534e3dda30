use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClockState, Refund, RefundState};

/// Everything that really happened, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// When this was read.
    pub clock: ClockState,
    /// Every order, with its payment and its refunds.
    pub orders: Vec<Order>,
    /// Every callback, with every attempt.
    pub callbacks: Vec<Callback>,
}

/// One order at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Our name of the merchant.
    pub merchant: String,
    /// The merchant number; in service-provider mode the service provider's.
    pub mch_id: String,
    /// The app that opens the cashier; in service-provider mode the sub-merchant's, when the order names one.
    pub app_id: String,
    /// The sub-merchant in service-provider mode.
    #[serde(default)]
    pub sub_mch_id: Option<String>,
    /// The service provider's own app, `appid` of its calls, in service-provider mode.
    #[serde(default)]
    pub service_provider_app_id: Option<String>,
    /// The merchant's number of the order.
    pub out_trade_no: String,
    /// The amount ordered, in fen.
    pub amount_fen: i64,
    /// The currency ordered; `CNY`.
    pub fee_type: String,
    /// What is sold (`body` on the wire).
    pub description: String,
    /// `JSAPI`, `NATIVE`, `APP` or `MWEB`; `MICROPAY` of a charge by pay code or face, `FACEPAY` of one by WeChat's older
    /// face API.
    pub trade_type: String,
    /// `MD5` or `HMAC-SHA256`, pinned by the first unifiedorder.
    pub sign_type: String,
    /// Where callbacks go, as ordered; empty of a charge, of which nobody is told.
    pub notify_url: String,
    /// What orderquery answers: `NOTPAY`, `SUCCESS`, `CLOSED`, or `REFUND` as soon as there is one; of a charge also
    /// `USERPAYING`, `PAYERROR` and `REVOKED`.
    pub trade_state: String,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// From when on it cannot be paid; absent when the order named no `time_expire`.
    pub expires_at: Option<Timestamp>,
    /// When closeorder closed it.
    pub closed_at: Option<Timestamp>,
    /// When a charge was reversed, in whole seconds. Its payment, when there is one, is money that went back in full.
    #[serde(default)]
    pub reversed_at: Option<Timestamp>,
    /// How many prepay ids were issued; 0 of a charge.
    pub prepays: u32,
    /// The payment, when there is one.
    pub payment: Option<Payment>,
    /// Its refunds, oldest first.
    #[serde(default)]
    pub refunds: Vec<Refund>,
}

/// Money that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// What was paid, in fen.
    pub amount_fen: i64,
    /// In which currency.
    pub fee_type: String,
    /// Through which app.
    pub app_id: String,
    /// When, in whole seconds, as messages and bills say it.
    pub paid_at: Timestamp,
}

/// One callback: the duty to tell the merchant about a payment, or about a state that a refund reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Names it in this ledger.
    pub id: u64,
    /// What it tells of.
    #[serde(default)]
    pub kind: CallbackKind,
    /// Our name of the merchant.
    pub merchant: String,
    /// The order's number.
    pub out_trade_no: String,
    /// The payment it tells of, or of whose refund.
    pub transaction_id: String,
    /// The order's or the refund's `notify_url`; `NOTIFY_URL` may send it to another host.
    pub url: String,
    /// Whether it is done.
    pub state: CallbackState,
    /// When the next attempt is due; absent when there is none.
    pub next_attempt_at: Option<Timestamp>,
    /// Every attempt so far.
    pub attempts: Vec<Attempt>,
}

/// What a callback tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackKind {
    /// A payment, in a signed notice.
    #[default]
    Payment,
    /// A refund, in a notice that nobody signs.
    Refund {
        /// The merchant's number of the refund.
        out_refund_no: String,
        /// The state that it reached then. A refund that bounced and arrived later is told twice.
        state: RefundState,
    },
}

/// How far a callback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// An attempt is due or will be.
    Waiting,
    /// An attempt is under way.
    Sending,
    /// The merchant answered success to a genuine attempt.
    Delivered,
    /// The schedule is used up.
    GivenUp,
}

/// One attempt to deliver a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// Which fault changed it, if any: the word of its `do`.
    pub fault: Option<String>,
    /// Whether it said what this ledger says, signed or sealed as WeChat does it. An accepted attempt that is not genuine is a
    /// forgery that was believed.
    pub genuine: bool,
    /// HTTP status of the answer, when there was one.
    pub status: Option<u16>,
    /// What the answer amounts to.
    pub answer: AnswerClass,
}

/// How WeChat reads a merchant's answer. Only `Accepted` ends the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerClass {
    /// HTTP 200 with XML `return_code` SUCCESS.
    Accepted,
    /// HTTP 200 with XML and another `return_code`.
    Refused,
    /// HTTP 200 with a body that is not the answer's XML.
    NotXml,
    /// Another HTTP status; redirects are not followed.
    WrongStatus,
    /// No answer in time: five seconds, unless the sandbox was told another limit.
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
    /// A fault swallowed the attempt before it left.
    NotSent,
}
