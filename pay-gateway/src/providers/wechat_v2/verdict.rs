//! What an answer that is no success amounts to: a definite no, or nothing at all.

use wechat_pay::v2::{
    Answer, FieldError, Unknown as Unproven,
    action::{self, Action, Api},
};

use crate::outcome::{Failure, Kind, NotDone, Unknown, Why};

/// Judges any answer but a success.
///
/// A code that calls for a query is unknown, as is a refused question: not being told about a payment says nothing about
/// it. Unsigned failures decide nothing either, except that a request that WeChat could not read was not carried out;
/// such a no asks for a person or for patience, and never ends an attempt. Of what moves money not even that is believed.
pub(super) fn of(api: Api, answer: &Answer) -> Failure {
    let action = action::after(api, answer);
    match answer {
        Answer::Refused { err_code, err_code_des, .. } => refused(api, action, err_code, err_code_des),
        Answer::Unknown(unproven) => unproven_answer(api, action, unproven),
        Answer::Success(_) => Unknown::new(Why::BadAnswer).into(),
    }
}

/// A genuine answer that lacks what it promises, or is about something else.
pub(super) fn incomplete(error: &FieldError) -> Unknown {
    Unknown::new(Why::BadAnswer).because(error)
}

fn refused(api: Api, action: Action, code: &str, words: &str) -> Failure {
    let no = |kind| NotDone::new(kind, code, words).into();
    let unknown = |why| Unknown::new(why).with_code(code).into();
    match action {
        Action::TreatAsPaidAfterQuery => no(Kind::AlreadyPaid),
        Action::TreatAsClosed | Action::NewOutTradeNo => no(Kind::AlreadyClosed),
        Action::FailConfig => no(Kind::Configuration),
        Action::BackoffRetrySameParams => no(Kind::RateLimited),
        Action::Fail if matches!(api, Api::Refund | Api::SendRedpack) && code == "NOTENOUGH" => {
            no(Kind::InsufficientBalance)
        }
        Action::FailUserRefreshCode => no(Kind::PayCodeInvalid),
        Action::FailUser if at_counter(api) => no(Kind::PayerCannotPay),
        Action::FailUseRefund => no(Kind::TooLate),
        Action::Fail if at_counter(api) || is_tool(api) => no(Kind::Refused),
        Action::Query if at_counter(api) && matches!(code, "SYSTEMERROR" | "BANKERROR") => unknown(Why::SystemError),
        Action::Fail | Action::FailUser if matches!(api, Api::UnifiedOrder | Api::Refund) => no(Kind::Refused),
        // Asked by one number there is no page that may be wrong, so it is the rest of our request.
        Action::Fail if api == Api::RefundQuery && code == "PARAM_ERROR" => no(Kind::Configuration),
        // The number was accepted earlier, with other content; only a query can say what became of that.
        Action::CheckDuplicateSubmit => unknown(Why::NumberInUse),
        Action::RetrySameParams => unknown(Why::SystemError),
        Action::Query if api == Api::CloseOrder && says_too_early(words) => no(Kind::TooEarly),
        Action::Query | Action::Fail | Action::FailUser | Action::NotFound | Action::Proceed => {
            unknown(Why::UnlistedCode)
        }
    }
}

fn unproven_answer(api: Api, action: Action, unproven: &Unproven) -> Failure {
    match unproven {
        Unproven::NotSigned { return_msg, err_code } => {
            let code = err_code.as_deref().unwrap_or_default();
            match action {
                Action::FailConfig => NotDone::new(Kind::Configuration, code, return_msg).into(),
                Action::BackoffRetrySameParams => NotDone::new(Kind::RateLimited, code, return_msg).into(),
                // Nobody has signed these words, and they do not prove what was done before they were written: a no to a refund
                // that was accepted could end in a second one. So it stays unknown and is asked about; and when a key or number
                // of ours is wrong, that question, which moves nothing, is refused in the same words and tells it.
                _ if says_bad_request(return_msg) && !action::moves_money(api) => {
                    NotDone::new(Kind::Configuration, code, return_msg).into()
                }
                _ => Unknown::new(Why::Unsigned).with_code(code).because(unproven).into(),
            }
        }
        Unproven::HttpStatus(status) => Unknown::new(Why::HttpStatus).with_code(status.to_string()).into(),
        Unproven::Unreadable(_) => Unknown::new(Why::NotXml).because(unproven).into(),
        Unproven::BadSign(_) => Unknown::new(Why::BadSignature).because(unproven).into(),
        Unproven::Foreign { .. } => Unknown::new(Why::WrongIdentity).because(unproven).into(),
        Unproven::NoResult => Unknown::new(Why::BadAnswer).because(unproven).into(),
    }
}

const fn at_counter(api: Api) -> bool {
    matches!(api, Api::Micropay | Api::Facepay)
}

