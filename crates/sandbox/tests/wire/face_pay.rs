use std::time::Duration;

use sandbox::control::FaceCode;
use wechat_pay::v2::{Fields, SignType};

use crate::harness::{ACME, Account, Bench, TEA, charge_fields, outcome};

const PATH: &str = "/pay/facepay";

async fn facepay(bench: &Bench, account: &Account, code: &FaceCode, changes: &[(&str, &str)]) -> Fields {
    let mut fields = charge_fields("A00000001");
    fields.extend([("face_code", &*code.face_code), ("openid", &*code.openid)]);
    fields.extend_from_slice(changes);
    bench.post(PATH, &account.signed(&fields)).await
}

#[tokio::test]
async fn a_face_code_of_18_digits_is_charged_like_a_pay_code() {
    let bench = Bench::start().await;
    let code = bench.face_code().await;
    let prefix: u8 = code.face_code[..2].parse().unwrap();
    assert!(code.face_code.len() == 18 && !(10..=15).contains(&prefix));
    let answer = bench.micropay("A00000001", &code.face_code).await;
    assert_eq!((answer.text("trade_type"), answer.text("openid")), (Some("MICROPAY"), Some(&*code.openid)));
    assert_eq!(outcome(&bench.micropay("A00000002", &code.face_code).await), "AUTH_CODE_ERROR");
    bench.advance(Duration::from_secs(15)).await;
    assert_eq!(outcome(&bench.reverse("A00000001").await), "SUCCESS");
}

#[tokio::test]
async fn the_older_call_names_the_user_and_has_a_query_and_a_reversal_of_its_own() {
    let bench = Bench::start().await;
    let code = bench.face_code().await;
    let answer = facepay(&bench, &ACME, &code, &[]).await;
    assert_eq!((outcome(&answer).as_str(), answer.text("trade_type")), ("SUCCESS", Some("FACEPAY")));
    assert_eq!(bench.known_order("A00000001").await.unwrap().trade_type, "FACEPAY");
    let query = async |number| bench.post("/pay/facepayquery", &ACME.signed(&[("out_trade_no", number)])).await;
    assert_eq!(query("A00000001").await.text("trade_state"), Some("SUCCESS"));
    let other = bench.face_code().await;
    bench.micropay("A00000002", &other.face_code).await;
    assert_eq!(outcome(&query("A00000002").await), "ORDERNOTEXIST");
    bench.advance(Duration::from_secs(15)).await;
    let reverse =
        async |number| bench.post_certified(&ACME, "/secapi/pay/facepayreverse", &[("out_trade_no", number)]).await;
    assert_eq!(outcome(&reverse("A00000002").await), "TRADE_ERROR");
    let reversed = reverse("A00000001").await;
    assert_eq!((outcome(&reversed).as_str(), reversed.text("recall")), ("SUCCESS", Some("N")));
    assert_eq!(query("A00000001").await.text("trade_state"), Some("REVOKED"));
}

#[tokio::test]
async fn it_is_signed_with_hmac_which_it_says() {
    let bench = Bench::start().await;
    let code = bench.face_code().await;
    assert_eq!(outcome(&facepay(&bench, &TEA, &code, &[]).await), "签名错误");
    assert_eq!(outcome(&facepay(&bench, &ACME, &code, &[("sign_type", "")]).await), "LACK_PARAMS");
    let md5 = Account { sign_type: SignType::Md5, ..ACME };
    assert_eq!(outcome(&facepay(&bench, &md5, &code, &[("sign_type", "MD5")]).await), "sign_type参数格式错误");
    assert_eq!(bench.ledger().await.orders, []);
}

#[tokio::test]
async fn the_user_and_the_code_belong_together() {
    let bench = Bench::start().await;
    let code = bench.face_code().await;
    for (change, answer) in [
        (("openid", ""), "LACK_PARAMS"),
        (("openid", "oSomebodyElse"), "PARAM_ERROR"),
        (("face_code", ""), "LACK_PARAMS"),
        (("face_code", "of nobody"), "AUTH_CODE_INVALID"),
        (("body", ""), "LACK_PARAMS"),
    ] {
        assert_eq!(outcome(&facepay(&bench, &ACME, &code, &[change]).await), answer, "{change:?}");
    }
    assert_eq!(outcome(&facepay(&bench, &ACME, &code, &[]).await), "SUCCESS");
}

#[tokio::test]
async fn its_goods_are_counted_by_another_word() {
    let bench = Bench::start().await;
    let code = bench.face_code().await;
    let goods = |word: &str| format!(r#"{{"goods_detail":[{{"goods_id":"tea","{word}":1,"price":100}}]}}"#);
    let refused = facepay(&bench, &ACME, &code, &[("version", "1.0"), ("detail", &goods("quantity"))]).await;
    assert_eq!(outcome(&refused), "PARAM_ERROR");
    let charged = facepay(&bench, &ACME, &code, &[("version", "1.0"), ("detail", &goods("goods_num"))]).await;
    assert_eq!(outcome(&charged), "SUCCESS");
    let detail = r#"{"goods_detail":[{"goods_id":"tea","refund_amount":100,"refund_quantity":1,"price":100}]}"#;
    let fields = [
        ("out_trade_no", "A00000001"),
        ("out_refund_no", "R1"),
        ("total_fee", "100"),
        ("refund_fee", "100"),
        ("detail", detail),
    ];
    assert_eq!(outcome(&bench.post_certified(&ACME, "/secapi/pay/refundv2", &fields).await), "SUCCESS");
}

#[tokio::test]
async fn a_device_gets_its_credential() {
    let bench = Bench::start().await;
    let fields = [
        ("store_id", "S1"),
        ("store_name", "茶店"),
        ("device_id", "D1"),
        ("rawdata", "raw"),
        ("now", "1761000000"),
        ("version", "1"),
    ];
    let ask = async |change: Option<(&'static str, &'static str)>| {
        let mut fields = fields.to_vec();
        fields.extend(change);
        bench.post("/face/get_wxpayface_authinfo", &ACME.signed(&fields)).await
    };
    let answer = ask(None).await;
    assert_eq!((outcome(&answer).as_str(), answer.text("expires_in")), ("SUCCESS", Some("3600")));
    assert!((1..=4096).contains(&answer.text("authinfo").unwrap().len()));
    for (change, code) in [
        (("store_id", ""), "LACK_PARAMS"),
        (("rawdata", ""), "LACK_PARAMS"),
        (("store_id", "123456789012345678901234567890123"), "PARAM_ERROR"),
        (("now", "yesterday"), "PARAM_ERROR"),
        (("version", "2"), "PARAM_ERROR"),
        (("attach", "no json"), "PARAM_ERROR"),
    ] {
        assert_eq!(outcome(&ask(Some(change)).await), code, "{change:?}");
    }
}
