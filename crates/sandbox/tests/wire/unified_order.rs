use jiff::SignedDuration;
use sandbox::control::Pay;
use std::time::Duration;
use wechat_pay::{
    time,
    v2::{Answer, Fields, Identity, Payer, Prepaid, TradeType, answer::judge, xml},
};

use crate::harness::{ACME, ACME_NATIVE_APP, Bench, TEA, outcome};

const PATH: &str = "/pay/unifiedorder";

#[tokio::test]
async fn an_order_gets_a_prepay_id_in_an_answer_signed_with_the_requests_sign_type() {
    let bench = Bench::start().await;
    for account in [ACME, TEA] {
        let body = xml::write("xml", &account.order("A00000001", &[]));
        let response = bench.send(PATH, body.into_bytes()).await.unwrap();
        let (status, body) = (response.status().as_u16(), response.bytes().await.unwrap());
        let identity = Identity::direct(account.app_id, account.mch_id);
        let Answer::Success(fields) = judge(status, &body, &identity, &account.api_key(), account.sign_type) else {
            panic!("not a verified success");
        };
        let payer = TradeType::Jsapi(Payer::App(wechat_pay::v2::OpenId::new("o")));
        assert!(Prepaid::parse(&fields, &payer).unwrap().prepay_id.starts_with("wx"));
    }
    let ledger = bench.ledger().await;
    assert_eq!(ledger.orders.len(), 2);
    assert_eq!((ledger.orders[0].amount_fen, ledger.orders[0].trade_state.as_str()), (100, "NOTPAY"));
}

#[tokio::test]
async fn other_trade_types_get_what_their_clients_open() {
    let bench = Bench::start().await;
    let native =
        bench.place(&ACME, "N00000001", &[("trade_type", "NATIVE"), ("product_id", "12235413214070356458")]).await;
    assert!(native.text("code_url").unwrap().starts_with("weixin://"));
    let scene = r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com","wap_name":"通宝"}}"#;
    let h5 = bench.place(&ACME, "H00000001", &[("trade_type", "MWEB"), ("scene_info", scene)]).await;
    assert!(h5.text("mweb_url").unwrap().starts_with(&bench.url));
    let app = bench.place(&ACME, "P00000001", &[("trade_type", "APP"), ("appid", ACME_NATIVE_APP)]).await;
    assert_eq!((app.text("code_url"), app.text("mweb_url")), (None, None));
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let bench = Bench::start().await;
    for field in
        ["appid", "body", "out_trade_no", "total_fee", "spbill_create_ip", "notify_url", "trade_type", "openid"]
    {
        let answer = bench.post(PATH, &ACME.order("A00000001", &[(field, "")])).await;
        assert_eq!(outcome(&answer), "LACK_PARAMS", "{field}");
        assert!(answer.text("err_code_des").unwrap().contains(field));
    }
    let native = bench.post(PATH, &ACME.order("A00000001", &[("trade_type", "NATIVE")])).await;
    assert_eq!(outcome(&native), "LACK_PARAMS");
    let h5 = bench.post(PATH, &ACME.order("A00000001", &[("trade_type", "MWEB")])).await;
    assert_eq!(outcome(&h5), "LACK_PARAMS");
    assert_eq!(bench.ledger().await.orders, []);
}

