use proto::gateway::v1::{self, create_refund_response::Outcome, not_done::Kind};
use proto::order::v1::RefundGoodsItem;
use tonic_types::StatusExt as _;
use wechat_pay::v2::SignType;

use crate::{
    fake::{Fake, Reply, signed, text},
    harness::{
        ACCEPTED, APP_ID, Gateway, KEY, MCH_ID, NUMBER, REFUND, SIGN_TYPE, TRANSACTION, answered, is_signed, logs,
        refund, refunding, refusal, success,
    },
};

async fn outcome(reply: Reply) -> (Outcome, Fake) {
    let fake = Fake::always(reply).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    (gateway.refund().await, fake)
}

async fn unknown(reply: Reply) -> (String, String) {
    match outcome(reply).await.0 {
        Outcome::Unknown(unknown) => (unknown.why, unknown.provider_code),
        other => panic!("unknown was expected: {other:?}"),
    }
}

/// The usual answer with another value in one field.
fn with(name: &str, value: &'static str) -> Reply {
    success(&ACCEPTED.map(|pair| if pair.0 == name { (pair.0, value) } else { pair }))
}

#[tokio::test]
async fn an_accepted_refund_is_done_with_wechats_number_of_it() {
    let fake = Fake::always(success(&ACCEPTED)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    for _ in 0..2 {
        let Outcome::Done(accepted) = gateway.refund().await else { panic!("it is accepted") };
        assert_eq!(accepted.refund_id, "50300002026112100000000000001");
    }
    let [first, second] = fake.received().try_into().expect("two requests");
    assert!(is_signed(&first) && is_signed(&second));
    assert!(first.line().starts_with("POST /secapi/pay/refund HTTP/1.1"));
    for (name, value) in [
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("transaction_id", TRANSACTION),
        ("out_refund_no", REFUND),
        ("total_fee", "4599"),
        ("refund_fee", "1500"),
        ("refund_desc", "尺码 & 颜色"),
        ("notify_url", "https://pay.example.com/notify/wechat-v2/acme-mini/refund"),
        ("sign_type", "HMAC-SHA256"),
    ] {
        assert_eq!((first.fields.get(name), second.fields.get(name)), (Some(value), Some(value)), "{name}");
    }
    assert_eq!(first.fields.get("out_trade_no"), None, "one number names the payment");
    assert_ne!(first.fields.get("nonce_str"), second.fields.get("nonce_str"));
    gateway.measures("provider_calls_total{operation=\"refund\",outcome=\"done\",detail=\"done\"} 2").await;
    let log = logs().text();
    let line = log.lines().find(|line| line.contains("refund for acme-mini: done (done)")).expect("it is logged");
    assert!(line.contains(&format!("out_refund_no=\"{REFUND}\"")) && !line.contains("out_trade_no"), "{line}");
    assert!(!log.contains("尺码"), "what people wrote stays out of the log");
}

#[tokio::test]
async fn a_refund_without_reason_sends_none() {
    let fake = Fake::always(success(&ACCEPTED)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    let request = v1::CreateRefundRequest { reason: String::new(), ..refund() };
    let response = gateway.client.clone().create_refund(request).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Outcome::Done(_))));
    assert_eq!(fake.only().fields.get("refund_desc"), None);
}

#[tokio::test]
async fn every_verified_no_is_told_with_what_to_do_about_it() {
    for (code, kind) in [
        ("NOTENOUGH", Kind::InsufficientBalance),
        ("TRADE_OVERDUE", Kind::Refused),
        ("USER_ACCOUNT_ABNORMAL", Kind::Refused),
        ("ERROR", Kind::Refused),
        ("INVALID_TRANSACTIONID", Kind::Refused),
        ("ORDERNOTEXIST", Kind::Refused),
        ("INVALID_REQUEST", Kind::Refused),
        ("FREQUENCY_LIMITED", Kind::RateLimited),
        ("INVALID_REQ_TOO_MUCH", Kind::RateLimited),
        ("SIGNERROR", Kind::Configuration),
    ] {
        let (outcome, fake) = outcome(refusal(code, "说明")).await;
        let Outcome::NotDone(no) = outcome else { panic!("{code} is a no: {outcome:?}") };
        assert_eq!((no.kind(), no.provider_code.as_str(), no.provider_message.as_str()), (kind, code, "说明"));
        assert_eq!(fake.received().len(), 1);
    }
}

