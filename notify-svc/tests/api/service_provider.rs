//! Two sub-merchants of one service provider share its number and its key, so only `sub_mch_id` tells their messages apart.

use serde_json::json;
use wechat_pay::v2::SignType::HmacSha256;

use crate::harness::{Answer, KEY, Notice, PROVIDER_KEY, RefundNotice, World, post};

const TRANSACTION: &str = "4200002026081400000000000001";
const PROVIDER: &str = "1900000307";
const TEA: &str = "1900000315";
const CAKE: &str = "1900000316";
const PROVIDERS_APP: &str = "wx0000000000000c00";
const TEAS_APP: &str = "wx0000000000000c01";

/// A payment of `sub-tea` under its own app, not signed yet.
fn tea() -> Notice {
    Notice::paid(TRANSACTION)
        .with("appid", PROVIDERS_APP)
        .with("mch_id", PROVIDER)
        .with("sub_appid", TEAS_APP)
        .with("sub_mch_id", TEA)
        .with("sub_openid", "oSub")
}

fn signed(notice: Notice) -> String {
    notice.signed_with(PROVIDER_KEY, HmacSha256).xml()
}

fn refund() -> RefundNotice {
    RefundNotice::of("01981b6e6f3c7a01b2c3d4e5f6a7b8ca")
        .outside("appid", PROVIDERS_APP)
        .outside("mch_id", PROVIDER)
        .outside("sub_mch_id", TEA)
}

async fn notify(world: &World, merchant: &str, kind: &str, body: &str) -> Answer {
    post(world.service.http, &format!("/notify/wechat-v2/{merchant}/{kind}"), body.as_bytes()).await
}

#[tokio::test]
async fn the_fact_names_the_sub_merchant_and_the_app_that_opened_the_cashier() {
    let world = World::start().await;
    assert!(notify(&world, "sub-tea", "payment", &signed(tea())).await.is_success());
    let stored = world.nats.stored().await;
    assert_eq!(stored[0].subject, "pay.v1.payment.paid.sub-tea");
    let body = &stored[0].body;
    assert_eq!((&body["mchId"], &body["subMchId"]), (&json!(PROVIDER), &json!(TEA)));
    assert_eq!(body["appId"], json!(TEAS_APP));
    // An order under the provider's own app named no other, and WeChat tells this one all the same.
    assert_eq!(body["serviceProviderAppId"], json!(PROVIDERS_APP));
    assert_eq!(stored[0].headers["ce-id"], format!("paid:wechat-v2:{PROVIDER}:{TRANSACTION}"));
}

#[tokio::test]
async fn without_sub_appid_the_fact_names_the_providers_app() {
    let world = World::start().await;
    let notice = signed(tea().without("sub_appid").without("sub_openid"));
    assert!(notify(&world, "sub-tea", "payment", &notice).await.is_success());
    // An order under the sub-merchant's own app does not take such a fact: its owner compares the app.
    assert_eq!(world.nats.stored().await[0].body["appId"], json!(PROVIDERS_APP));
}

#[tokio::test]
async fn an_app_that_was_taken_out_of_the_file_is_still_heard() {
    let world = World::start().await;
    let notice = signed(tea().with("sub_appid", "wx0000000000000c99"));
    assert!(notify(&world, "sub-tea", "payment", &notice).await.is_success());
    assert_eq!(world.nats.stored().await[0].body["appId"], json!("wx0000000000000c99"));
}

#[tokio::test]
async fn a_genuine_notice_of_one_sub_merchant_is_nothing_at_the_address_of_another() {
    let world = World::start().await;
    notify(&world, "sub-cake", "payment", &signed(tea())).await.refuses("other_account");
    notify(&world, "sub-tea", "payment", &signed(tea().with("sub_mch_id", CAKE))).await.refuses("other_account");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn a_notice_that_names_no_sub_merchant_or_another_provider_is_refused() {
    let world = World::start().await;
    let absent = signed(tea().without("sub_mch_id"));
    let empty = signed(tea().with("sub_mch_id", ""));
    let swapped = signed(tea().with("mch_id", TEA).with("sub_mch_id", PROVIDER));
    let other_provider = signed(tea().with("mch_id", "1900000308"));
    for body in [absent, empty, swapped, other_provider] {
        notify(&world, "sub-tea", "payment", &body).await.refuses("other_account");
    }
    for app_id in ["wx-1", "wx 1", &"w".repeat(33)] {
        notify(&world, "sub-tea", "payment", &signed(tea().with("sub_appid", app_id))).await.refuses("field");
    }
    let with_anothers_key = tea().signed_with(KEY, HmacSha256).xml();
    notify(&world, "sub-tea", "payment", &with_anothers_key).await.refuses("sign_wrong");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn a_direct_merchants_notice_that_names_a_sub_merchant_is_refused() {
    let world = World::start().await;
    for (field, value) in [("sub_mch_id", TEA), ("sub_appid", TEAS_APP)] {
        world.notify(&Notice::paid(TRANSACTION).with(field, value).signed().xml()).await.refuses("other_account");
        let refund = RefundNotice::of("01981b6e6f3c7a01b2c3d4e5f6a7b8ca").outside(field, value);
        world.notify_refund(&refund.sealed()).await.refuses("other_account");
    }
    // Empty is absent: WeChat signs neither.
    assert!(world.notify(&Notice::paid(TRANSACTION).with("sub_mch_id", "").signed().xml()).await.is_success());
}

#[tokio::test]
async fn a_refund_notice_is_a_hint_for_the_sub_merchant_that_it_names_and_for_no_other() {
    let world = World::start().await;
    let sealed = refund().sealed_with(PROVIDER_KEY);
    notify(&world, "sub-cake", "refund", &sealed).await.refuses("other_account");
    let unnamed = refund().without("sub_mch_id").sealed_with(PROVIDER_KEY);
    notify(&world, "sub-tea", "refund", &unnamed).await.refuses("other_account");
    assert!(world.nats.stored().await.is_empty());
    assert!(notify(&world, "sub-tea", "refund", &sealed).await.is_success());
    let stored = world.nats.stored().await;
    assert_eq!(stored[0].subject, "pay.v1.refund.noticed.sub-tea");
    assert_eq!(stored[0].body["mchId"], json!(PROVIDER));
}
