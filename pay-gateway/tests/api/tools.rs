use proto::gateway::v1::{
    self, get_face_credential_response::Outcome as Credential, list_provider_refunds_response::Outcome as Refunds,
    not_done::Kind, refund_status::State, resolve_openid_response::Outcome as Resolved,
    shorten_url_response::Outcome as Shortened,
};
use wechat_pay::v2::{ApiKey, SignType, sign};

use crate::{
    counter::{OPENID, PAY_CODE, PROVIDER_APP, SUB_MCH_ID, named, providing, unsigned},
    fake::{Fake, Reply, signed, text},
    harness::{
        APP_ID, Gateway, KEY, MCH_ID, MERCHANT, NUMBER, REFUND, SIGN_TYPE, TRANSACTION, answered, is_signed, logs,
        refusal, success,
    },
};

fn pay_code() -> v1::ResolvePayCodeRequest {
    v1::ResolvePayCodeRequest { merchant: MERCHANT.into(), app_id: APP_ID.into(), auth_code: PAY_CODE.into() }
}

fn device() -> v1::GetFaceCredentialRequest {
    v1::GetFaceCredentialRequest {
        merchant: MERCHANT.into(),
        app_id: APP_ID.into(),
        store_id: "S1".into(),
        store_name: "通宝小店".into(),
        device_id: "D7".into(),
        rawdata: "cmF3ZGF0YQ==".into(),
    }
}

fn long_url() -> v1::ShortenUrlRequest {
    let long_url = "weixin://wxpay/bizpayurl?sign=A&product_id=1".into();
    v1::ShortenUrlRequest { merchant: MERCHANT.into(), app_id: APP_ID.into(), long_url }
}

fn refunds(offset: i32) -> v1::ListProviderRefundsRequest {
    let (merchant, app_id) = (MERCHANT.into(), APP_ID.into());
    v1::ListProviderRefundsRequest { merchant, app_id, transaction_id: TRANSACTION.into(), offset }
}

/// A genuine answer of a call that takes MD5 alone.
fn md5(more: &[(&str, &str)]) -> Reply {
    Reply::ok(text(&signed(&answered(more), KEY, SignType::Md5)))
}

async fn resolved(gateway: &Gateway) -> Resolved {
    let response = gateway.tools.clone().resolve_pay_code(pay_code()).await.expect("an outcome");
    response.into_inner().outcome.expect("an outcome is set")
}

async fn credential(reply: Reply) -> (Credential, Fake) {
    let fake = Fake::always(reply).await;
    let gateway = Gateway::before(&fake).await;
    let response = gateway.tools.clone().get_face_credential(device()).await.expect("an outcome");
    (response.into_inner().outcome.expect("an outcome is set"), fake)
}

async fn listed(reply: Reply, offset: i32) -> (Refunds, Fake) {
    let fake = Fake::always(reply).await;
    let gateway = Gateway::before(&fake).await;
    let response = gateway.tools.clone().list_provider_refunds(refunds(offset)).await.expect("an outcome");
    (response.into_inner().outcome.expect("an outcome is set"), fake)
}

#[tokio::test]
async fn who_shows_a_pay_code_is_asked_with_md5_whatever_the_merchants_type() {
    let fake = Fake::always(md5(&[("result_code", "SUCCESS"), ("openid", OPENID)])).await;
    let gateway = Gateway::before(&fake).await;
    assert!(matches!(resolved(&gateway).await, Resolved::Done(payer) if payer.openid == OPENID));
    let sent = fake.only();
    assert!(sent.line().starts_with("POST /tools/authcodetoopenid HTTP/1.1"));
    let key = ApiKey::parse(KEY).expect("a key");
    assert_eq!(sign::verify(&sent.fields, &key, SignType::Md5), Ok(()));
    assert_eq!((sent.fields.get("sign_type"), sent.fields.get("auth_code")), (None, Some(PAY_CODE)));
    let log = logs().text();
    assert!(!log.contains(PAY_CODE) && !log.contains(OPENID));
}

#[tokio::test]
async fn a_spent_pay_code_is_a_no_and_an_answer_of_another_type_is_none() {
    for code in ["AUTHCODEEXPIRE", "AUTH_CODE_ERROR", "AUTH_CODE_INVALID"] {
        let gateway = Gateway::before(&Fake::always(md5(&[("result_code", "FAIL"), ("err_code", code)])).await).await;
        assert!(matches!(resolved(&gateway).await, Resolved::NotDone(no) if no.kind() == Kind::PayCodeInvalid));
    }
    for (reply, why) in [
        (md5(&[("result_code", "FAIL"), ("err_code", "SYSTEMERROR")]), "system_error"),
        (success(&[("openid", OPENID)]), "bad_signature"),
        (md5(&[("result_code", "SUCCESS")]), "bad_answer"),
        (Reply::ok("<xml><return_code>FAIL</return_code></xml>"), "unsigned_failure"),
    ] {
        let gateway = Gateway::before(&Fake::always(reply).await).await;
        assert!(matches!(resolved(&gateway).await, Resolved::Unknown(unknown) if unknown.why == why), "{why}");
    }
}