#[tokio::test]
async fn what_a_code_leaves_open_is_unknown() {
    for (code, why) in [
        ("SYSTEMERROR", "system_error"),
        ("BIZERR_NEED_RETRY", "system_error"),
        ("A_NEW_CODE", "unlisted_code"),
        ("", "unlisted_code"),
    ] {
        assert_eq!(unknown(refusal(code, "")).await, (why.to_owned(), code.to_owned()));
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_broken_or_not_wechats_is_unknown() {
    let fields = answered(&[&[("result_code", "SUCCESS")][..], &ACCEPTED].concat());
    let sent_with = |key, sign_type| Reply::ok(text(&signed(&fields, key, sign_type)));
    let mut changed = signed(&fields, KEY, SIGN_TYPE);
    changed.insert("refund_id", "5");
    for (reply, why) in [
        (Reply::HangUp, "transport"),
        (success(&ACCEPTED).cut_after(100), "cut_off"),
        (Reply::status("502 Bad Gateway", "", "<html>nginx</html>"), "http_status"),
        (Reply::status("400 Bad Request", "", "<html>No required SSL certificate was sent</html>"), "http_status"),
        (Reply::status("302 Found", "location: https://elsewhere.example/\r\n", ""), "redirect"),
        (Reply::ok("<html>200</html>"), "not_xml"),
        (Reply::ok(text(&fields.iter().copied().collect())), "bad_signature"),
        (sent_with(&"x".repeat(32), SIGN_TYPE), "bad_signature"),
        (sent_with(KEY, SignType::Md5), "bad_signature"),
        (Reply::ok(text(&changed)), "bad_signature"),
        (success(&[("mch_id", "1900000999")]), "wrong_identity"),
    ] {
        assert_eq!(unknown(reply).await.0, why);
    }
}

#[tokio::test]
async fn no_answer_in_time_is_unknown() {
    let (gate, _) = tokio::sync::watch::channel(false);
    let fake = Fake::always(success(&ACCEPTED).held(&gate)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &["--provider-timeout-ms", "200"]).await;
    let Outcome::Unknown(unknown) = gateway.refund().await else { panic!("nobody answered") };
    assert_eq!(unknown.why, "timeout");
}

#[tokio::test]
async fn an_unsigned_failure_decides_nothing_whatever_it_says() {
    for words in ["签名错误", "mch_id参数格式错误", "FREQUENCY_LIMITED", "NOTENOUGH", "系统繁忙", ""] {
        let body = format!("<xml><return_code>FAIL</return_code><return_msg>{words}</return_msg></xml>");
        assert_eq!(unknown(Reply::ok(body)).await.0, "unsigned_failure", "{words}");
    }
    let with_code = "<xml><return_code>FAIL</return_code><err_code>NOTENOUGH</err_code></xml>";
    assert_eq!(unknown(Reply::ok(with_code)).await, ("unsigned_failure".to_owned(), "NOTENOUGH".to_owned()));
}

#[tokio::test]
async fn a_success_about_another_refund_payment_or_amount_is_unknown() {
    for (name, value) in [
        ("out_refund_no", "ffffffffffffffffffffffffffffffff"),
        ("transaction_id", "4200002026112100000000000002"),
        ("refund_fee", "1501"),
        ("refund_fee", "15.00"),
        ("refund_id", ""),
        ("out_refund_no", ""),
        ("refund_fee", ""),
    ] {
        assert_eq!(unknown(with(name, value)).await.0, "bad_answer", "{name} {value}");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(success(&ACCEPTED)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    let refused = async |request: v1::CreateRefundRequest| {
        let status = gateway.client.clone().create_refund(request).await.expect_err("it is refused");
        let told = status.get_details_bad_request().expect("the fields are named").field_violations;
        told.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
    };
    let all = ["merchant", "mch_id", "app_id", "transaction_id", "out_refund_no", "total_fen", "amount_fen"];
    assert_eq!(refused(v1::CreateRefundRequest::default()).await, all);
    let good = refund();
    for (field, request) in [
        ("mch_id", v1::CreateRefundRequest { mch_id: "1900000999".into(), ..good.clone() }),
        ("app_id", v1::CreateRefundRequest { app_id: "wx-1".into(), ..good.clone() }),
        ("transaction_id", v1::CreateRefundRequest { transaction_id: "4".repeat(33), ..good.clone() }),
        ("transaction_id", v1::CreateRefundRequest { transaction_id: "42 00".into(), ..good.clone() }),
        ("out_refund_no", v1::CreateRefundRequest { out_refund_no: NUMBER.to_uppercase(), ..good.clone() }),
        ("total_fen", v1::CreateRefundRequest { total_fen: i64::from(i32::MAX) + 1, ..good.clone() }),
        ("amount_fen", v1::CreateRefundRequest { amount_fen: 0, ..good.clone() }),
        ("amount_fen", v1::CreateRefundRequest { amount_fen: -1, ..good.clone() }),
        ("amount_fen", v1::CreateRefundRequest { amount_fen: 4600, ..good.clone() }),
        ("reason", v1::CreateRefundRequest { reason: "码".repeat(27), ..good.clone() }),
        ("reason", v1::CreateRefundRequest { reason: "a\nb".into(), ..good.clone() }),
    ] {
        assert_eq!(refused(request).await, [field]);
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_payment_can_be_refunded_after_its_app_was_taken_out_of_the_file() {
    let gone = "wx0000000000000099";
    let mut fields = answered(&[&[("result_code", "SUCCESS")][..], &ACCEPTED].concat());
    fields.retain(|(name, _)| *name != "appid");
    fields.push(("appid", gone));
    let fake = Fake::always(Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    let request = v1::CreateRefundRequest { app_id: gone.into(), ..refund() };
    let response = gateway.client.clone().create_refund(request).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Outcome::Done(_))));
}

fn goods() -> Vec<RefundGoodsItem> {
    let tea = RefundGoodsItem {
        goods_id: "tea-1".into(),
        wxpay_goods_id: "1001".into(),
        name: "茶".into(),
        refund_fen: 1500,
        quantity: 1,
        price_fen: 2000,
    };
    vec![tea]
}

#[tokio::test]
async fn a_refund_of_goods_has_a_path_of_its_own_and_names_them() {
    let fake = Fake::always(success(&ACCEPTED)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    let request = v1::CreateRefundRequest { goods: goods(), ..refund() };
    let response = gateway.client.clone().create_refund(request).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Outcome::Done(_))));
    let received = fake.only();
    assert!(is_signed(&received));
    assert!(received.line().starts_with("POST /secapi/pay/refundv2 HTTP/1.1"));
    let detail = r#"{"goods_detail":[{"goods_id":"tea-1","wxpay_goods_id":"1001","goods_name":"茶","refund_amount":1500,"refund_quantity":1,"price":2000}]}"#;
    assert_eq!(received.fields.get("detail"), Some(detail));
    assert_eq!(received.fields.get("refund_fee"), Some("1500"));
}

#[tokio::test]
async fn goods_that_wechat_would_not_take_are_refused_by_their_path() {
    let fake = Fake::always(success(&ACCEPTED)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    let mut wrong = goods();
    wrong.push(RefundGoodsItem::default());
    for (goods, fields) in [
        (wrong, &["goods[1].goods_id", "goods[1].refund_fen", "goods[1].quantity"][..]),
        (vec![goods().remove(0); 60], &["goods"][..]),
    ] {
        let request = v1::CreateRefundRequest { goods, ..refund() };
        let status = gateway.client.clone().create_refund(request).await.expect_err("it is refused");
        let told = status.get_details_bad_request().expect("the fields are named").field_violations;
        let told: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(told, fields);
    }
    assert!(fake.received().is_empty());
}
