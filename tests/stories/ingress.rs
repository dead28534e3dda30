//! Whatever strangers send to the only public address: an answer that says no, a count, and nothing on the bus.

use std::time::Duration;

use e2e::{Options, Part, World, story};
use reqwest::{Method, StatusCode};
use wechat_pay::v2::{ApiKey, Fields, SignType, sign::sign, xml};

use crate::restart::{is_paid_once, is_told};

const PATH: &str = "/notify/wechat-v2/acme-mini/payment";
/// What a payer's id could look like; it must not be found in any log.
const PAYER: &str = "oNobodysBusiness0000001";
/// Bodies may have 64 KiB.
const TOO_LARGE: usize = 64 * 1024 + 1;

#[test]
fn other_paths_are_not_found_and_other_methods_not_allowed() {
    story(patient(), async |world| {
        let paths = [
            "/",
            "/notify",
            "/notify/wechat-v2/acme-mini",
            "/notify/wechat-v2/acme-mini/payment/",
            "/notify/wechat-v2/acme-mini/refund/",
            "/notify/wechat-v2/nobody/payment",
            "/notify/wechat-v3/acme-mini/payment",
            "/notify/WECHAT-V2/acme-mini/payment",
            "/notify/wechat-v2/acme-mini/payment?a=b",
            "/notify/wechat-v2/acme-mini%2Fpayment",
            "/livez",
            "/metrics",
        ];
        for path in paths {
            assert_eq!(send(world, Method::POST, path, "<xml></xml>").await.0, StatusCode::NOT_FOUND, "{path}");
        }
        let methods = [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS];
        for method in methods.clone() {
            let (status, _) = send(world, method.clone(), PATH, "").await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        }
        let counted = async |reason| world.metric(Part::NotifySvc, "http_refused_total", &[("reason", reason)]).await;
        assert_eq!(usize::try_from(counted("not_found").await), Ok(paths.len()));
        assert_eq!(usize::try_from(counted("method_not_allowed").await), Ok(methods.len()));
        nothing_was_believed(world).await;
    });
}

#[test]
fn bodies_that_are_no_notice_are_refused_in_wechats_shape_and_counted_by_reason() {
    story(patient(), async |world| {
        let entity = "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>";
        let signed_by_nobody = notice(&[("sign", "0".repeat(64).as_str())]);
        let bodies = [
            ("malformed", String::new()),
            ("malformed", "{\"out_trade_no\":\"1\"}".to_owned()),
            ("malformed", "<xml><a>1</a>".to_owned()),
            ("malformed", "<other><a>1</a></other>".to_owned()),
            ("malformed", "<xml><a><b>1</b></a></xml>".to_owned()),
            ("malformed", "<xml><a>1</a><a>2</a></xml>".to_owned()),
            ("doctype", entity.to_owned()),
            ("unsigned", notice(&[])),
            ("unsigned", notice(&[("sign", "")])),
            ("sign_wrong", signed_by_nobody),
            ("sign_wrong", notice(&[("sign", "SUCCESS")])),
            ("sign_wrong", signed_by(world, "acme-shop", SignType::HmacSha256, &[])),
            ("sign_type_genuine", signed_by(world, "acme-mini", SignType::Md5, &[])),
            ("other_account", signed_by(world, "acme-mini", SignType::HmacSha256, &[("mch_id", "1900000208")])),
            ("other_account", signed_by(world, "acme-mini", SignType::HmacSha256, &[("sub_mch_id", "1900000208")])),
            ("field", signed_by(world, "acme-mini", SignType::HmacSha256, &[("total_fee", "1.00")])),
            ("field", signed_by(world, "acme-mini", SignType::HmacSha256, &[("out_trade_no", "")])),
        ];
        for (reason, body) in &bodies {
            let (status, answer) = send(world, Method::POST, PATH, body).await;
            assert_eq!(status, StatusCode::OK, "{reason}: {body}");
            let answer = xml::parse("xml", answer.as_bytes()).expect("WeChat reads XML");
            assert_eq!(answer.get("return_code"), Some("FAIL"), "{reason}: {body}");
            assert_eq!(answer.get("return_msg"), Some(*reason), "{body}");
        }
        for reason in ["malformed", "doctype", "unsigned", "sign_wrong", "sign_type_genuine", "other_account", "field"]
        {
            let expected = bodies.iter().filter(|(of, _)| *of == reason).count();
            assert_eq!(usize::try_from(refused(world, reason).await), Ok(expected), "{reason}");
        }
        nothing_was_believed(world).await;
    });
}

#[test]
fn a_body_that_is_too_large_is_413() {
    story(patient(), async |world| {
        let (status, _) = send(world, Method::POST, PATH, &"x".repeat(TOO_LARGE)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(refused(world, "too_large").await, 1);
        nothing_was_believed(world).await;
    });
}

/// A machine may be slow to send a body; how slow is another test's business.
fn patient() -> Options {
    Options::default().setting(Part::NotifySvc, "REQUEST_TIME_MS", 18_000)
}

/// Nothing is on the bus, no log knows the payer, and a genuine callback still gets through.
async fn nothing_was_believed(world: &World) {
    assert_eq!(world.facts("pay.v1.>").await, []);
    assert!(!world.log(Part::NotifySvc).contains(PAYER));
    let cashier = world.open_cashier(100).await;
    cashier.pay().await;
    is_told(world, cashier.out_trade_no()).await;
    is_paid_once(world, &cashier).await;
}

async fn refused(world: &World, reason: &str) -> i64 {
    let labels = [("merchant", "acme-mini"), ("outcome", reason)];
    world.metric(Part::NotifySvc, "callbacks_total", &labels).await
}

async fn send(world: &World, method: Method, path: &str, body: &str) -> (StatusCode, String) {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_mins(1));
    let client = client.build().expect("a client without certificates");
    let url = format!("{}{path}", world.addresses().notify.url());
    let answer = client.request(method, url).body(body.to_owned()).send().await.expect("strangers are answered");
    (answer.status(), answer.text().await.expect("the answer is whole"))
}

/// A payment notice with these changes, without a signature of its own.
fn notice(changes: &[(&str, &str)]) -> String {
    xml::write("xml", &fields(changes))
}

/// A payment notice with these changes, signed with the key of `merchant`.
fn signed_by(world: &World, merchant: &str, sign_type: SignType, changes: &[(&str, &str)]) -> String {
    let key = std::fs::read_to_string(world.folder().join(format!("merchants/{merchant}.key")));
    let key = ApiKey::parse(key.expect("the world has a copy").trim()).expect("it is a key");
    let mut fields = fields(changes);
    fields.insert("sign", sign(&fields, &key, sign_type));
    xml::write("xml", &fields)
}

fn fields(changes: &[(&str, &str)]) -> Fields {
    let mut fields: Fields = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wxac3e0000000000a1"),
        ("mch_id", "1900000109"),
        ("nonce_str", "0123456789abcdef"),
        ("openid", PAYER),
        ("trade_type", "JSAPI"),
        ("bank_type", "OTHERS"),
        ("total_fee", "100"),
        ("cash_fee", "100"),
        ("fee_type", "CNY"),
        ("transaction_id", "4200000000202611210000000001"),
        ("out_trade_no", "0198f3a2b4c5d6e7f8091a2b3c4d5e6f"),
        ("time_end", "20261121120000"),
    ]
    .into_iter()
    .collect();
    for (name, value) in changes {
        fields.insert(*name, *value);
    }
    fields
}