#[tokio::test]
async fn a_sub_merchants_payer_is_told_under_its_own_app() {
    let told = [
        ("return_code", "SUCCESS"),
        ("appid", PROVIDER_APP),
        ("mch_id", MCH_ID),
        ("sub_appid", APP_ID),
        ("sub_mch_id", SUB_MCH_ID),
        ("result_code", "SUCCESS"),
        ("openid", "oOfTheProvider"),
        ("sub_openid", OPENID),
    ];
    let fake = Fake::always(Reply::ok(text(&signed(&told, KEY, SignType::Md5)))).await;
    let gateway = Gateway::of(providing(), &fake.url, &[]).await;
    assert!(matches!(resolved(&gateway).await, Resolved::Done(payer) if payer.openid == OPENID));
    let sent = fake.only().fields;
    assert_eq!((sent.get("sub_mch_id"), sent.get("sub_appid")), (Some(SUB_MCH_ID), Some(APP_ID)));
}

#[tokio::test]
async fn a_face_device_gets_its_credential_with_or_without_a_result_code() {
    let told = [("authinfo", "q+LKr9bSRIYwtA=="), ("expires_in", "7200")];
    let without = Reply::ok(text(&signed(&answered(&told), KEY, SIGN_TYPE)));
    for reply in [success(&told), without] {
        let (outcome, fake) = credential(reply).await;
        let Credential::Done(done) = outcome else { panic!("it is given") };
        assert_eq!((done.authinfo.as_str(), done.expires_in_s), ("q+LKr9bSRIYwtA==", 7200));
        let sent = fake.only();
        assert!(is_signed(&sent) && sent.line().starts_with("POST /face/get_wxpayface_authinfo HTTP/1.1"));
        for (name, value) in [
            ("store_id", "S1"),
            ("store_name", "通宝小店"),
            ("device_id", "D7"),
            ("rawdata", "cmF3ZGF0YQ=="),
            ("version", "1"),
            ("sign_type", "HMAC-SHA256"),
        ] {
            assert_eq!(sent.fields.get(name), Some(value), "{name}");
        }
    }
    assert!(!logs().text().contains("q+LKr9bSRIYwtA=="), "a credential stays out of the log");
}

#[tokio::test]
async fn a_credential_that_is_refused_or_not_proven_is_not_given() {
    let no = credential(refusal("NOAUTH", "无权限")).await.0;
    assert!(matches!(no, Credential::NotDone(no) if no.kind() == Kind::Configuration));
    let no = credential(refusal("INVALID_REQUEST", "")).await.0;
    assert!(matches!(no, Credential::NotDone(no) if no.kind() == Kind::Refused));
    for (reply, why) in [
        (success(&[("authinfo", "q")]), "bad_answer"),
        (Reply::ok(text(&answered(&[("authinfo", "q"), ("expires_in", "1")]).into_iter().collect())), "bad_signature"),
        (unsigned("系统繁忙"), "unsigned_failure"),
        (Reply::HangUp, "transport"),
    ] {
        let outcome = credential(reply).await.0;
        assert!(matches!(&outcome, Credential::Unknown(unknown) if unknown.why == why), "{why}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_face_host_may_be_another_one() {
    let (main, face) =
        (Fake::always(Reply::HangUp).await, Fake::always(success(&[("authinfo", "q"), ("expires_in", "1")])).await);
    let gateway = Gateway::at(&main.url, &["--wechat-face-url", face.url.as_str()]).await;
    let response = gateway.tools.clone().get_face_credential(device()).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Credential::Done(_))));
    assert_eq!((main.received().len(), face.received().len()), (0, 1));
}

#[tokio::test]
async fn a_short_text_is_asked_for_with_the_long_one_encoded() {
    let fake = Fake::always(success(&[("short_url", "weixin://wxpay/s/XxYyZz")])).await;
    let gateway = Gateway::before(&fake).await;
    let response = gateway.tools.clone().shorten_url(long_url()).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Shortened::Done(short)) if short.url == "weixin://wxpay/s/XxYyZz"));
    let mut sent = fake.only();
    assert!(sent.line().starts_with("POST /tools/shorturl HTTP/1.1"));
    assert_eq!(sent.fields.get("long_url"), Some("weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fsign%3DA%26product_id%3D1"));
    assert!(!is_signed(&sent));
    sent.fields.insert("long_url", long_url().long_url);
    assert!(is_signed(&sent), "the signature is over the raw text");

    let gateway = Gateway::before(&Fake::always(success(&[])).await).await;
    let response = gateway.tools.clone().shorten_url(long_url()).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Shortened::Unknown(unknown)) if unknown.why == "bad_answer"));
}

