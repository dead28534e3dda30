//! Native mode 1: what a scanned product code costs is asked on the bus and said to WeChat, signed.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use wechat_pay::v2::SignType::{HmacSha256, Md5};

use crate::harness::{
    KEY, MCH_ID, NATIVE_PATH, OTHER_KEY, Owner, PREVIOUS_KEY, PRODUCT, PROVIDER_KEY, Scan, World, post, refused_words,
    request, signed_answer, until,
};

const PREPAY_ID: &str = "wx201410272009395522657a690389285100";
const PREPAID: &str = r#"{"prepayId":"wx201410272009395522657a690389285100"}"#;

fn genuine() -> String {
    Scan::of(PRODUCT).signed().xml()
}

#[tokio::test]
async fn a_genuine_scan_is_asked_about_and_answered_with_the_prepaid_order() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let answer = world.scan(&genuine()).await;
    let fields = signed_answer(&answer, KEY, HmacSha256);
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wxd930ea5d5a258f4f"),
        ("mch_id", MCH_ID),
        ("prepay_id", PREPAY_ID),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}: {answer:?}");
    }
    let nonce = fields.text("nonce_str").expect("a nonce");
    assert!(nonce.len() <= 32 && nonce != "5K8264ILTKCH16CQ2502SI8ZNMTM67VS", "{nonce}");
    assert!(answer.head.contains("content-type: text/xml"), "{}", answer.head);

    let heard = owner.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].subject, "ask.v1.native.scanned.acme-mini");
    assert_eq!(
        heard[0].body,
        json!({
            "merchant": "acme-mini",
            "provider": "wechat-v2",
            "mchId": MCH_ID,
            "appId": "wxd930ea5d5a258f4f",
            "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
            "productId": PRODUCT,
            "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        })
    );
    assert!(heard[0].traceparent.as_ref().is_some_and(|value| value.starts_with("00-")));
    assert!(world.nats.stored().await.is_empty(), "a question is no fact");
    assert_eq!(world.service.scans_ended("answered").await, 1);
    world.service.logged(&format!("acme-mini: the code of product {PRODUCT} was scanned: answered")).await;
}

#[tokio::test]
async fn each_scan_is_asked_about_again_because_its_owner_knows_what_a_repeat_is() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    for _ in 0..3 {
        signed_answer(&world.scan(&genuine()).await, KEY, HmacSha256);
    }
    assert_eq!(owner.heard().len(), 3);
}

