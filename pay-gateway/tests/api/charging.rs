use jiff::SignedDuration;
use proto::{
    gateway::v1::{self, PaymentMethod, charge_response::Outcome, not_done::Kind, payment_status::State},
    order::v1::{Goods, Particulars},
};
use svc_kit::refusal::reason_of;
use tonic::Code;
use wechat_pay::v2::{ApiKey, SignType, sign};

use crate::{
    counter::{FACE_CODE, OPENID, PAY_CODE, TAKEN, certified, named, particulars},
    fake::{Fake, Reply, signed, text},
    harness::{
        APP_ID, Gateway, KEY, MCH_ID, NUMBER, TRANSACTION, answered, is_signed, logs, refunding, refusal, success,
    },
};

async fn outcome(reply: Reply) -> Outcome {
    let fake = Fake::always(reply).await;
    let gateway = certified(&fake).await;
    let outcome = gateway.charge(gateway.charge_request()).await;
    assert_eq!(fake.received().len(), 1, "it is sent once");
    outcome
}

async fn unknown(reply: Reply) -> (String, String) {
    match outcome(reply).await {
        Outcome::Unknown(unknown) => (unknown.why, unknown.provider_code),
        other => panic!("unknown was expected: {other:?}"),
    }
}

fn with(name: &str, value: &'static str) -> Reply {
    success(&TAKEN.map(|pair| if pair.0 == name { (pair.0, value) } else { pair }))
}

#[tokio::test]
async fn a_payment_by_pay_code_is_done_with_everything_that_proves_it() {
    let fake = Fake::always(success(&TAKEN)).await;
    let gateway = certified(&fake).await;
    let Outcome::Done(status) = gateway.charge(gateway.charge_request()).await else { panic!("it is paid") };
    assert_eq!((status.state(), status.provider_state.as_str()), (State::Paid, "SUCCESS"));
    let expected = v1::PaidStatus {
        transaction_id: TRANSACTION.into(),
        amount_fen: 4599,
        payer_amount_fen: 4000,
        currency: "CNY".into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        out_trade_no: NUMBER.into(),
        paid_time: Some(proto::time::to_wire("2026-11-21T02:00:00Z".parse().expect("an instant"))),
        trade_type: "MICROPAY".into(),
        bank_type: "OTHERS".into(),
        ..Default::default()
    };
    assert_eq!(status.paid, Some(expected));

    let received = fake.only();
    assert!(is_signed(&received) && received.line().starts_with("POST /pay/micropay HTTP/1.1"));
    for (name, value) in [
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("body", "通宝小店-苹果 & 梨"),
        ("out_trade_no", NUMBER),
        ("total_fee", "4599"),
        ("spbill_create_ip", "203.0.113.9"),
        ("auth_code", PAY_CODE),
    ] {
        assert_eq!(received.fields.get(name), Some(value), "{name}");
    }
    assert_eq!(received.fields.get("time_expire").map(str::len), Some(14));
    for absent in ["notify_url", "face_code", "openid", "sub_mch_id", "deposit"] {
        assert_eq!(received.fields.get(absent), None, "{absent}");
    }
    gateway.measures("provider_calls_total{operation=\"charge\",outcome=\"done\",detail=\"done\"} 1").await;
}

#[tokio::test]
async fn a_face_code_of_eighteen_digits_is_taken_like_a_pay_code() {
    let fake = Fake::always(success(&TAKEN)).await;
    let gateway = certified(&fake).await;
    let request = v1::ChargeRequest {
        method: PaymentMethod::Face.into(),
        code: "990000000000000000".into(),
        ..gateway.charge_request()
    };
    assert!(matches!(gateway.charge(request).await, Outcome::Done(_)));
    let received = fake.only();
    assert!(received.line().starts_with("POST /pay/micropay HTTP/1.1"));
    assert_eq!(received.fields.get("auth_code"), Some("990000000000000000"));
}

#[tokio::test]
async fn the_older_face_api_is_signed_with_hmac_even_for_a_merchant_of_md5() {
    let mut told = answered(&[("result_code", "SUCCESS")]);
    told.extend(TAKEN);
    let fake = Fake::always(Reply::ok(text(&signed(&told, KEY, SignType::HmacSha256)))).await;
    let dir = refunding();
    let file = dir.path().join("acme-mini.toml");
    let md5 = std::fs::read_to_string(&file).expect("the file is there").replace("HMAC-SHA256", "MD5");
    std::fs::write(&file, md5).expect("the file can be written");
    let gateway = Gateway::of(dir, &fake.url, &[]).await;
    let outcome = gateway.charge(gateway.facepay_request()).await;
    assert!(matches!(outcome, Outcome::Done(status) if status.state() == State::Paid));
    let received = fake.only();
    assert!(received.line().starts_with("POST /pay/facepay HTTP/1.1"));
    let key = ApiKey::parse(KEY).expect("a key");
    assert_eq!(sign::verify(&received.fields, &key, SignType::HmacSha256), Ok(()));
    for (name, value) in [("face_code", FACE_CODE), ("openid", OPENID), ("sign_type", "HMAC-SHA256")] {
        assert_eq!(received.fields.get(name), Some(value), "{name}");
    }
    assert_eq!(received.fields.get("auth_code"), None);
}

