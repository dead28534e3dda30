use jiff::SignedDuration;
use proto::gateway::v1::{self, PaymentMethod, not_done::Kind, prepay_response::Outcome};
use wechat_pay::{
    time,
    v2::{ApiKey, Fields, sign},
};

use crate::{
    fake::{Fake, Reply},
    harness::{
        APP_ID, Gateway, KEY, MCH_ID, NUMBER, OFFICIAL, SIGN_TYPE, answered, is_signed, prepaid, refusal, success,
    },
};

async fn outcome(gateway: &Gateway, request: v1::PrepayRequest) -> Outcome {
    let response = gateway.client.clone().prepay(request).await.expect("an outcome");
    response.into_inner().outcome.expect("an outcome is set")
}

#[tokio::test]
async fn an_accepted_attempt_is_signed_again_for_the_client() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    let Outcome::Done(done) = outcome(&gateway, gateway.prepay()).await else { panic!("it was accepted") };
    assert_eq!(done.package, "prepay_id=wx2017033010242291fcfe0db70013231072");
    assert_eq!((done.app_id.as_str(), done.sign_type.as_str()), (APP_ID, "HMAC-SHA256"));
    let signed: Fields = [
        ("appId", &done.app_id),
        ("timeStamp", &done.time_stamp),
        ("nonceStr", &done.nonce_str),
        ("package", &done.package),
        ("signType", &done.sign_type),
    ]
    .into_iter()
    .collect();
    assert_eq!(done.pay_sign, sign::sign(&signed, &ApiKey::parse(KEY).expect("a key"), SIGN_TYPE));
}

#[tokio::test]
async fn what_is_sent_is_the_attempt_and_nothing_that_changes_when_it_is_repeated() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    let request = gateway.prepay();
    outcome(&gateway, request.clone()).await;
    outcome(&gateway, request.clone()).await;
    let received = fake.received();
    assert!(received.iter().all(is_signed));
    assert!(received[0].line().starts_with("POST /pay/unifiedorder HTTP/1.1"));
    let expire_time = proto::time::from_wire(&request.expire_time.expect("it is set")).expect("it is valid");
    let expire_time = time::print_14(expire_time);
    for (name, value) in [
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("body", "通宝小店-苹果 & 梨"),
        ("out_trade_no", NUMBER),
        ("total_fee", "4599"),
        ("spbill_create_ip", "203.0.113.7"),
        ("time_expire", &expire_time),
        ("notify_url", "https://pay.example.com/notify/wechat-v2/acme-mini/payment"),
        ("trade_type", "JSAPI"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("sign_type", "HMAC-SHA256"),
    ] {
        assert_eq!(received[0].fields.get(name), Some(value), "{name}");
    }
    let [first, second] = [&received[0].fields, &received[1].fields].map(|fields| {
        let mut fields = fields.clone();
        let (nonce, sign) = (fields.remove("nonce_str"), fields.remove("sign"));
        (fields, nonce, sign)
    });
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1, "each attempt has a nonce of its own");
}

#[tokio::test]
async fn the_cashier_opens_for_two_hours_or_until_the_attempt_expires() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    let usable_until = async |life: SignedDuration| {
        let expire_time = gateway.ahead(life);
        let request = v1::PrepayRequest { expire_time: Some(proto::time::to_wire(expire_time)), ..gateway.prepay() };
        let before = gateway.clock.now();
        let Outcome::Done(done) = outcome(&gateway, request).await else { panic!("it was accepted") };
        let told = proto::time::from_wire(&done.usable_until.expect("it is set")).expect("it is valid");
        (told, expire_time, before, gateway.clock.now())
    };
    let (told, expire_time, ..) = usable_until(SignedDuration::from_mins(5)).await;
    assert_eq!(told, expire_time);
    let (told, _, before, after) = usable_until(SignedDuration::from_hours(48)).await;
    let two_hours = SignedDuration::from_hours(2);
    assert!(before + two_hours <= told && told <= after + two_hours, "{told}");
}

#[tokio::test]
async fn an_official_account_opens_the_same_cashier() {
    let reply = answered(&[]).into_iter().map(|(name, value)| (name, if name == "appid" { OFFICIAL } else { value }));
    let fields: Vec<_> =
        reply.chain([("result_code", "SUCCESS"), ("trade_type", "JSAPI"), ("prepay_id", "wx1")]).collect();
    let fake = Fake::always(Reply::ok(crate::fake::text(&crate::fake::signed(&fields, KEY, SIGN_TYPE)))).await;
    let gateway = Gateway::before(&fake).await;
    // A caller of before names no method.
    for method in [PaymentMethod::Jsapi, PaymentMethod::Unspecified] {
        let request = v1::PrepayRequest { app_id: OFFICIAL.into(), method: method.into(), ..gateway.prepay() };
        assert_eq!(gateway.accepted(request).await.app_id, OFFICIAL);
    }
}

#[tokio::test]
async fn a_verified_no_is_told_with_what_to_do_about_it() {
    for (code, words, kind) in [
        ("ORDERPAID", "商户订单已支付", Kind::AlreadyPaid),
        ("ORDERCLOSED", "订单已关闭", Kind::AlreadyClosed),
        ("NOTENOUGH", "余额不足", Kind::Refused),
        ("A_NEW_CODE", "", Kind::Refused),
        ("NOAUTH", "商户无此接口权限", Kind::Configuration),
        ("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", Kind::Configuration),
        ("SIGNERROR", "签名错误", Kind::Configuration),
        ("FREQUENCY_LIMITED", "频率限制", Kind::RateLimited),
    ] {
        let gateway = Gateway::before(&Fake::always(refusal(code, words)).await).await;
        let Outcome::NotDone(no) = outcome(&gateway, gateway.prepay()).await else { panic!("{code} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str(), no.provider_message.as_str()), (kind, code, words));
    }
}

#[tokio::test]
async fn what_a_code_leaves_open_is_unknown() {
    for (code, words, why) in [
        ("SYSTEMERROR", "系统错误", "system_error"),
        ("OUT_TRADE_NO_USED", "商户订单号重复", "number_in_use"),
        ("INVALID_REQUEST", "201 商户订单号重复", "number_in_use"),
    ] {
        let gateway = Gateway::before(&Fake::always(refusal(code, words)).await).await;
        let Outcome::Unknown(unknown) = outcome(&gateway, gateway.prepay()).await else { panic!("{code} is unknown") };
        assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), (why, code));
    }
}

#[tokio::test]
async fn a_success_without_a_prepay_id_is_unknown() {
    for fields in [&[("trade_type", "JSAPI")][..], &[("trade_type", "NATIVE"), ("prepay_id", "wx1")]] {
        let gateway = Gateway::before(&Fake::always(success(fields)).await).await;
        let Outcome::Unknown(unknown) = outcome(&gateway, gateway.prepay()).await else { panic!("it proves nothing") };
        assert_eq!(unknown.why, "bad_answer");
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_prepay_is_unknown_and_not_a_no() {
    for (reply, why) in [
        (Reply::HangUp, "transport"),
        (prepaid().cut_after(20), "cut_off"),
        (Reply::status("502 Bad Gateway", "", "<html></html>"), "http_status"),
    ] {
        let gateway = Gateway::before(&Fake::always(reply).await).await;
        let Outcome::Unknown(unknown) = outcome(&gateway, gateway.prepay()).await else { panic!("{why} is unknown") };
        assert_eq!(unknown.why, why);
    }
}