#[tokio::test]
async fn a_malformed_field_is_refused() {
    let bench = Bench::start().await;
    let long = "x".repeat(6001);
    for (field, value) in [
        ("nonce_str", &long[..33]),
        ("body", &long[..128]),
        ("body", "😀"),
        ("detail", &long),
        ("attach", &long[..128]),
        ("out_trade_no", "short"),
        ("out_trade_no", &long[..33]),
        ("out_trade_no", "no spaces"),
        ("fee_type", "USD"),
        ("total_fee", "0"),
        ("total_fee", "-1"),
        ("total_fee", "1.5"),
        ("total_fee", "+1"),
        ("total_fee", "2147483648"),
        ("spbill_create_ip", "localhost"),
        ("time_start", "2026-01-01"),
        ("time_expire", "20261301000000"),
        ("goods_tag", &long[..33]),
        ("notify_url", "pay.example.com/notify"),
        ("notify_url", "https://pay.example.com/notify?a=1"),
        ("notify_url", "ftp://pay.example.com/notify"),
        ("trade_type", "MICROPAY"),
        ("limit_pay", "no_debit"),
        ("receipt", "N"),
        ("profit_sharing", "y"),
        ("device_info", &long[..33]),
        ("openid", &long[..129]),
        ("sub_mch_id", "1900000111"),
        ("scene_info", &long[..257]),
        ("version", "2.0"),
    ] {
        let answer = bench.post(PATH, &ACME.order("A00000001", &[(field, value)])).await;
        assert_eq!(outcome(&answer), "PARAM_ERROR", "{field} {value}");
        assert!(answer.text("err_code_des").unwrap().starts_with(field));
    }
    assert_eq!(bench.ledger().await.orders, []);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_not_authentic_gets_an_unsigned_failure() {
    let bench = Bench::start().await;
    let order = ACME.order("A00000001", &[]);
    let without = |name: &str| {
        let mut fields = order.clone();
        fields.remove(name);
        xml::write("xml", &fields).into_bytes()
    };
    let with = |name: &str, value: &str| {
        let mut fields = order.clone();
        fields.insert(name, value);
        xml::write("xml", &fields).into_bytes()
    };
    let lower_case = order.text("sign").unwrap().to_lowercase();
    let doctype = format!("<!DOCTYPE xml []>{}", xml::write("xml", &order));
    for (body, sentence) in [
        (Vec::new(), "post数据为空"),
        (b"out_trade_no=1".to_vec(), "XML格式错误"),
        (doctype.into_bytes(), "XML格式错误"),
        (b"<xml><body>\xff</body></xml>".to_vec(), "编码格式错误"),
        (vec![b'x'; 70_000], "post数据过大"),
        (without("mch_id"), "缺少参数mch_id"),
        (without("nonce_str"), "缺少参数nonce_str"),
        (without("sign"), "缺少参数sign"),
        (with("sign", ""), "缺少参数sign"),
        (with("mch_id", "1900000999"), "mch_id参数格式错误"),
        (with("sign_type", "SHA1"), "sign_type参数格式错误"),
        (with("sign_type", "MD5"), "签名错误"),
        (without("sign_type"), "签名错误"),
        (with("sign", &lower_case), "签名错误"),
        (with("total_fee", "1"), "签名错误"),
        (without("openid"), "签名错误"),
        (with("a_field_of_tomorrow", "1"), "签名错误"),
    ] {
        let response = bench.send(PATH, body).await.unwrap();
        let answer = xml::parse("xml", &response.bytes().await.unwrap()).unwrap();
        let expected: Fields = [("return_code", "FAIL"), ("return_msg", sentence)].into_iter().collect();
        assert!(answer == expected, "{sentence}: {:?}", answer.text("return_msg"));
    }
    let got = bench.http.get(format!("{}{PATH}", bench.url)).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(outcome(&xml::parse("xml", &got).unwrap()), "请使用post方法");
}

#[tokio::test]
async fn a_signed_field_that_nobody_knows_is_fine() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[("a_field_of_tomorrow", "1")]).await;
}

#[tokio::test]
async fn an_app_must_exist_belong_to_the_merchant_and_serve_the_trade_type() {
    let bench = Bench::start().await;
    for (app_id, code) in
        [("wx0000000000000xxx", "APPID_NOT_EXIST"), (TEA.app_id, "APPID_MCHID_NOT_MATCH"), (ACME_NATIVE_APP, "NOAUTH")]
    {
        let answer = bench.post(PATH, &ACME.order("A00000001", &[("appid", app_id)])).await;
        assert_eq!(outcome(&answer), code);
    }
    let by_mini_program = bench.post(PATH, &ACME.order("A00000001", &[("trade_type", "APP")])).await;
    assert_eq!(outcome(&by_mini_program), "NOAUTH");
}

