use serde::{Deserialize, Serialize};

/// A person points the phone at a QR code.
///
/// ```json
/// {"code_url": "weixin://wxpay/bizpayurl?pr=NwY5Mz9"}
/// {"code_url": "weixin://wxpay/bizpayurl?sign=…&appid=…&mch_id=…&product_id=…&time_stamp=…&nonce_str=…", "duplicate": 2}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// The text of the code. One with `pr=` opens an order that was placed before; one with `sign=` makes WeChat ask the
    /// merchant for an order. The link of an H5 payment and a prepay id are taken, too.
    pub code_url: String,
    /// Who scans, under the app of the code; the owner of the sandbox's phone when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
    /// How many more times WeChat asks the merchant about this one scan, at once; at most 20.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicate: u32,
    /// The field of the question that is changed after it was signed; `sign` for the signature itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What came of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// What the phone shows: the first cashier that opened, otherwise what came of the first question.
    #[serde(flatten)]
    pub shown: Shown,
    /// What came of every question that the merchant was asked, in the order of asking. Empty when none was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Shown>,
}

/// What the phone shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "shows", rename_all = "snake_case")]
pub enum Shown {
    /// The cashier of an order.
    Cashier(Cashier),
    /// What the merchant lets the payer read (`err_code_des`).
    Refusal {
        /// The merchant's words.
        refusal: String,
    },
    /// A sentence of WeChat's own, because nothing can be paid.
    Nothing {
        /// Why.
        why: String,
    },
}

/// An open cashier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cashier {
    /// Our name of the merchant.
    pub merchant: String,
    /// The order's number.
    pub out_trade_no: String,
    /// What opened it.
    pub prepay_id: String,
    /// What is to be paid, in fen.
    pub amount_fen: i64,
    /// What is sold.
    pub description: String,
    /// `JSAPI`, `NATIVE`, `APP` or `MWEB`.
    pub trade_type: String,
}
