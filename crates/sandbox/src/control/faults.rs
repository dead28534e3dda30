use serde::{Deserialize, Serialize};

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultPoint {
    /// An attempt to deliver a callback about a payment.
    Callback,
    /// An attempt to deliver a callback about a refund.
    RefundCallback,
    /// `/pay/unifiedorder`.
    UnifiedOrder,
    /// `/pay/orderquery`.
    OrderQuery,
    /// `/pay/closeorder`.
    CloseOrder,
    /// `/secapi/pay/refund`.
    Refund,
    /// `/pay/refundquery`.
    RefundQuery,
    /// `/pay/downloadbill`.
    DownloadBill,
    /// `/sns/jscode2session`.
    JsCode2Session,
    /// `/sns/oauth2/access_token`.
    OAuthAccessToken,
    /// `/pay/micropay`.
    Micropay,
    /// `/secapi/pay/reverse`.
    Reverse,
    /// `/pay/facepay`.
    Facepay,
    /// `/pay/facepayquery`.
    FacepayQuery,
    /// `/secapi/pay/facepayreverse`.
    FacepayReverse,
    /// `/face/get_wxpayface_authinfo`.
    #[serde(rename = "get_wxpayface_authinfo")]
    FaceAuthInfo,
    /// `/tools/authcodetoopenid`.
    AuthCodeToOpenid,
    /// `/tools/shorturl`.
    ShortUrl,
    /// `/payitil/report`.
    Report,
    /// `/billcommentsp/batchquerycomment`.
    BatchQueryComment,
    /// `/mmpaymkttransfers/sendredpack`.
    SendRedpack,
    /// `/mmpaymkttransfers/sendgroupredpack`.
    SendGroupRedpack,
    /// `/mmpaymkttransfers/sendminiprogramhb`.
    SendMiniProgramHb,
    /// `/mmpaymkttransfers/gethbinfo`.
    GetHbInfo,
    /// `/secapi/pay/refundv2`.
    RefundV2,
    /// `/pay/refundqueryv2`.
    RefundQueryV2,
    /// `/pay/downloadfundflow`.
    DownloadFundFlow,
}

impl FaultPoint {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            FaultPoint::Callback => "callback",
            FaultPoint::RefundCallback => "refundcallback",
            FaultPoint::UnifiedOrder => "unifiedorder",
            FaultPoint::OrderQuery => "orderquery",
            FaultPoint::CloseOrder => "closeorder",
            FaultPoint::Refund => "refund",
            FaultPoint::RefundQuery => "refundquery",
            FaultPoint::DownloadBill => "downloadbill",
            FaultPoint::JsCode2Session => "jscode2session",
            FaultPoint::OAuthAccessToken => "oauthaccesstoken",
            FaultPoint::Micropay => "micropay",
            FaultPoint::Reverse => "reverse",
            FaultPoint::Facepay => "facepay",
            FaultPoint::FacepayQuery => "facepayquery",
            FaultPoint::FacepayReverse => "facepayreverse",
            FaultPoint::FaceAuthInfo => "get_wxpayface_authinfo",
            FaultPoint::AuthCodeToOpenid => "authcodetoopenid",
            FaultPoint::ShortUrl => "shorturl",
            FaultPoint::Report => "report",
            FaultPoint::BatchQueryComment => "batchquerycomment",
            FaultPoint::SendRedpack => "sendredpack",
            FaultPoint::SendGroupRedpack => "sendgroupredpack",
            FaultPoint::SendMiniProgramHb => "sendminiprogramhb",
            FaultPoint::GetHbInfo => "gethbinfo",
            FaultPoint::RefundV2 => "refundv2",
            FaultPoint::RefundQueryV2 => "refundqueryv2",
            FaultPoint::DownloadFundFlow => "downloadfundflow",
        }
    }

    /// Whether it is a callback, which WeChat sends.
    pub const fn is_callback(self) -> bool {
        matches!(self, FaultPoint::Callback | FaultPoint::RefundCallback)
    }

    /// Whether it is a call whose answers are signed.
    pub const fn is_signed(self) -> bool {
        !self.is_callback()
            && !self.is_bill()
            && !matches!(
                self,
                FaultPoint::JsCode2Session
                    | FaultPoint::OAuthAccessToken
                    | FaultPoint::Report
                    | FaultPoint::BatchQueryComment
                    | FaultPoint::SendRedpack
                    | FaultPoint::SendGroupRedpack
                    | FaultPoint::SendMiniProgramHb
                    | FaultPoint::GetHbInfo
            )
    }

    /// Whether it downloads a bill.
    pub const fn is_bill(self) -> bool {
        matches!(self, FaultPoint::DownloadBill | FaultPoint::DownloadFundFlow)
    }

    /// Whether it takes a payment back.
    pub const fn is_reverse(self) -> bool {
        matches!(self, FaultPoint::Reverse | FaultPoint::FacepayReverse)
    }

    /// Whether it is about one order, which a rule can name.
    pub const fn is_about_an_order(self) -> bool {
        (self.is_signed() || self.is_callback())
            && !matches!(self, FaultPoint::FaceAuthInfo | FaultPoint::AuthCodeToOpenid | FaultPoint::ShortUrl)
    }
}

