use std::time::Duration;

use jiff::SignedDuration;
use sandbox::control::{Pay, PayOpened, Problem};
use wechat_pay::time;

use crate::harness::{ACME, ACME_NATIVE_APP, Bench, TEA, outcome};

const PATH: &str = "/pay/unifiedorder";
const NATIVE: [(&str, &str); 2] = [("trade_type", "NATIVE"), ("product_id", "tea-7")];
const PAGE: &str = r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com","wap_name":"通宝"}}"#;

/// What an order with these fields is answered with: code and sentence.
async fn refusal(bench: &Bench, fields: &[(&str, &str)]) -> (String, String) {
    let answer = bench.post(PATH, &ACME.order("A00000001", fields)).await;
    (outcome(&answer), answer.text("err_code_des").unwrap_or_default().to_owned())
}

fn and<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [fields, more].concat()
}

#[tokio::test]
async fn a_native_order_is_answered_with_the_text_of_a_code() {
    let bench = Bench::start().await;
    let answer = bench.place(&ACME, "A00000001", &NATIVE).await;
    let code_url = answer.text("code_url").unwrap();
    let token = code_url.strip_prefix("weixin://wxpay/bizpayurl?pr=").unwrap();
    assert_eq!(token.len(), 7);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()) && code_url.len() <= 64);
    assert_eq!((answer.text("trade_type"), answer.text("mweb_url")), (Some("NATIVE"), None));
    assert!(answer.text("prepay_id").unwrap().len() <= 64);
}

#[tokio::test]
async fn an_h5_order_is_answered_with_a_link_to_where_the_merchant_reached_the_sandbox() {
    let bench = Bench::start().await;
    let order = ACME.order("A00000001", &[("trade_type", "MWEB"), ("scene_info", PAGE)]);
    let answer = bench.post(PATH, &order).await;
    let prepay_id = answer.text("prepay_id").unwrap();
    let start = format!("{}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}&package=", bench.url);
    assert!(answer.text("mweb_url").unwrap().starts_with(&start), "{:?}", answer.text("mweb_url"));
    let body = wechat_pay::v2::xml::write("xml", &order);
    let secure = bench.http.post(format!("{}{PATH}", bench.tls_url)).body(body).send().await.unwrap();
    let answer = wechat_pay::v2::xml::parse("xml", &secure.bytes().await.unwrap()).unwrap();
    assert!(answer.text("mweb_url").unwrap().starts_with(&bench.tls_url));
}

#[tokio::test]
async fn only_a_native_apps_id_orders_for_a_native_app() {
    let bench = Bench::start().await;
    let app =
        bench.place(&ACME, "A00000001", &[("trade_type", "APP"), ("appid", ACME_NATIVE_APP), ("openid", "")]).await;
    assert_eq!((app.text("code_url"), app.text("mweb_url")), (None, None));
    assert_eq!(refusal(&bench, &[("trade_type", "APP")]).await.0, "NOAUTH");
}

#[tokio::test]
async fn each_way_to_pay_names_what_it_lacks() {
    let bench = Bench::start().await;
    for (fields, lacking) in [
        (&[("openid", "")][..], "缺少参数openid"),
        (&[("trade_type", "NATIVE")], "缺少参数product_id"),
        (&[("trade_type", "MWEB")], "缺少参数scene_info"),
    ] {
        assert_eq!(refusal(&bench, fields).await, ("LACK_PARAMS".into(), lacking.into()));
    }
    // Only inside WeChat is it known beforehand who pays.
    bench.place(&ACME, "A00000001", &and(&NATIVE, &[("openid", "")])).await;
}