/// Calls that ask for something and move nothing, and whose refusals are signed.
const fn is_tool(api: Api) -> bool {
    matches!(api, Api::AuthCodeToOpenid | Api::FaceCredential | Api::ShortUrl)
}

/// WeChat's tables have no code for a close within five minutes of the order, so its words must do. Reading them wrongly
/// costs nothing: nothing was closed in either case, and the close is asked for again.
fn says_too_early(words: &str) -> bool {
    ["5分钟", "五分钟"].iter().any(|told| words.contains(told))
}

/// Words of a failure that carries no signature because the request could not be read or verified: WeChat names what is
/// wrong with it in words alone.
fn says_bad_request(return_msg: &str) -> bool {
    let words = return_msg.to_lowercase();
    ["签名", "缺少", "参数", "格式", "sign error", "appid", "mch_id", "mchid"].iter().any(|told| words.contains(told))
}

#[cfg(test)]
mod tests {
    use wechat_pay::v2::{Answer, Fields, Unknown as Unproven, action::Api};

    use super::of;
    use crate::outcome::{Failure, Kind, Why};

    fn refused(api: Api, code: &str, words: &str) -> Failure {
        of(api, &Answer::Refused { err_code: code.into(), err_code_des: words.into(), fields: Fields::new() })
    }

    fn unsigned(api: Api, words: &str) -> Failure {
        of(api, &Answer::Unknown(Unproven::NotSigned { return_msg: words.into(), err_code: None }))
    }

    fn kind(failure: Failure) -> Result<Kind, Why> {
        match failure {
            Failure::NotDone(no) => Ok(no.kind),
            Failure::Unknown(unknown) => Err(unknown.why),
        }
    }

    #[test]
    fn every_code_of_unifiedorder_has_its_outcome() {
        for (code, words, expected) in [
            ("SYSTEMERROR", "", Err(Why::SystemError)),
            ("ORDERPAID", "", Ok(Kind::AlreadyPaid)),
            ("ORDERCLOSED", "", Ok(Kind::AlreadyClosed)),
            ("OUT_TRADE_NO_USED", "", Err(Why::NumberInUse)),
            ("INVALID_REQUEST", "201 商户订单号重复", Err(Why::NumberInUse)),
            ("INVALID_REQUEST", "此商户不支持", Ok(Kind::Refused)),
            ("NOTENOUGH", "", Ok(Kind::Refused)),
            ("FREQUENCY_LIMITED", "", Ok(Kind::RateLimited)),
            ("NOAUTH", "", Ok(Kind::Configuration)),
            ("APPID_NOT_EXIST", "", Ok(Kind::Configuration)),
            ("MCHID_NOT_EXIST", "", Ok(Kind::Configuration)),
            ("APPID_MCHID_NOT_MATCH", "", Ok(Kind::Configuration)),
            ("LACK_PARAMS", "", Ok(Kind::Configuration)),
            ("PARAM_ERROR", "", Ok(Kind::Configuration)),
            ("SIGNERROR", "", Ok(Kind::Configuration)),
            ("XML_FORMAT_ERROR", "", Ok(Kind::Configuration)),
            ("REQUIRE_POST_METHOD", "", Ok(Kind::Configuration)),
            ("POST_DATA_EMPTY", "", Ok(Kind::Configuration)),
            ("NOT_UTF8", "", Ok(Kind::Configuration)),
            ("SOMETHING_NEW", "", Ok(Kind::Refused)),
        ] {
            assert_eq!(kind(refused(Api::UnifiedOrder, code, words)), expected, "{code} {words}");
        }
    }

    #[test]
    fn a_refused_question_decides_nothing() {
        for (code, expected) in [
            ("SYSTEMERROR", Err(Why::SystemError)),
            ("FREQUENCY_LIMITED", Ok(Kind::RateLimited)),
            ("SIGNERROR", Ok(Kind::Configuration)),
            ("INVALID_REQUEST", Err(Why::UnlistedCode)),
            ("SOMETHING_NEW", Err(Why::UnlistedCode)),
        ] {
            assert_eq!(kind(refused(Api::OrderQuery, code, "")), expected, "{code}");
        }
    }

    #[test]
    fn every_code_of_closeorder_has_its_outcome() {
        for (code, words, expected) in [
            ("ORDERPAID", "", Ok(Kind::AlreadyPaid)),
            ("ORDERCLOSED", "", Ok(Kind::AlreadyClosed)),
            ("SYSTEMERROR", "", Err(Why::SystemError)),
            ("ORDERNOTEXIST", "", Err(Why::UnlistedCode)),
            ("TRADE_STATE_ERROR", "", Err(Why::UnlistedCode)),
            ("TRADE_STATE_ERROR", "订单生成后5分钟内不能关闭", Ok(Kind::TooEarly)),
            ("SOMETHING_NEW", "", Err(Why::UnlistedCode)),
        ] {
            assert_eq!(kind(refused(Api::CloseOrder, code, words)), expected, "{code} {words}");
        }
    }