#[tokio::test]
async fn a_code_names_no_sign_type_so_wechat_is_answered_in_the_type_that_it_asked_in() {
    let world = World::start().await;
    let _owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    for sign_type in [Md5, HmacSha256] {
        let asked = Scan::of(PRODUCT).signed_with(KEY, sign_type);
        let fields = signed_answer(&world.scan(&asked.xml()).await, KEY, sign_type);
        assert_eq!(fields.get("result_code"), Some("SUCCESS"), "{sign_type:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_said_to_the_payer_in_the_owners_words() {
    let world = World::start().await;
    let _owner = Owner::listen(&world.nats, Some(r#"{"refusal":"商品已下架"}"#)).await;
    assert_eq!(refused_words(&world.scan(&genuine()).await), "商品已下架");
    assert_eq!(world.service.scans_ended("declined").await, 1);
}

#[tokio::test]
async fn without_anybody_who_listens_the_payer_reads_so_at_once() {
    let world = World::start().await;
    assert_eq!(refused_words(&world.scan(&genuine()).await), "商家系统繁忙，请稍后重新扫码");
    assert_eq!(world.service.scans_ended("nobody_listens").await, 1);
    world.service.logged("acme-mini: a payer who scanned a product code could not be served: nobody_listens").await;
}

#[tokio::test]
async fn an_owner_who_says_nothing_is_not_waited_for_longer_than_the_payer_waits() {
    let world = World::with(&["--scan-time-ms", "300"]).await;
    let owner = Owner::listen(&world.nats, None).await;
    let began = Instant::now();
    assert_eq!(refused_words(&world.scan(&genuine()).await), "商家系统繁忙，请稍后重新扫码");
    assert!(Duration::from_millis(300) <= began.elapsed());
    assert_eq!(owner.heard().len(), 1);
    assert_eq!(world.service.scans_ended("unanswered").await, 1);
}

#[tokio::test]
async fn an_answer_that_is_none_is_never_signed_as_one() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(r#"{"prepayId":"a b"}"#)).await;
    refused_words(&world.scan(&genuine()).await);
    drop(owner);
    assert_eq!(world.service.scans_ended("answer_wrong").await, 1);
}

#[tokio::test]
async fn without_the_bus_the_payer_reads_so_at_once_and_the_next_scan_is_served() {
    let mut world = World::start().await;
    world.nats.kill();
    until("it is not ready", async || (!world.service.is_ready().await).then_some(())).await;
    refused_words(&world.scan(&genuine()).await);
    assert_eq!(world.service.scans_ended("bus_down").await, 1);
    world.nats.start_again().await;
    world.gate.lead_to(world.nats.address());
    let _owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    until("the next scan is served", async || {
        let answer = world.scan(&genuine()).await;
        answer.body.contains(PREPAY_ID).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_scan_more_than_may_wait_is_answered_at_once() {
    let world = World::with(&["--max-scans", "1", "--request-time-ms", "18000", "--scan-time-ms", "18000"]).await;
    let owner = Owner::listen(&world.nats, None).await;
    let server = world.service.http;
    let waiting = tokio::spawn(async move { post(server, NATIVE_PATH, genuine().as_bytes()).await });
    until("the first is asked about", async || (owner.heard().len() == 1).then_some(())).await;
    assert_eq!(world.service.metric("scans_waiting").await, 1);
    refused_words(&world.scan(&genuine()).await);
    assert_eq!(world.service.scans_ended("overloaded").await, 1);
    assert_eq!(owner.heard().len(), 1, "the second was not asked about");
    waiting.abort();
}

#[tokio::test]
async fn a_scan_that_is_badly_signed_is_refused_unsigned_and_nobody_is_asked() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let signed = Scan::of(PRODUCT).signed();
    let fields: Vec<String> = signed.0.iter().map(|(name, _)| name.to_owned()).filter(|name| name != "sign").collect();
    for field in &fields {
        world.scan(&signed.clone().with(field, "1").xml()).await.refuses("sign_wrong");
        world.scan(&signed.clone().without(field).xml()).await.refuses("sign_wrong");
    }
    world.scan(&Scan::of(PRODUCT).xml()).await.refuses("unsigned");
    world.scan(&signed.clone().with("sign", "").xml()).await.refuses("unsigned");
    let others = Scan::of(PRODUCT).signed_with(OTHER_KEY, HmacSha256);
    world.scan(&others.xml()).await.refuses("sign_wrong");
    assert!(owner.heard().is_empty());
    let refused = u64::try_from(2 * fields.len() + 1).expect("a small number");
    assert_eq!(world.service.scans_ended("sign_wrong").await, refused);
    assert_eq!(world.service.scans_ended("unsigned").await, 2);
}

#[tokio::test]
async fn what_everybody_can_see_of_our_signatures_is_no_scan_in_either_type() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let code = Scan::of(PRODUCT).without("openid").without("is_subscribe").with("time_stamp", "1414561699");
    let invocation = Scan::of(PRODUCT).without("product_id").with("package", "prepay_id=wx2").with("signType", "MD5");
    for sign_type in [Md5, HmacSha256] {
        for seen in [&code, &invocation] {
            let signed = seen.clone().signed_with(KEY, sign_type);
            world.scan(&signed.xml()).await.refuses("field");
            // What is missing cannot be added.
            world.scan(&signed.with("openid", "o").with("product_id", PRODUCT).xml()).await.refuses("sign_wrong");
        }
    }
    assert!(owner.heard().is_empty());
}

#[tokio::test]
async fn a_signed_scan_about_another_account_or_app_is_refused() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    for (field, value) in [
        ("mch_id", "1900000222"),
        ("appid", "wx0000000000000222"),
        ("appid", "wx0000000000000099"),
        ("sub_mch_id", "1900000315"),
        ("sub_appid", "wx0000000000000c01"),
    ] {
        world.scan(&Scan::of(PRODUCT).with(field, value).signed().xml()).await.refuses("other_account");
    }
    for field in ["appid", "mch_id", "openid", "product_id", "nonce_str"] {
        world.scan(&Scan::of(PRODUCT).without(field).signed().xml()).await.refuses("field");
    }
    for (field, value) in [
        ("product_id", "a b"),
        ("product_id", &"1".repeat(33)),
        ("openid", &"o".repeat(129)),
        ("openid", "o\nNats-Msg-Id: x"),
        ("nonce_str", &"n".repeat(33)),
    ] {
        world.scan(&Scan::of(PRODUCT).with(field, value).signed().xml()).await.refuses("field");
    }
    assert!(owner.heard().is_empty());
}

#[tokio::test]
async fn what_is_not_one_flat_message_is_refused() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let body = genuine();
    let twice = body.replace("</xml>", "<product_id>2</product_id></xml>");
    world.scan(&twice).await.refuses("malformed");
    world.scan(&format!("<!DOCTYPE xml [<!ENTITY x \"y\">]>{body}")).await.refuses("doctype");
    world.scan("{}").await.refuses("malformed");
    assert_eq!(world.scan(&format!("{body}{}", " ".repeat(64 * 1024))).await.status, 413);
    assert!(owner.heard().is_empty());
}

#[tokio::test]
async fn while_keys_are_changed_the_answer_is_signed_with_the_key_of_the_question() {
    let world = World::start().await;
    let _owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    for key in [KEY, PREVIOUS_KEY] {
        let answer = world.scan(&Scan::of(PRODUCT).signed_with(key, HmacSha256).xml()).await;
        assert_eq!(signed_answer(&answer, key, HmacSha256).get("prepay_id"), Some(PREPAY_ID));
    }
}

#[tokio::test]
async fn a_merchant_that_signs_with_md5_is_answered_with_md5() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let scan = Scan::of(PRODUCT).with("mch_id", "1900000222").with("appid", "wx0000000000000222");
    let body = scan.signed_with(OTHER_KEY, Md5).xml();
    let answer = post(world.service.http, "/notify/wechat-v2/other-shop/native", body.as_bytes()).await;
    assert_eq!(signed_answer(&answer, OTHER_KEY, Md5).get("prepay_id"), Some(PREPAY_ID));
    assert_eq!(owner.heard()[0].subject, "ask.v1.native.scanned.other-shop");
}

#[tokio::test]
async fn a_service_providers_sub_merchant_has_no_such_address() {
    let world = World::start().await;
    let owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let body = Scan::of(PRODUCT)
        .with("mch_id", "1900000307")
        .with("appid", "wx0000000000000c00")
        .with("sub_mch_id", "1900000315")
        .signed_with(PROVIDER_KEY, HmacSha256)
        .xml();
    let path = "/notify/wechat-v2/sub-tea/native";
    let answer = post(world.service.http, path, body.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (404, ""));
    assert_eq!(request(world.service.http, "GET", path, b"").await.status, 404);
    assert_eq!(request(world.service.http, "GET", NATIVE_PATH, b"").await.status, 405);
    assert!(owner.heard().is_empty());
}

#[tokio::test]
async fn neither_log_nor_metrics_tell_who_scanned() {
    let world = World::start().await;
    let _owner = Owner::listen(&world.nats, Some(PREPAID)).await;
    let signed = Scan::of(PRODUCT).signed();
    signed_answer(&world.scan(&signed.xml()).await, KEY, HmacSha256);
    world.scan(&signed.clone().with("openid", "o-someone-else").xml()).await.refuses("sign_wrong");
    world.service.logged("acme-mini: a callback was refused: sign_wrong").await;
    let told = format!("{}{}", world.service.log(), world.service.metrics().await);
    let sign = signed.0.get("sign").expect("it is signed");
    for secret in ["oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "o-someone-else", KEY, PREVIOUS_KEY, sign, PREPAY_ID, "CDATA"] {
        assert!(!told.contains(secret), "{secret} was told:\n{told}");
    }
}
