use wechat_pay::v2::action::{Action, Api, Outcome, after, next_action};
use wechat_pay::v2::{Answer, Unknown};

const MOVES_MONEY: [Api; 5] = [Api::Refund, Api::Micropay, Api::Facepay, Api::Reverse, Api::SendRedpack];

fn refused(api: Api, err_code: &str) -> Action {
    next_action(api, Outcome::Refused { err_code, err_code_des: None, recall: false })
}

#[test]
fn an_unknown_code_never_ends_a_call_that_may_have_moved_money() {
    for api in MOVES_MONEY {
        assert_eq!(refused(api, "BRAND_NEW_CODE"), Action::Query, "{api:?}");
        assert_eq!(refused(api, ""), Action::Query, "{api:?}");
    }
    assert_eq!(refused(Api::UnifiedOrder, "BRAND_NEW_CODE"), Action::Fail);
}

#[test]
fn without_an_answer_a_pay_code_is_queried_and_the_rest_is_sent_again() {
    assert_eq!(next_action(Api::Micropay, Outcome::NoAnswer), Action::Query);
    assert_eq!(next_action(Api::Facepay, Outcome::NoAnswer), Action::Query);
    for api in [Api::UnifiedOrder, Api::Refund, Api::RefundQuery, Api::OrderQuery, Api::CloseOrder, Api::Reverse] {
        assert_eq!(next_action(api, Outcome::NoAnswer), Action::RetrySameParams, "{api:?}");
    }
}

#[test]
fn an_unsigned_failure_decides_nothing_about_money() {
    let unsigned = |api, code: &str| {
        let unknown = Unknown::NotSigned { return_msg: "x".to_owned(), err_code: Some(code.to_owned()) };
        after(api, &Answer::Unknown(unknown))
    };
    assert_eq!(unsigned(Api::Micropay, "NOTENOUGH"), Action::Query);
    assert_eq!(unsigned(Api::Refund, "PARAM_ERROR"), Action::RetrySameParams);
    assert_eq!(unsigned(Api::UnifiedOrder, "ORDERPAID"), Action::RetrySameParams);
    assert_eq!(unsigned(Api::UnifiedOrder, "SIGNERROR"), Action::FailConfig);
    assert_eq!(unsigned(Api::OrderQuery, "FREQUENCY_LIMITED"), Action::BackoffRetrySameParams);
}

#[test]
fn a_number_used_otherwise_is_checked_and_not_overwritten() {
    let with = |words| {
        let outcome = Outcome::Refused { err_code: "INVALID_REQUEST", err_code_des: Some(words), recall: false };
        next_action(Api::UnifiedOrder, outcome)
    };
    assert_eq!(with("201 商户订单号重复"), Action::CheckDuplicateSubmit);
    let at_counter = |words| {
        let outcome = Outcome::Refused { err_code: "INVALID_REQUEST", err_code_des: Some(words), recall: false };
        next_action(Api::Micropay, outcome)
    };
    assert_eq!(at_counter("201 商户订单号重复"), Action::CheckDuplicateSubmit, "the earlier one may have been paid");
    assert_eq!(at_counter("非法请求"), Action::Fail);
    assert_eq!(with("非法请求"), Action::Fail);
    assert_eq!(refused(Api::UnifiedOrder, "OUT_TRADE_NO_USED"), Action::CheckDuplicateSubmit);
}

#[test]
fn recall_means_call_reverse_again_and_nothing_elsewhere() {
    assert_eq!(next_action(Api::Reverse, Outcome::Success { recall: true }), Action::RetrySameParams);
    assert_eq!(next_action(Api::Reverse, Outcome::Success { recall: false }), Action::Proceed);
    assert_eq!(next_action(Api::Refund, Outcome::Success { recall: true }), Action::Proceed);
}

#[test]
fn the_tables_of_single_calls_hold() {
    for (api, code, action) in [
        (Api::OrderQuery, "ORDERNOTEXIST", Action::NotFound),
        (Api::CloseOrder, "ORDERCLOSED", Action::TreatAsClosed),
        (Api::CloseOrder, "TRADE_STATE_ERROR", Action::Query),
        (Api::Refund, "FREQUENCY_LIMITED", Action::BackoffRetrySameParams),
        (Api::Refund, "INVALID_REQ_TOO_MUCH", Action::BackoffRetrySameParams),
        (Api::Refund, "TRADE_OVERDUE", Action::Fail),
        (Api::Micropay, "BANKERROR", Action::Query),
        (Api::Micropay, "NOTSUPORTCARD", Action::FailUser),
        (Api::Micropay, "ORDERREVERSED", Action::NewOutTradeNo),
        (Api::Micropay, "INVALID_REQUEST", Action::Fail),
        (Api::Micropay, "OUT_TRADE_NO_USED", Action::CheckDuplicateSubmit),
        (Api::Facepay, "AUTHCODEEXPIRE", Action::FailUserRefreshCode),
        (Api::Facepay, "USERPAYING", Action::Query),
        (Api::SendRedpack, "NOTENOUGH", Action::Fail),
        (Api::SendRedpack, "INVALID_REQUEST", Action::Query),
        (Api::RedpackQuery, "NOT_FOUND", Action::NotFound),
        (Api::CommentQuery, "SYSTEMERROR", Action::RetrySameParams),
        (Api::ShortUrl, "SIGNERROR", Action::FailConfig),
        (Api::Reverse, "REVERSE_EXPIRE", Action::FailUseRefund),
        (Api::Reverse, "TRADE_ERROR", Action::Query),
        (Api::AuthCodeToOpenid, "AUTH_CODE_INVALID", Action::FailUserRefreshCode),
        (Api::UnifiedOrder, "APPID_MCHID_NOT_MATCH", Action::FailConfig),
        (Api::DownloadBill, "BILL_CREATING", Action::BackoffRetrySameParams),
    ] {
        assert_eq!(refused(api, code), action, "{api:?} {code}");
    }
}
