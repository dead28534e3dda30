use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What WeChat's bills say about one payment or refund, otherwise than it happened: the trade bill, and where it says so the fund
/// flow. Callbacks and queries go on telling the truth. Everything is optional; an empty body lets the bills be right again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misbilled {
    /// Our name of the merchant; needed only when two merchants used the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// Neither bill has it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// The trade bill has it and its money did not move.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub left_out_of_funds: bool,
    /// Another amount in both bills, 1 to 2147483647 fen; fees follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
    /// Of a payment: so much of it was paid by coupons, in fen, says the trade bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon_fen: Option<i64>,
    /// Another fee in the trade bill, in thousandths of a fen. The account keeps the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_milli_fen: Option<i64>,
    /// Of a payment: the trade bill takes it back as a reversed pay code, and the fund flow says so, too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// Both bills have it as the first thing of this Beijing day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_day: Option<Date>,
}

/// Money of a merchant moves, now, for a reason that is no trade: a withdrawal, a complaint, a recharge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMovement {
    /// `Basic`, `Operation` or `Fees`.
    pub account: String,
    /// 业务类型, such as `提现` or `交易投诉扣款`; 1 to 32 characters.
    pub kind: String,
    /// In fen; negative when it leaves. Not 0, and at most ten billion yuan either way.
    pub amount_fen: i64,
    /// 备注, at most 64 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// The balance moves and no file has a row of it: what no account of an honest bank does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// A bill that somebody gave, which downloads get from now on instead of what the ledger says: a real one, say, to see what
/// reconciliation makes of it. `{day}` is a Beijing date such as `2026-11-28`, `{kind}` is `trade` (the bill of all kinds), `basic`,
/// `operation` or `fees`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBill {
    /// How long it is when it is not gzipped, at most 4 GiB.
    pub bytes: u64,
    /// How long its gzip is.
    pub gzip_bytes: u64,
}
