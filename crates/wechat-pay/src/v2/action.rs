//! What an answer calls for, as one pure function of the call and its outcome.
//!
//! The rule behind the tables: whenever money could have moved, the number never changes until a query has spoken.

use super::{Answer, Unknown, asks_again};

/// The calls that differ in what their answers call for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `/pay/unifiedorder`
    UnifiedOrder,
    /// `/pay/orderquery`
    OrderQuery,
    /// `/pay/closeorder`
    CloseOrder,
    /// `/secapi/pay/refund`
    Refund,
    /// `/pay/refundquery`
    RefundQuery,
    /// `/pay/downloadbill`, `/pay/downloadfundflow`
    DownloadBill,
    /// `/pay/micropay`
    Micropay,
    /// `/pay/facepay`
    Facepay,
    /// `/secapi/pay/reverse`, `/secapi/pay/facepayreverse`
    Reverse,
    /// `/tools/authcodetoopenid`
    AuthCodeToOpenid,
    /// `/mmpaymkttransfers/sendredpack`, `/sendgroupredpack`, `/sendminiprogramhb`
    SendRedpack,
    /// `/mmpaymkttransfers/gethbinfo`
    RedpackQuery,
    /// `/billcommentsp/batchquerycomment`
    CommentQuery,
    /// `/face/get_wxpayface_authinfo`
    FaceCredential,
    /// `/tools/shorturl`
    ShortUrl,
}

/// What came of a call, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// No answer, or none that proves anything.
    NoAnswer,
    /// `result_code` was `SUCCESS`.
    Success {
        /// A reverse that must be called again.
        recall: bool,
    },
    /// `result_code` was `FAIL`.
    Refused {
        /// WeChat's code.
        err_code: &'a str,
        /// WeChat's words; looked at for the one case in which one code has two meanings.
        err_code_des: Option<&'a str>,
        /// A reverse that must be called again.
        recall: bool,
    },
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The call did what it should; go on.
    Proceed,
    /// Send the same parameters and numbers with a new nonce; back off, a bounded number of times.
    RetrySameParams,
    /// WeChat did not accept it: wait at least 60 s, then the same.
    BackoffRetrySameParams,
    /// The result is unknown: poll the matching query before anything else.
    Query,
    /// The order number is dead; a new order if the user still wants to pay.
    NewOutTradeNo,
    /// The number was used with other parameters: query it, mend the caller, overwrite nothing.
    CheckDuplicateSubmit,
    /// Query, then mark paid.
    TreatAsPaidAfterQuery,
    /// The order is closed.
    TreatAsClosed,
    /// WeChat does not know it (yet).
    NotFound,
    /// Final, no.
    Fail,
    /// Final; the user must pay another way.
    FailUser,
    /// Final; scan a new code, with a new order number.
    FailUserRefreshCode,
    /// Our deployment is wrong: alarm, no automatic retry.
    FailConfig,
    /// Too late to reverse: refund instead.
    FailUseRefund,
}

impl Action {
    /// The name in logs and test vectors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::Proceed => "proceed",
            Action::RetrySameParams => "retry_same_params",
            Action::BackoffRetrySameParams => "backoff_retry_same_params",
            Action::Query => "query",
            Action::NewOutTradeNo => "new_out_trade_no",
            Action::CheckDuplicateSubmit => "check_duplicate_submit",
            Action::TreatAsPaidAfterQuery => "treat_as_paid_after_query",
            Action::TreatAsClosed => "treat_as_closed",
            Action::NotFound => "not_found",
            Action::Fail => "fail",
            Action::FailUser => "fail_user",
            Action::FailUserRefreshCode => "fail_user_refresh_code",
            Action::FailConfig => "fail_config",
            Action::FailUseRefund => "fail_use_refund",
        }
    }
}

/// What a judged answer calls for.
///
/// Nothing unproven decides anything: an unsigned failure is treated as no answer, whatever code it claims.
pub fn after(api: Api, answer: &Answer) -> Action {
    let outcome = match answer {
        Answer::Success(fields) => Outcome::Success { recall: asks_again(fields) },
        Answer::Refused { err_code, err_code_des, fields } => {
            Outcome::Refused { err_code, err_code_des: Some(err_code_des), recall: asks_again(fields) }
        }
        Answer::Unknown(Unknown::NotSigned { err_code, return_msg }) => {
            return after_unsigned(api, err_code.as_deref().unwrap_or(return_msg));
        }
        Answer::Unknown(_) => Outcome::NoAnswer,
    };
    next_action(api, outcome)
}

/// What an outcome calls for.
pub fn next_action(api: Api, outcome: Outcome<'_>) -> Action {
    match outcome {
        Outcome::NoAnswer => without_answer(api),
        Outcome::Success { recall } if api == Api::Reverse && recall => Action::RetrySameParams,
        Outcome::Success { .. } => Action::Proceed,
        Outcome::Refused { recall: true, .. } if api == Api::Reverse => Action::RetrySameParams,
        Outcome::Refused { err_code, err_code_des, .. } => {
            of_api(api, err_code, err_code_des).or_else(|| of_any(err_code)).unwrap_or_else(|| of_unknown_code(api))
        }
    }
}

/// Only what asks for patience or for us to be repaired is taken from an unsigned failure; it cannot move money.
fn after_unsigned(api: Api, code: &str) -> Action {
    match of_any(code) {
        Some(action @ (Action::BackoffRetrySameParams | Action::FailConfig)) if !moves_money(api) => action,
        _ => without_answer(api),
    }
}

