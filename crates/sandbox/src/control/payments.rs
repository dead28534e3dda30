use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Lets the user pay an order. Everything is optional; an empty body pays what was ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pay {
    /// Our name of the merchant; needed only when two merchants used the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// Pays another amount than was ordered, in fen, so that a wrong amount can be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
    /// Pays in another currency than was ordered, such as `USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_type: Option<String>,
    /// Pays through another app than was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Chooses the transaction id, 1 to 32 digits; otherwise WeChat's pattern of 28 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The user opened the cashier before the order expired or was closed: WeChat lets that payment through.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_cashier: bool,
}

/// A payment was made; its callback is on the way, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Our name of the merchant.
    pub merchant: String,
    /// The order's number.
    pub out_trade_no: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// What was paid, in fen.
    pub amount_fen: i64,
    /// When, by the sandbox's clock.
    pub paid_at: Timestamp,
    /// The callback in the ledger; absent of a charge by pay code or face, of which nobody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_id: Option<u64>,
}

/// Asks for a login code, as `wx.login` would give it to a mini program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLoginCode {
    /// The mini program.
    pub app_id: String,
    /// The user who logs in; a new user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
}

/// A login or OAuth code: good once, for five minutes of the sandbox's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCode {
    /// What the mini program would send as `js_code`, or the page as `code`.
    pub code: String,
    /// Who it stands for.
    pub openid: String,
}

/// Lets the user pay the order behind a code or a prepay id. Exactly one of the first two names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PayOpened {
    /// The text of a QR code that an order of the trade type `NATIVE` was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_url: Option<String>,
    /// What any order was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepay_id: Option<String>,
    /// Who pays, where the order does not say it; a new user when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
    /// The user opened the cashier before the order expired or was closed: WeChat lets that payment through.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_cashier: bool,
}

/// Asks for the code that an OAuth redirect would bring to a page inside WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOAuthCode {
    /// The official account.
    pub app_id: String,
    /// The user who agrees; a new user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
    /// `snsapi_base` or `snsapi_userinfo`; the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}