#[tokio::test]
async fn what_the_order_tells_is_told_to_wechat() {
    let fake = Fake::always(success(&TAKEN)).await;
    let gateway = certified(&fake).await;
    let told = |request: v1::ChargeRequest| v1::ChargeRequest { particulars: Some(particulars()), ..request };
    gateway.charge(told(gateway.charge_request())).await;
    gateway.charge(told(gateway.facepay_request())).await;
    let [by_code, by_face] = fake.received().try_into().expect("two requests");
    for (name, value) in [
        ("version", "1.0"),
        ("device_info", "D7"),
        ("attach", "till 7"),
        ("goods_tag", "WXG"),
        ("limit_pay", "no_credit"),
        ("receipt", "Y"),
        ("profit_sharing", "Y"),
        ("scene_info", r#"{"store_info":{"id":"SZTX001"}}"#),
    ] {
        assert_eq!((by_code.fields.get(name), by_face.fields.get(name)), (Some(value), Some(value)), "{name}");
    }
    let detail = |word: &str| format!(r#"{{"goods_detail":[{{"goods_id":"g1","{word}":2,"price":2299}}]}}"#);
    assert_eq!(by_code.fields.get("detail"), Some(detail("quantity").as_str()));
    assert_eq!(by_face.fields.get("detail"), Some(detail("goods_num").as_str()));
}

#[tokio::test]
async fn a_payer_who_enters_a_password_is_paying() {
    let Outcome::Done(status) = outcome(refusal("USERPAYING", "需要用户输入支付密码")).await else {
        panic!("it is under way")
    };
    assert_eq!((status.state(), status.provider_state.as_str(), status.paid), (State::Paying, "USERPAYING", None));
}

#[tokio::test]
async fn every_verified_no_is_told_with_what_to_do_about_it() {
    for (code, kind) in [
        ("AUTHCODEEXPIRE", Kind::PayCodeInvalid),
        ("AUTH_CODE_ERROR", Kind::PayCodeInvalid),
        ("AUTH_CODE_INVALID", Kind::PayCodeInvalid),
        ("NOTENOUGH", Kind::PayerCannotPay),
        ("NOTSUPORTCARD", Kind::PayerCannotPay),
        ("BUYER_MISMATCH", Kind::PayerCannotPay),
        ("TRADE_ERROR", Kind::PayerCannotPay),
        ("ORDERPAID", Kind::AlreadyPaid),
        ("ORDERCLOSED", Kind::AlreadyClosed),
        ("ORDERREVERSED", Kind::AlreadyClosed),
        ("FREQUENCY_LIMITED", Kind::RateLimited),
        ("INVALID_REQUEST", Kind::Refused),
        ("PARAM_ERROR", Kind::Configuration),
        ("NOAUTH", Kind::Configuration),
        ("LACK_PARAMS", Kind::Configuration),
        ("SIGNERROR", Kind::Configuration),
        ("XML_FORMAT_ERROR", Kind::Configuration),
        ("REQUIRE_POST_METHOD", Kind::Configuration),
        ("POST_DATA_EMPTY", Kind::Configuration),
        ("NOT_UTF8", Kind::Configuration),
        ("APPID_NOT_EXIST", Kind::Configuration),
        ("MCHID_NOT_EXIST", Kind::Configuration),
        ("APPID_MCHID_NOT_MATCH", Kind::Configuration),
    ] {
        let Outcome::NotDone(no) = outcome(refusal(code, "说明")).await else { panic!("{code} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str(), no.provider_message.as_str()), (kind, code, "说明"));
    }
}

#[tokio::test]
async fn what_a_code_leaves_open_is_unknown() {
    for (code, words, why) in [
        ("SYSTEMERROR", "", "system_error"),
        ("BANKERROR", "", "system_error"),
        ("OUT_TRADE_NO_USED", "", "number_in_use"),
        ("INVALID_REQUEST", "201 商户订单号重复", "number_in_use"),
        ("A_NEW_CODE", "", "unlisted_code"),
        ("", "", "unlisted_code"),
    ] {
        assert_eq!(unknown(refusal(code, words)).await, (why.to_owned(), code.to_owned()));
    }
}

#[tokio::test]
async fn another_amount_is_told_as_it_is_and_another_number_is_unknown() {
    for (name, value) in [("total_fee", "1"), ("fee_type", "USD"), ("transaction_id", "4200002026112100000000000002")] {
        let Outcome::Done(status) = outcome(with(name, value)).await else { panic!("it is paid") };
        let paid = status.paid.expect("it is told");
        assert!([paid.amount_fen.to_string(), paid.currency, paid.transaction_id].contains(&value.to_owned()));
    }
    for (name, value) in [
        ("out_trade_no", "ffffffffffffffffffffffffffffffff"),
        ("out_trade_no", ""),
        ("transaction_id", ""),
        ("total_fee", ""),
        ("total_fee", "45.99"),
        ("time_end", ""),
        ("time_end", "2026-11-21"),
    ] {
        assert_eq!(unknown(with(name, value)).await.0, "bad_answer", "{name} {value}");
    }
}

#[tokio::test]
async fn a_no_about_another_number_decides_nothing() {
    for code in ["NOTENOUGH", "USERPAYING"] {
        let fields = answered(&[
            ("result_code", "FAIL"),
            ("err_code", code),
            ("out_trade_no", "ffffffffffffffffffffffffffffffff"),
        ]);
        let reply = Reply::ok(text(&signed(&fields, KEY, SignType::HmacSha256)));
        assert_eq!(unknown(reply).await.0, "bad_answer", "{code}");
    }
}

#[tokio::test]
async fn what_cannot_be_reversed_is_not_started() {
    let fake = Fake::always(success(&TAKEN)).await;
    let gateway = Gateway::before(&fake).await;
    for request in [gateway.charge_request(), gateway.facepay_request()] {
        let status = gateway.client.clone().charge(request).await.expect_err("refused");
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason_of(&status).as_deref(), Some("METHOD_NOT_AVAILABLE"));
        assert!(status.message().contains("client certificate"), "{}", status.message());
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(success(&TAKEN)).await;
    let gateway = certified(&fake).await;
    let refused = async |request: v1::ChargeRequest| {
        let status = gateway.client.clone().charge(request).await.expect_err("refused");
        assert!(!status.message().contains(PAY_CODE) && !status.message().contains(FACE_CODE));
        named(&status)
    };
    let all = [
        "merchant",
        "mch_id",
        "app_id",
        "out_trade_no",
        "amount_fen",
        "description",
        "expire_time",
        "terminal_ip",
        "method",
        "code",
    ];
    assert_eq!(refused(v1::ChargeRequest::default()).await, all);
    let (good, by_face) = (gateway.charge_request(), gateway.facepay_request());
    let soon = Some(proto::time::to_wire(gateway.ahead(SignedDuration::from_secs(60))));
    let of = |method: PaymentMethod| v1::ChargeRequest { method: method.into(), ..good.clone() };
    for (field, request) in [
        ("mch_id", v1::ChargeRequest { mch_id: "1900000999".into(), ..good.clone() }),
        ("sub_mch_id", v1::ChargeRequest { sub_mch_id: "1900000999".into(), ..good.clone() }),
        ("app_id", v1::ChargeRequest { app_id: "wx0000000000000999".into(), ..good.clone() }),
        ("amount_fen", v1::ChargeRequest { amount_fen: 100_000_001, ..good.clone() }),
        ("expire_time", v1::ChargeRequest { expire_time: soon, ..good.clone() }),
        ("terminal_ip", v1::ChargeRequest { terminal_ip: "till".into(), ..good.clone() }),
        ("method", of(PaymentMethod::Jsapi)),
        ("method", v1::ChargeRequest { method: 99, ..good.clone() }),
        ("code", v1::ChargeRequest { code: "164567890123456789".into(), ..good.clone() }),
        ("code", v1::ChargeRequest { code: FACE_CODE.into(), ..good.clone() }),
        ("code", v1::ChargeRequest { code: FACE_CODE.into(), ..of(PaymentMethod::Face) }),
        ("code", v1::ChargeRequest { code: "f".repeat(129), ..by_face.clone() }),
        ("openid", v1::ChargeRequest { openid: String::new(), ..by_face.clone() }),
    ] {
        assert_eq!(refused(request).await, [field]);
    }
    let wrong = Particulars { attach: "a&b".into(), goods: Some(Goods::default()), ..particulars() };
    let request = v1::ChargeRequest { particulars: Some(wrong), ..good };
    assert_eq!(refused(request).await, ["particulars.attach", "particulars.goods.items"]);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn no_log_holds_a_code_or_who_pays() {
    let fake = Fake::always(success(&TAKEN)).await;
    let gateway = certified(&fake).await;
    gateway.charge(gateway.charge_request()).await;
    gateway.charge(gateway.facepay_request()).await;
    let log = logs().text();
    assert!(log.contains("charge for acme-mini: done (done)"));
    for secret in [PAY_CODE, FACE_CODE, OPENID, KEY] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
