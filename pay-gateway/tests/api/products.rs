//! What opens the cashier outside of mini programs and pages: a QR code, an app, a browser.

use jiff::SignedDuration;
use proto::{
    gateway::v1::{self, PaymentMethod, prepay_response::Outcome},
    order::v1::{Goods, GoodsItem, H5, H5IosApp, Particulars, Store, h5::Scene},
};
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use wechat_pay::v2::{ApiKey, Fields, sign};

use crate::{
    fake::{Fake, Reply, signed, text},
    harness::{
        APP_ID, Gateway, KEY, MCH_ID, NATIVE, OFFICIAL, OPENID, SIGN_TYPE, answered, is_signed, prepaid, success,
    },
};

const CODE_URL: &str = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";
const MWEB_URL: &str = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2150917749";

fn native() -> Reply {
    success(&[("trade_type", "NATIVE"), ("prepay_id", "wx1"), ("code_url", CODE_URL)])
}

fn h5() -> Reply {
    success(&[("trade_type", "MWEB"), ("prepay_id", "wx1"), ("mweb_url", MWEB_URL)])
}

/// An answer about another app than the usual one.
fn about(app_id: &'static str, more: &[(&'static str, &'static str)]) -> Reply {
    let mut fields = answered(&[("result_code", "SUCCESS")]);
    fields.extend(more);
    let fields: Vec<_> =
        fields.into_iter().map(|(name, value)| (name, if name == "appid" { app_id } else { value })).collect();
    Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
}

fn usable_until(prepaid: &v1::Prepaid) -> jiff::Timestamp {
    proto::time::from_wire(prepaid.usable_until.as_ref().expect("it is set")).expect("it is valid")
}