    #[test]
    fn every_code_of_refund_has_its_outcome() {
        for (code, expected) in [
            ("SYSTEMERROR", Err(Why::SystemError)),
            ("BIZERR_NEED_RETRY", Err(Why::SystemError)),
            ("FREQUENCY_LIMITED", Ok(Kind::RateLimited)),
            ("INVALID_REQ_TOO_MUCH", Ok(Kind::RateLimited)),
            ("NOTENOUGH", Ok(Kind::InsufficientBalance)),
            ("TRADE_OVERDUE", Ok(Kind::Refused)),
            ("USER_ACCOUNT_ABNORMAL", Ok(Kind::Refused)),
            ("ERROR", Ok(Kind::Refused)),
            ("INVALID_TRANSACTIONID", Ok(Kind::Refused)),
            ("ORDERNOTEXIST", Ok(Kind::Refused)),
            ("INVALID_REQUEST", Ok(Kind::Refused)),
            ("PARAM_ERROR", Ok(Kind::Configuration)),
            ("APPID_NOT_EXIST", Ok(Kind::Configuration)),
            ("MCHID_NOT_EXIST", Ok(Kind::Configuration)),
            ("APPID_MCHID_NOT_MATCH", Ok(Kind::Configuration)),
            ("NOAUTH", Ok(Kind::Configuration)),
            ("LACK_PARAMS", Ok(Kind::Configuration)),
            ("REQUIRE_POST_METHOD", Ok(Kind::Configuration)),
            ("POST_DATA_EMPTY", Ok(Kind::Configuration)),
            ("NOT_UTF8", Ok(Kind::Configuration)),
            ("SIGNERROR", Ok(Kind::Configuration)),
            ("XML_FORMAT_ERROR", Ok(Kind::Configuration)),
            ("REFUNDNOTEXIST", Err(Why::UnlistedCode)),
            ("SOMETHING_NEW", Err(Why::UnlistedCode)),
            ("", Err(Why::UnlistedCode)),
        ] {
            assert_eq!(kind(refused(Api::Refund, code, "")), expected, "{code}");
        }
    }

    #[test]
    fn every_code_of_refundquery_has_its_outcome() {
        for (code, expected) in [
            ("SYSTEMERROR", Err(Why::SystemError)),
            ("FREQUENCY_LIMITED", Ok(Kind::RateLimited)),
            ("INVALID_TRANSACTIONID", Err(Why::UnlistedCode)),
            ("INVALID_REQUEST", Err(Why::UnlistedCode)),
            ("PARAM_ERROR", Ok(Kind::Configuration)),
            ("APPID_NOT_EXIST", Ok(Kind::Configuration)),
            ("MCHID_NOT_EXIST", Ok(Kind::Configuration)),
            ("REQUIRE_POST_METHOD", Ok(Kind::Configuration)),
            ("SIGNERROR", Ok(Kind::Configuration)),
            ("XML_FORMAT_ERROR", Ok(Kind::Configuration)),
            ("SOMETHING_NEW", Err(Why::UnlistedCode)),
        ] {
            assert_eq!(kind(refused(Api::RefundQuery, code, "")), expected, "{code}");
        }
    }

    #[test]
    fn an_unsigned_failure_of_a_refund_decides_nothing_whatever_it_says() {
        for words in ["签名失败", "SIGNERROR", "缺少参数", "FREQUENCY_LIMITED", "NOTENOUGH", "mch_id参数格式错误", "OK"]
        {
            assert_eq!(kind(unsigned(Api::Refund, words)), Err(Why::Unsigned), "{words}");
        }
        // The question about it moves nothing, and so it may tell that our request is wrong.
        assert_eq!(kind(unsigned(Api::RefundQuery, "签名失败")), Ok(Kind::Configuration));
    }

    #[test]
    fn an_unsigned_failure_decides_nothing_unless_the_request_could_not_be_read() {
        assert_eq!(kind(unsigned(Api::UnifiedOrder, "签名失败")), Ok(Kind::Configuration));
        assert_eq!(kind(unsigned(Api::UnifiedOrder, "SIGNERROR")), Ok(Kind::Configuration));
        assert_eq!(kind(unsigned(Api::UnifiedOrder, "FREQUENCY_LIMITED")), Ok(Kind::RateLimited));
        assert_eq!(kind(unsigned(Api::UnifiedOrder, "ORDERPAID")), Err(Why::Unsigned));
        assert_eq!(kind(unsigned(Api::UnifiedOrder, "系统繁忙")), Err(Why::Unsigned));
    }
}