/// A rule: what goes wrong, where, for whom, how often. Of several rules that fit, the oldest strikes.
///
/// ```json
/// {"on": "callback", "out_trade_no": "0198…", "do": "lose", "times": 3}
/// {"on": "unifiedorder", "merchant": "acme-mini", "do": "status", "status": 503, "executed": true}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// Where it strikes.
    pub on: FaultPoint,
    /// Only for this merchant (our name); for every merchant when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// Only for this order and its refunds; for every order when absent. Only where [`FaultPoint::is_about_an_order`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many times it strikes, at least 1; 4294967295 is as good as for ever.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// What goes wrong: the word is `do`, its arguments stand beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Fault {
    /// Callback: the attempt never leaves. It counts as an attempt.
    Lose,
    /// Callback: the attempt goes later.
    Delay {
        /// How much, in milliseconds of the sandbox's clock.
        delay_ms: u64,
    },
    /// Callback: the attempt goes several times at once.
    Duplicate {
        /// How many more than one, 1 to 20.
        copies: u32,
    },
    /// Callback: held until an attempt of another callback ended, at most 3 minutes of the sandbox's clock.
    Reorder,
    /// Callback: a field is changed after signing. Of a refund, which nobody signs, it is changed inside the encryption,
    /// as cutting and pasting could do.
    Tamper {
        /// Which field; `total_fee`, or `refund_status` of a refund, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
        /// Its new value; another amount or state when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// Callback: signed with a key that is not the merchant's; of a refund, encrypted with one.
    Forge,
    /// Callback about a payment: signed with the right key, but not with the order's sign type.
    OtherSignType,
    /// Callback about a payment: a field is changed and the message signed rightly, so that only checks of the content can refuse it.
    Rewrite {
        /// Which field.
        field: String,
        /// Its new value; the empty text removes the field.
        value: String,
    },

    /// Call: done, but answered late.
    Late {
        /// How late, in real milliseconds, at most 60000.
        delay_ms: u64,
    },
    /// Call: done, but the connection ends without an answer.
    Lost,
    /// Call: not done, and the connection ends without an answer.
    NotExecuted,
    /// Call: answered with an HTTP error.
    Status {
        /// 400 to 599.
        status: u16,
        /// Whether it was done all the same.
        #[serde(default)]
        executed: bool,
    },
    /// Call: done, but answered with text that is no answer.
    Garbage,
    /// Call: done, but the answer's signature is made with another key.
    BadSignature,
    /// Call: refused with this code.
    ErrorCode {
        /// `SYSTEMERROR` and its like; digits for jscode2session.
        code: String,
        /// Whether it was done all the same, as a `SYSTEMERROR` can be.
        #[serde(default)]
        executed: bool,
    },
    /// Call: not done, answered with a redirect to itself.
    Redirect,
    /// Reverse: answered with `recall` Y, which asks to be called again.
    Recall {
        /// Whether it was done all the same.
        #[serde(default)]
        executed: bool,
        /// Whether the answer claims success beside it, and not `SYSTEMERROR`.
        #[serde(default)]
        success: bool,
    },

    /// Bill: cut in the middle.
    Truncate,
    /// Bill: the first row's amount is one fen more; the summary is not.
    AlterAmount,
    /// Bill: has one more payment, which was never made; the summary counts it.
    ExtraRow,
    /// Bill: lacks its first payment; the summary does not count it.
    MissingRow,
    /// Bill: every row is dated one day earlier.
    OtherDay,
    /// Bill: no bytes at all.
    Empty,
    /// Bill: one byte of the first row is no text any more.
    AlterByte,
    /// Trade bill: the first row is another merchant's.
    ForeignMerchant,
    /// Bill: ends before its summary.
    NoSummary,
    /// Bill, and nothing is wrong with it: a column that nobody knows.
    ExtraColumn,
    /// Trade bill, and nothing is wrong with it: the 24 columns of merchants of before 2018.
    OldLayout,
    /// Bill, and nothing is wrong with it: names of goods, or remarks, hold commas, backticks and line breaks.
    HostileNames,
}

impl Fault {
    /// The word of `do`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Fault::Lose => "lose",
            Fault::Delay { .. } => "delay",
            Fault::Duplicate { .. } => "duplicate",
            Fault::Reorder => "reorder",
            Fault::Tamper { .. } => "tamper",
            Fault::Forge => "forge",
            Fault::OtherSignType => "other_sign_type",
            Fault::Rewrite { .. } => "rewrite",
            Fault::Late { .. } => "late",
            Fault::Lost => "lost",
            Fault::NotExecuted => "not_executed",
            Fault::Status { .. } => "status",
            Fault::Garbage => "garbage",
            Fault::BadSignature => "bad_signature",
            Fault::ErrorCode { .. } => "error_code",
            Fault::Redirect => "redirect",
            Fault::Recall { .. } => "recall",
            Fault::Truncate => "truncate",
            Fault::AlterAmount => "alter_amount",
            Fault::ExtraRow => "extra_row",
            Fault::MissingRow => "missing_row",
            Fault::OtherDay => "other_day",
            Fault::Empty => "empty",
            Fault::AlterByte => "alter_byte",
            Fault::ForeignMerchant => "foreign_merchant",
            Fault::NoSummary => "no_summary",
            Fault::ExtraColumn => "extra_column",
            Fault::OldLayout => "old_layout",
            Fault::HostileNames => "hostile_names",
        }
    }
}

/// A rule in force or used up, with what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveFault {
    /// Names it.
    pub id: u64,
    /// The rule as it was added.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// How often it struck. A fault that was not observed proves nothing.
    pub hits: u32,
}

/// Every rule since the last clearing, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// The rules.
    pub faults: Vec<ActiveFault>,
}