#[tokio::test]
async fn an_openid_of_another_app_is_refused() {
    let bench = Bench::start().await;
    let login = bench.login_code(TEA.app_id, None).await;
    let answer = bench.post(PATH, &ACME.order("A00000001", &[("openid", &login.openid)])).await;
    assert_eq!(outcome(&answer), "PARAM_ERROR");
    bench.place(&TEA, "A00000001", &[("openid", &login.openid)]).await;
}

#[tokio::test]
async fn the_same_order_again_gets_another_prepay_id_and_stays_one_order() {
    let bench = Bench::start().await;
    let first = bench.place(&ACME, "A00000001", &[]).await;
    let changes = [("nonce_str", "another"), ("spbill_create_ip", "2001:db8::1")];
    let second = bench.place(&ACME, "A00000001", &changes).await;
    assert_ne!(first.text("prepay_id"), second.text("prepay_id"));
    let orders = bench.ledger().await.orders;
    assert_eq!((orders.len(), orders[0].prepays), (1, 2));
}

#[tokio::test]
async fn another_order_under_a_used_number_is_refused() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let md5 = crate::harness::Account { sign_type: TEA.sign_type, ..ACME };
    for other in [
        ACME.order("A00000001", &[("total_fee", "101")]),
        ACME.order("A00000001", &[("body", "梨")]),
        ACME.order("A00000001", &[("attach", "x")]),
        md5.order("A00000001", &[]),
    ] {
        let answer = bench.post(PATH, &other).await;
        assert_eq!(outcome(&answer), "INVALID_REQUEST");
        assert_eq!(answer.text("err_code_des"), Some("201 商户订单号重复"));
    }
    // Numbers are unique for one merchant only.
    bench.place(&TEA, "A00000001", &[("total_fee", "101")]).await;
}

#[tokio::test]
async fn a_paid_or_closed_number_is_dead() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.pay("A00000001", &Pay::default()).await;
    assert_eq!(outcome(&bench.post(PATH, &ACME.order("A00000001", &[])).await), "ORDERPAID");
    bench.place(&ACME, "A00000002", &[]).await;
    bench.advance(Duration::from_mins(6)).await;
    assert_eq!(bench.close(&ACME, "A00000002").await, "SUCCESS");
    assert_eq!(outcome(&bench.post(PATH, &ACME.order("A00000002", &[])).await), "ORDERCLOSED");
}

#[tokio::test]
async fn an_order_must_live_longer_than_a_minute() {
    let bench = Bench::start().await;
    let soon = time::print_14(bench.clock().await.now + SignedDuration::from_secs(50));
    let answer = bench.post(PATH, &ACME.order("A00000001", &[("time_expire", &soon)])).await;
    assert_eq!(outcome(&answer), "PARAM_ERROR");
    let backwards = [("time_start", "20990102000000"), ("time_expire", "20990101000000")];
    assert_eq!(outcome(&bench.post(PATH, &ACME.order("A00000001", &backwards)).await), "PARAM_ERROR");
}

#[tokio::test]
async fn an_expired_order_cannot_be_paid_but_stays_open_until_it_is_closed() {
    let bench = Bench::start().await;
    let expire = time::print_14(bench.clock().await.now + SignedDuration::from_mins(20));
    bench.place(&ACME, "A00000001", &[("time_expire", &expire)]).await;
    bench.advance(Duration::from_mins(21)).await;
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 409);
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "NOTPAY");
    // The expiry of the first call is in force, whatever a later one says.
    let later = time::print_14(bench.clock().await.now + SignedDuration::from_mins(20));
    let again = bench.post(PATH, &ACME.order("A00000001", &[("time_expire", &later)])).await;
    assert_eq!(outcome(&again), "PARAM_ERROR");
    assert_eq!(bench.close(&ACME, "A00000001").await, "SUCCESS");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "CLOSED");
}

#[tokio::test]
async fn a_prepay_id_opens_the_cashier_for_two_hours() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.advance(Duration::from_hours(2)).await;
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 409);
    bench.place(&ACME, "A00000001", &[]).await;
    bench.pay("A00000001", &Pay::default()).await;
}