#[tokio::test]
async fn an_h5_order_says_from_which_page_or_app_the_payer_comes() {
    let bench = Bench::start().await;
    let of = |scene| [("trade_type", "MWEB"), ("scene_info", scene)];
    for (number, scene) in [
        ("A00000002", PAGE),
        ("A00000003", r#"{"h5_info":{"type":"IOS","app_name":"Tea","bundle_id":"com.example.tea"}}"#),
        ("A00000004", r#"{"h5_info":{"type":"Android","app_name":"Tea","package_name":"com.example.tea"}}"#),
    ] {
        bench.place(&ACME, number, &of(scene)).await;
    }
    for scene in [
        "shop",
        "{}",
        r#"{"store_info":{"id":"S1"}}"#,
        r#"{"h5_info":"Wap"}"#,
        r#"{"h5_info":{"type":"Wap"}}"#,
        r#"{"h5_info":{"type":"Wap","wap_url":"shop.example.com","wap_name":"Tea"}}"#,
        r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com","wap_name":""}}"#,
        r#"{"h5_info":{"type":"IOS","app_name":"Tea","package_name":"com.example.tea"}}"#,
        r#"{"h5_info":{"type":"Windows","app_name":"Tea"}}"#,
    ] {
        let (code, sentence) = refusal(&bench, &of(scene)).await;
        assert_eq!(code, "PARAM_ERROR", "{scene}");
        assert!(sentence.starts_with("scene_info"), "{sentence}");
    }
}

#[tokio::test]
async fn other_orders_may_name_a_store_and_nothing_else() {
    let bench = Bench::start().await;
    let store = r#"{"store_info":{"id":"SZTX001","name":"Tea","area_code":"440305","address":"1 Road"}}"#;
    bench.place(&ACME, "A00000002", &and(&NATIVE, &[("scene_info", store)])).await;
    for scene in [PAGE, "store", r#"{"store_info":{"name":"Tea"}}"#, r#"{"store_info":{"id":""}}"#] {
        assert_eq!(refusal(&bench, &and(&NATIVE, &[("scene_info", scene)])).await.0, "PARAM_ERROR", "{scene}");
    }
}

#[tokio::test]
async fn the_goods_of_an_order_are_read_with_version_1_0_only() {
    let bench = Bench::start().await;
    let goods = r#"{"cost_price":100,"receipt_id":"r","goods_detail":[{"goods_id":"tea","quantity":1,"price":100}]}"#;
    bench.place(&ACME, "A00000002", &[("version", "1.0"), ("detail", goods)]).await;
    bench.place(&ACME, "A00000003", &[("detail", "two cups of tea")]).await;
    for detail in [
        "two cups of tea",
        "{}",
        r#"{"goods_detail":[]}"#,
        r#"{"goods_detail":[{"quantity":1,"price":100}]}"#,
        r#"{"goods_detail":[{"goods_id":"","quantity":1,"price":100}]}"#,
        r#"{"goods_detail":[{"goods_id":"tea","quantity":0,"price":100}]}"#,
        r#"{"goods_detail":[{"goods_id":"tea","quantity":1,"price":1.5}]}"#,
        r#"{"goods_detail":[{"goods_id":"tea","quantity":1,"price":-1}]}"#,
        r#"{"goods_detail":[{"goods_id":"a-number-of-more-than-32-characters","quantity":1,"price":1}]}"#,
    ] {
        let (code, sentence) = refusal(&bench, &[("version", "1.0"), ("detail", detail)]).await;
        assert_eq!((&*code, sentence.starts_with("detail")), ("PARAM_ERROR", true), "{detail}");
    }
}

#[tokio::test]
async fn words_of_a_field_are_taken_and_others_are_not() {
    let bench = Bench::start().await;
    let right = [
        ("limit_pay", "no_credit"),
        ("receipt", "Y"),
        ("profit_sharing", "Y"),
        ("fee_type", "CNY"),
        ("version", "1.0"),
        ("goods_tag", "WXG"),
        ("device_info", "WEB"),
        ("user_type", "IDCARD"),
        ("user_creid", "12345"),
        ("user_truename", "张三"),
    ];
    bench.place(&ACME, "A00000002", &right).await;
    let long = "x".repeat(65);
    for (field, value) in [
        ("limit_pay", "no_debit"),
        ("receipt", "N"),
        ("profit_sharing", "y"),
        ("fee_type", "HKD"),
        ("user_type", "LIBRARY_CARD"),
        ("user_creid", &long[..33]),
        ("user_truename", &long),
        ("product_id", &long[..33]),
        ("sub_openid", "o"),
        ("sub_appid", "wx1"),
    ] {
        let (code, sentence) = refusal(&bench, &[(field, value)]).await;
        assert_eq!((&*code, sentence.starts_with(field)), ("PARAM_ERROR", true), "{field}: {sentence}");
    }
}

#[tokio::test]
async fn the_payers_address_has_one_of_two_forms() {
    let bench = Bench::start().await;
    for (number, address) in
        [("A00000002", "203.0.113.7"), ("A00000003", "2001:db8::1"), ("A00000004", "::ffff:203.0.113.7")]
    {
        bench.place(&ACME, number, &[("spbill_create_ip", address)]).await;
    }
    for address in ["203.0.113", "203.0.113.256", "203.0.113.7:80", "[2001:db8::1]", "fe80::1%eth0", "shop.example.com"]
    {
        assert_eq!(refusal(&bench, &[("spbill_create_ip", address)]).await.0, "PARAM_ERROR", "{address}");
    }
}

#[tokio::test]
async fn an_openid_that_another_apps_login_produced_is_refused_in_wechats_words() {
    let bench = Bench::start().await;
    let login = bench.login_code(TEA.app_id, None).await;
    let refused = refusal(&bench, &[("openid", &login.openid)]).await;
    assert_eq!(refused, ("PARAM_ERROR".into(), "appid和openid不匹配".into()));
    // Nobody met this one.
    bench.place(&ACME, "A00000001", &[("openid", "oMadeUp")]).await;
}

#[tokio::test]
async fn the_same_number_paid_in_another_way_is_another_order() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let refused = refusal(&bench, &NATIVE).await;
    assert_eq!(refused, ("INVALID_REQUEST".into(), "201 商户订单号重复".into()));
}

#[tokio::test]
async fn whoever_scanned_a_code_can_pay_by_its_text_and_anybody_by_a_prepay_id() {
    let bench = Bench::start().await;
    let pay = async |wanted: PayOpened| {
        let url = format!("{}/_sandbox/pay", bench.url);
        bench.http.post(url).json(&wanted).send().await.unwrap()
    };
    let native = bench.place(&ACME, "A00000001", &NATIVE).await;
    let by_code = PayOpened { code_url: native.text("code_url").map(str::to_owned), ..PayOpened::default() };
    assert_eq!(pay(by_code.clone()).await.status(), 200);
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
    let again = pay(by_code).await;
    assert_eq!(again.status(), 409);
    assert_eq!(again.json::<Problem>().await.unwrap().error, "the order is paid");
    let jsapi = bench.place(&ACME, "A00000002", &[]).await;
    let by_id = PayOpened { prepay_id: jsapi.text("prepay_id").map(str::to_owned), ..PayOpened::default() };
    assert_eq!(pay(by_id).await.status(), 200);
    assert_eq!(bench.trade_state(&ACME, "A00000002").await, "SUCCESS");
    assert_eq!(pay(PayOpened::default()).await.status(), 400);
    let unknown = PayOpened { prepay_id: Some("wx1".into()), ..PayOpened::default() };
    assert_eq!(pay(unknown).await.status(), 404);
}

#[tokio::test]
async fn an_older_prepay_id_ends_after_two_hours_and_a_newer_one_of_the_same_order_goes_on() {
    let bench = Bench::start().await;
    let expire = time::print_14(bench.clock().await.now + SignedDuration::from_hours(5));
    let fields = and(&NATIVE, &[("time_expire", &expire)]);
    let first = bench.place(&ACME, "A00000001", &fields).await;
    bench.advance(Duration::from_hours(1)).await;
    let second = bench.place(&ACME, "A00000001", &fields).await;
    assert_ne!(first.text("code_url"), second.text("code_url"));
    bench.advance(Duration::from_mins(61)).await;
    let pay = async |code_url: Option<&str>, in_cashier| {
        let wanted = PayOpened { code_url: code_url.map(str::to_owned), in_cashier, ..PayOpened::default() };
        bench.http.post(format!("{}/_sandbox/pay", bench.url)).json(&wanted).send().await.unwrap().status()
    };
    assert_eq!(pay(first.text("code_url"), false).await, 409);
    assert_eq!(pay(second.text("code_url"), false).await, 200);
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 409);
}

#[tokio::test]
async fn a_cashier_that_was_opened_in_time_outlives_the_order() {
    let bench = Bench::start().await;
    let placed = bench.place(&ACME, "A00000001", &NATIVE).await;
    bench.advance(Duration::from_mins(6)).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "SUCCESS");
    let pay = async |in_cashier| {
        let code_url = placed.text("code_url").map(str::to_owned);
        let wanted = PayOpened { code_url, in_cashier, ..PayOpened::default() };
        bench.http.post(format!("{}/_sandbox/pay", bench.url)).json(&wanted).send().await.unwrap().status()
    };
    assert_eq!(pay(false).await, 409);
    assert_eq!(pay(true).await, 200);
}

#[tokio::test]
async fn the_ledger_shows_how_an_order_is_paid_and_under_which_app() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &NATIVE).await;
    let order = bench.ledger().await.orders.remove(0);
    assert_eq!((order.trade_type.as_str(), order.app_id.as_str()), ("NATIVE", ACME.app_id));
    assert_eq!((order.sub_mch_id, order.service_provider_app_id), (None, None));
}
