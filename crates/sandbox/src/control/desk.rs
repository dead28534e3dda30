use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every report that `/payitil/report` took, oldest first, at most the latest thousand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// The reports.
    pub reports: Vec<Report>,
}

/// One report about calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Our name of the merchant.
    pub merchant: String,
    /// When it came.
    pub at: Timestamp,
    /// What it says: every field but identity, nonce and signature.
    pub fields: BTreeMap<String, String>,
}

/// A payer writes about a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// The order's number.
    pub out_trade_no: String,
    /// Our name of the merchant; needed only when two merchants used the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// One to five stars.
    pub score: u8,
    /// The payer's words, at most 512 bytes; may be empty.
    #[serde(default)]
    pub text: String,
}

/// What a payer wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// When it was written, in whole seconds.
    pub at: Timestamp,
    /// One to five stars.
    pub score: u8,
    /// The payer's words.
    pub text: String,
}

/// What a short URL of this sandbox stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongUrl {
    /// The text of the QR code that was shortened.
    pub long_url: String,
}

/// How often each merchant may ask for refunds from now on; whatever was counted is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRate {
    /// Requests in a second of the sandbox's clock, at first 150. Beyond it `FREQUENCY_LIMITED`.
    pub per_second: u32,
    /// Wrong requests in a second, at first 6. Beyond it everything is `INVALID_REQ_TOO_MUCH` for a minute.
    pub failing_per_second: u32,
}

impl Default for RefundRate {
    fn default() -> RefundRate {
        RefundRate { per_second: 150, failing_per_second: 6 }
    }
}