/// Whether a call moves money at once, so that nothing but a verified answer may end it.
pub const fn moves_money(api: Api) -> bool {
    matches!(api, Api::Refund | Api::Micropay | Api::Facepay | Api::Reverse | Api::SendRedpack)
}

const fn without_answer(api: Api) -> Action {
    match api {
        Api::Micropay | Api::Facepay => Action::Query,
        _ => Action::RetrySameParams,
    }
}

/// A code that is in no table: never change the number of a call that could have moved money.
const fn of_unknown_code(api: Api) -> Action {
    if moves_money(api) || matches!(api, Api::CloseOrder) { Action::Query } else { Action::Fail }
}

/// Codes that mean something particular to one call.
fn of_api(api: Api, err_code: &str, err_code_des: Option<&str>) -> Option<Action> {
    match api {
        Api::UnifiedOrder => of_unified_order(err_code, err_code_des),
        Api::Micropay | Api::Facepay => of_pay_code(err_code, err_code_des),
        Api::Refund => of_refund(err_code),
        Api::Reverse => match err_code {
            "REVERSE_EXPIRE" => Some(Action::FailUseRefund),
            "TRADE_ERROR" | "INVALID_REQUEST" | "ORDERNOTEXIST" => Some(Action::Query),
            "INVALID_TRANSACTIONID" => Some(Action::FailConfig),
            _ => None,
        },
        Api::CloseOrder => match err_code {
            "ORDERPAID" => Some(Action::TreatAsPaidAfterQuery),
            "ORDERCLOSED" => Some(Action::TreatAsClosed),
            _ => None,
        },
        Api::OrderQuery => (err_code == "ORDERNOTEXIST").then_some(Action::NotFound),
        Api::RefundQuery => match err_code {
            "REFUNDNOTEXIST" => Some(Action::NotFound),
            "PARAM_ERROR" => Some(Action::Fail),
            _ => None,
        },
        Api::AuthCodeToOpenid => is_spent_pay_code(err_code).then_some(Action::FailUserRefreshCode),
        Api::DownloadBill => match err_code {
            "NO_BILL_EXIST" => Some(Action::NotFound),
            "BILL_CREATING" => Some(Action::BackoffRetrySameParams),
            _ => None,
        },
        // What came of an earlier sending of the same number is not said, so the number stays.
        Api::SendRedpack if err_code == "INVALID_REQUEST" => Some(Action::Query),
        Api::SendRedpack => (err_code == "NOTENOUGH").then_some(Action::Fail),
        Api::RedpackQuery => (err_code == "NOT_FOUND").then_some(Action::NotFound),
        Api::CommentQuery | Api::FaceCredential | Api::ShortUrl => None,
    }
}

fn of_unified_order(err_code: &str, err_code_des: Option<&str>) -> Option<Action> {
    Some(match err_code {
        "ORDERPAID" => Action::TreatAsPaidAfterQuery,
        "ORDERCLOSED" => Action::NewOutTradeNo,
        "OUT_TRADE_NO_USED" => Action::CheckDuplicateSubmit,
        // "201 商户订单号重复". Without any words the known cause is the likely one, and checking it harms nobody.
        "INVALID_REQUEST" if err_code_des.is_none_or(|words| words.is_empty() || words.contains("201")) => {
            Action::CheckDuplicateSubmit
        }
        "NOTENOUGH" => Action::FailUser,
        _ => return None,
    })
}

fn of_pay_code(err_code: &str, err_code_des: Option<&str>) -> Option<Action> {
    Some(match err_code {
        "SYSTEMERROR" | "BANKERROR" | "USERPAYING" => Action::Query,
        "NOTENOUGH" | "NOTSUPORTCARD" | "BUYER_MISMATCH" | "TRADE_ERROR" => Action::FailUser,
        "ORDERPAID" => Action::TreatAsPaidAfterQuery,
        "ORDERCLOSED" | "ORDERREVERSED" => Action::NewOutTradeNo,
        "OUT_TRADE_NO_USED" => Action::CheckDuplicateSubmit,
        // "201 商户订单号重复": what was sent under that number before may have been paid.
        "INVALID_REQUEST" if err_code_des.is_some_and(|words| words.contains("201")) => Action::CheckDuplicateSubmit,
        spent if is_spent_pay_code(spent) => Action::FailUserRefreshCode,
        _ => return None,
    })
}

fn is_spent_pay_code(err_code: &str) -> bool {
    matches!(err_code, "AUTHCODEEXPIRE" | "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID")
}

fn of_refund(err_code: &str) -> Option<Action> {
    Some(match err_code {
        "BIZERR_NEED_RETRY" => Action::RetrySameParams,
        "INVALID_REQ_TOO_MUCH" => Action::BackoffRetrySameParams,
        "TRADE_OVERDUE"
        | "NOTENOUGH"
        | "USER_ACCOUNT_ABNORMAL"
        | "ERROR"
        | "INVALID_TRANSACTIONID"
        | "ORDERNOTEXIST" => Action::Fail,
        _ => return None,
    })
}

/// Codes that mean the same to every call.
fn of_any(err_code: &str) -> Option<Action> {
    Some(match err_code {
        "SIGNERROR"
        | "XML_FORMAT_ERROR"
        | "REQUIRE_POST_METHOD"
        | "POST_DATA_EMPTY"
        | "NOT_UTF8"
        | "LACK_PARAMS"
        | "PARAM_ERROR"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH"
        | "NOAUTH" => Action::FailConfig,
        "SYSTEMERROR" => Action::RetrySameParams,
        "FREQUENCY_LIMITED" => Action::BackoffRetrySameParams,
        "INVALID_REQUEST" => Action::Fail,
        _ => return None,
    })
}