#[tokio::test]
async fn the_refunds_of_a_payment_are_listed_page_by_page() {
    let page = success(&[
        ("transaction_id", TRANSACTION),
        ("out_trade_no", NUMBER),
        ("total_fee", "4599"),
        ("total_refund_count", "12"),
        ("refund_count", "2"),
        ("out_refund_no_0", REFUND),
        ("refund_id_0", "50300002026112100000000000011"),
        ("refund_fee_0", "100"),
        ("refund_status_0", "SUCCESS"),
        ("refund_success_time_0", "2026-11-21 10:00:00"),
        ("out_refund_no_1", "made-in-the-platform"),
        ("refund_id_1", "50300002026112100000000000012"),
        ("refund_fee_1", "200"),
        ("refund_status_1", "CHANGE"),
    ]);
    let (outcome, fake) = listed(page, 10).await;
    let Refunds::Done(told) = outcome else { panic!("they are listed") };
    assert_eq!((told.total, told.refunds.len()), (12, 2));
    let [first, second] = &told.refunds[..] else { panic!("two of them") };
    assert_eq!((first.state(), first.amount_fen, first.out_refund_no.as_str()), (State::Succeeded, 100, REFUND));
    assert!(first.success_time.is_some() && first.mch_id == MCH_ID && first.transaction_id == TRANSACTION);
    assert_eq!((second.state(), second.out_refund_no.as_str()), (State::Abnormal, "made-in-the-platform"));
    let sent = fake.only();
    assert!(is_signed(&sent) && sent.line().starts_with("POST /pay/refundquery HTTP/1.1"));
    assert_eq!((sent.fields.get("transaction_id"), sent.fields.get("offset")), (Some(TRANSACTION), Some("10")));
    assert_eq!(sent.fields.get("out_refund_no"), None);
}

#[tokio::test]
async fn a_payment_without_refunds_is_an_answer_and_skipping_too_many_is_a_no() {
    let (outcome, fake) = listed(refusal("REFUNDNOTEXIST", ""), 0).await;
    assert!(matches!(outcome, Refunds::Done(told) if told.refunds.is_empty() && told.total == 0));
    assert_eq!(fake.only().fields.get("offset"), None);
    let (outcome, _) = listed(refusal("PARAM_ERROR", "offset"), 10).await;
    assert!(matches!(outcome, Refunds::NotDone(no) if no.kind() == Kind::Refused));
    let (outcome, _) = listed(refusal("PARAM_ERROR", ""), 0).await;
    assert!(matches!(outcome, Refunds::NotDone(no) if no.kind() == Kind::Configuration));
    let other = [("transaction_id", "4200002026112100000000000002"), ("out_trade_no", NUMBER), ("total_fee", "1")];
    let (outcome, _) = listed(success(&other), 0).await;
    assert!(matches!(outcome, Refunds::Unknown(unknown) if unknown.why == "bad_answer"));
    let (outcome, _) = listed(refusal("SYSTEMERROR", ""), 0).await;
    assert!(matches!(outcome, Refunds::Unknown(unknown) if unknown.why == "system_error"));
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(success(&[])).await;
    let gateway = Gateway::before(&fake).await;
    let mut tools = gateway.tools.clone();
    let status = tools.resolve_pay_code(v1::ResolvePayCodeRequest::default()).await.expect_err("refused");
    assert_eq!(named(&status), ["merchant", "app_id", "auth_code"]);
    let status = tools.get_face_credential(v1::GetFaceCredentialRequest::default()).await.expect_err("refused");
    assert_eq!(named(&status), ["merchant", "app_id", "store_id", "store_name", "device_id", "rawdata"]);
    let status = tools.shorten_url(v1::ShortenUrlRequest::default()).await.expect_err("refused");
    assert_eq!(named(&status), ["merchant", "app_id", "long_url"]);
    let status = tools.list_provider_refunds(v1::ListProviderRefundsRequest::default()).await.expect_err("refused");
    assert_eq!(named(&status), ["merchant", "app_id", "transaction_id"]);
    for offset in [-1, 1001] {
        let status = tools.list_provider_refunds(refunds(offset)).await.expect_err("refused");
        assert_eq!(named(&status), ["offset"]);
    }
    let unpaired = v1::ShortenUrlRequest { app_id: "wx0000000000000999".into(), ..long_url() };
    assert_eq!(named(&tools.shorten_url(unpaired).await.expect_err("refused")), ["app_id"]);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn an_unsigned_failure_says_nothing_unless_our_request_was_wrong() {
    for (words, kind) in [("签名错误", Kind::Configuration), ("FREQUENCY_LIMITED", Kind::RateLimited)] {
        let (outcome, _) = credential(unsigned(words)).await;
        assert!(matches!(outcome, Credential::NotDone(no) if no.kind() == kind), "{words}");
    }
}