#[tokio::test]
async fn a_native_attempt_becomes_the_text_of_a_qr_code() {
    let fake = Fake::always(native()).await;
    let gateway = Gateway::before(&fake).await;
    let request = gateway.prepay_by(PaymentMethod::Native);
    let done = gateway.accepted(request.clone()).await;
    let expected = v1::Prepaid {
        code_url: CODE_URL.into(),
        prepay_id: "wx1".into(),
        // It can be scanned for two hours, and never longer than the attempt can be paid.
        usable_until: request.expire_time,
        ..Default::default()
    };
    assert_eq!(done, expected);
    let received = fake.only();
    assert!(is_signed(&received));
    for (name, value) in
        [("trade_type", Some("NATIVE")), ("product_id", Some("tea-1")), ("openid", None), ("scene_info", None)]
    {
        assert_eq!(received.fields.get(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_native_attempt_tells_who_scanned_the_code_of_a_product() {
    let fake = Fake::always(native()).await;
    let gateway = Gateway::before(&fake).await;
    let request = v1::PrepayRequest { openid: OPENID.into(), ..gateway.prepay_by(PaymentMethod::Native) };
    gateway.accepted(request).await;
    assert_eq!(fake.only().fields.get("openid"), Some(OPENID));
}

#[tokio::test]
async fn an_app_attempt_is_signed_for_wechats_sdk() {
    let fake = Fake::always(about(NATIVE, &[("trade_type", "APP"), ("prepay_id", "wx1")])).await;
    let gateway = Gateway::before(&fake).await;
    let done = gateway.accepted(gateway.prepay_by(PaymentMethod::App)).await;
    assert_eq!((done.prepay_id.as_str(), done.pay_sign.as_str(), done.app_id.as_str()), ("wx1", "", ""));
    let app = done.app.expect("it is for an app");
    assert_eq!((app.appid.as_str(), app.partnerid.as_str(), app.prepayid.as_str()), (NATIVE, MCH_ID, "wx1"));
    assert_eq!(app.package, "Sign=WXPay");
    let signed = Fields::from_iter([
        ("appid", &app.appid),
        ("partnerid", &app.partnerid),
        ("prepayid", &app.prepayid),
        ("package", &app.package),
        ("noncestr", &app.noncestr),
        ("timestamp", &app.timestamp),
    ]);
    assert_eq!(app.sign, sign::sign(&signed, &ApiKey::parse(KEY).expect("a key"), SIGN_TYPE));
    assert_eq!(fake.only().fields.get("trade_type"), Some("APP"));
}

#[tokio::test]
async fn an_h5_attempt_becomes_an_address_with_the_way_back_in_it_for_five_minutes() {
    let fake = Fake::always(h5()).await;
    let gateway = Gateway::before(&fake).await;
    let request = gateway.prepay_by(PaymentMethod::H5);
    let before = gateway.clock.now();
    let done = gateway.accepted(request.clone()).await;
    assert_eq!(done.h5_url, format!("{MWEB_URL}&redirect_url=https%3A%2F%2Fshop.example%2Fdone%3Forder%3D1"));
    let five = SignedDuration::from_mins(5);
    let told = usable_until(&done);
    assert!(before + five <= told && told <= gateway.clock.now() + five, "{told}");

    // Without a way back the address is WeChat's own.
    let ios = Scene::IosApp(H5IosApp { name: "小店".into(), bundle_id: "example.shop".into() });
    let h5 = H5 { scene: Some(ios), app_id: "ignored".into(), ..Default::default() };
    assert_eq!(gateway.accepted(v1::PrepayRequest { h5: Some(h5), ..request }).await.h5_url, MWEB_URL);
    let [page, ios] = fake.received().try_into().expect("two requests");
    let scene = r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example/buy?a=1","wap_name":"小店"}}"#;
    assert_eq!(page.fields.get("scene_info"), Some(scene));
    assert_eq!(page.fields.get("trade_type"), Some("MWEB"));
    assert_eq!(page.fields.get("redirect_url"), None);
    let scene = r#"{"h5_info":{"type":"IOS","app_name":"小店","bundle_id":"example.shop"}}"#;
    assert_eq!(ios.fields.get("scene_info"), Some(scene));
}

#[tokio::test]
async fn a_qr_code_and_an_h5_page_may_belong_to_any_app_of_the_merchant() {
    for app_id in [APP_ID, OFFICIAL, NATIVE] {
        for (method, word, opens) in [
            (PaymentMethod::Native, "NATIVE", ("code_url", CODE_URL)),
            (PaymentMethod::H5, "MWEB", ("mweb_url", MWEB_URL)),
        ] {
            let fake = Fake::always(about(app_id, &[("trade_type", word), ("prepay_id", "wx1"), opens])).await;
            let gateway = Gateway::before(&fake).await;
            let request = v1::PrepayRequest { app_id: app_id.into(), ..gateway.prepay_by(method) };
            gateway.accepted(request).await;
        }
    }
}

#[tokio::test]
async fn a_success_that_opens_nothing_is_unknown() {
    for (method, word) in [(PaymentMethod::Native, "NATIVE"), (PaymentMethod::H5, "MWEB")] {
        let gateway =
            Gateway::before(&Fake::always(success(&[("trade_type", word), ("prepay_id", "wx1")])).await).await;
        let Outcome::Unknown(unknown) = gateway.prepaid(gateway.prepay_by(method)).await else {
            panic!("it proves nothing")
        };
        assert_eq!(unknown.why, "bad_answer");
    }
}

fn particulars() -> Particulars {
    Particulars {
        attach: "shop=1".into(),
        goods: Some(Goods {
            cost_price_fen: 5000,
            receipt_id: String::new(),
            items: vec![GoodsItem { goods_id: "tea-1".into(), quantity: 2, price_fen: 2500, ..Default::default() }],
        }),
        goods_tag: "SUMMER".into(),
        no_credit: true,
        receipt: true,
        profit_sharing: true,
        device_info: "WEB".into(),
        store: Some(Store { id: "SZTX001".into(), name: "南山店".into(), ..Default::default() }),
    }
}

#[tokio::test]
async fn everything_an_order_tells_is_sent() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    gateway.accepted(v1::PrepayRequest { particulars: Some(particulars()), ..gateway.prepay() }).await;
    let received = fake.only();
    assert!(is_signed(&received));
    let detail = r#"{"cost_price":5000,"goods_detail":[{"goods_id":"tea-1","quantity":2,"price":2500}]}"#;
    for (name, value) in [
        ("version", "1.0"),
        ("attach", "shop=1"),
        ("detail", detail),
        ("goods_tag", "SUMMER"),
        ("limit_pay", "no_credit"),
        ("receipt", "Y"),
        ("profit_sharing", "Y"),
        ("device_info", "WEB"),
        ("scene_info", r#"{"store_info":{"id":"SZTX001","name":"南山店"}}"#),
    ] {
        assert_eq!(received.fields.get(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn what_an_order_does_not_tell_is_not_sent() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    gateway.accepted(v1::PrepayRequest { particulars: Some(Particulars::default()), ..gateway.prepay() }).await;
    let received = fake.only();
    for name in [
        "version",
        "attach",
        "detail",
        "goods_tag",
        "limit_pay",
        "receipt",
        "profit_sharing",
        "device_info",
        "scene_info",
    ] {
        assert_eq!(received.fields.get(name), None, "{name}");
    }
}

async fn refused(gateway: &Gateway, request: v1::PrepayRequest) -> Status {
    gateway.client.clone().prepay(request).await.expect_err("it is refused")
}

fn fields(status: &Status) -> Vec<String> {
    let told = status.get_details_bad_request().expect("the fields are named").field_violations;
    told.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn what_a_method_needs_or_has_no_place_for_is_named() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    let (native, app, h5) = (
        gateway.prepay_by(PaymentMethod::Native),
        gateway.prepay_by(PaymentMethod::App),
        gateway.prepay_by(PaymentMethod::H5),
    );
    let scene_of_h5 = h5.h5.clone().expect("it is set");
    let wrong_page = H5 {
        scene: Some(Scene::IosApp(H5IosApp { name: "s".into(), bundle_id: String::new() })),
        redirect_url: "http://shop.example".into(),
        ..Default::default()
    };
    let method = |method: PaymentMethod| v1::PrepayRequest { method: method.into(), ..gateway.prepay() };
    for (named, request) in [
        (&["openid"][..], v1::PrepayRequest { openid: String::new(), ..gateway.prepay() }),
        (
            &["openid"],
            v1::PrepayRequest { app_id: OFFICIAL.into(), openid: String::new(), ..method(PaymentMethod::Jsapi) },
        ),
        (&["product_id"], v1::PrepayRequest { product_id: String::new(), ..native.clone() }),
        (&["product_id"], v1::PrepayRequest { product_id: "红茶".into(), ..native.clone() }),
        (&["openid"], v1::PrepayRequest { openid: "o o".into(), ..native.clone() }),
        (&["product_id"], v1::PrepayRequest { product_id: "tea-1".into(), ..gateway.prepay() }),
        (&["h5"], v1::PrepayRequest { h5: Some(scene_of_h5.clone()), ..native }),
        (&["openid"], v1::PrepayRequest { openid: OPENID.into(), ..app }),
        (&["openid"], v1::PrepayRequest { openid: OPENID.into(), ..h5.clone() }),
        (&["h5.scene"], v1::PrepayRequest { h5: None, ..h5.clone() }),
        (&["h5.redirect_url", "h5.ios_app.bundle_id"], v1::PrepayRequest { h5: Some(wrong_page), ..h5 }),
        (&["method"], method(PaymentMethod::PayCode)),
        (&["method"], method(PaymentMethod::Face)),
        (&["method"], method(PaymentMethod::Facepay)),
        (&["method"], v1::PrepayRequest { method: 99, ..gateway.prepay() }),
    ] {
        let status = refused(&gateway, request).await;
        assert_eq!(
            (status.code(), fields(&status)),
            (Code::InvalidArgument, named.iter().map(ToString::to_string).collect())
        );
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn particulars_that_wechat_would_not_take_are_refused_by_their_path() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    let good = particulars();
    let of_goods = |items| Some(Goods { items, ..Default::default() });
    for (named, particulars) in [
        ("particulars.attach", Particulars { attach: "a&b=c".into(), ..good.clone() }),
        ("particulars.goods_tag", Particulars { goods_tag: "t".repeat(33), ..good.clone() }),
        ("particulars.device_info", Particulars { device_info: "d".repeat(33), ..good.clone() }),
        ("particulars.goods.items", Particulars { goods: of_goods(Vec::new()), ..good.clone() }),
        (
            "particulars.goods.items[0].quantity",
            Particulars {
                goods: of_goods(vec![GoodsItem { goods_id: "t".into(), ..Default::default() }]),
                ..good.clone()
            },
        ),
        (
            "particulars.store.area_code",
            Particulars {
                store: Some(Store { id: "1".into(), area_code: "SZ".into(), ..Default::default() }),
                ..good.clone()
            },
        ),
        ("particulars.store.id", Particulars { store: Some(Store::default()), ..good }),
    ] {
        let request = v1::PrepayRequest { particulars: Some(particulars), ..gateway.prepay() };
        assert_eq!(fields(&refused(&gateway, request).await), [named]);
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn an_app_opens_only_the_cashier_of_its_kind() {
    let fake = Fake::always(prepaid()).await;
    let gateway = Gateway::before(&fake).await;
    for (method, app_id) in [
        (PaymentMethod::MiniProgram, OFFICIAL),
        (PaymentMethod::MiniProgram, NATIVE),
        (PaymentMethod::Jsapi, APP_ID),
        (PaymentMethod::Jsapi, NATIVE),
        (PaymentMethod::Unspecified, NATIVE),
    ] {
        let request = v1::PrepayRequest { app_id: app_id.into(), method: method.into(), ..gateway.prepay() };
        let status = refused(&gateway, request).await;
        assert_eq!(
            (status.code(), reason_of(&status).as_deref()),
            (Code::FailedPrecondition, Some("METHOD_NOT_AVAILABLE")),
            "{method:?} {app_id}"
        );
    }
    for app_id in [APP_ID, OFFICIAL] {
        let request = v1::PrepayRequest { app_id: app_id.into(), ..gateway.prepay_by(PaymentMethod::App) };
        assert_eq!(reason_of(&refused(&gateway, request).await).as_deref(), Some("METHOD_NOT_AVAILABLE"));
    }
    assert!(fake.received().is_empty());
}
