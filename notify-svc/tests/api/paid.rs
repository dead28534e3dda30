use serde_json::json;
use wechat_pay::v2::SignType::{HmacSha256, Md5};

use crate::harness::{KEY, MCH_ID, Notice, OTHER_KEY, PREVIOUS_KEY, World, post, sent, until};

/// 28 digits, as WeChat's numbers have today.
const TRANSACTION: &str = "4200002026081400000000000001";

#[tokio::test]
async fn a_paid_notice_is_a_fact_on_the_stream_before_it_is_answered_with_success() {
    let world = World::start().await;
    assert!(world.notify(&sent(TRANSACTION)).await.is_success());
    let stored = world.nats.stored().await;
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(stored[0].subject, "pay.v1.payment.paid.acme-mini");
    assert_eq!(
        stored[0].body,
        json!({
            "merchant": "acme-mini",
            "provider": "wechat-v2",
            "outTradeNo": "01981b6e6f3c7a01b2c3d4e5f6a7b8c9",
            "transactionId": TRANSACTION,
            "amountFen": "100",
            "payerAmountFen": "80",
            "currency": "CNY",
            "mchId": "1900000109",
            "appId": "wxd930ea5d5a258f4f",
            "paidTime": "2026-08-14T01:30:15+00:00",
            "tradeType": "JSAPI",
            "bankType": "OTHERS",
            "source": "SOURCE_NOTICE",
        })
    );
    let header = |name: &str| stored[0].headers.get(name).map(String::as_str);
    let id = format!("paid:wechat-v2:{MCH_ID}:{TRANSACTION}");
    assert_eq!(header("Nats-Msg-Id"), Some(id.as_str()));
    assert_eq!(header("ce-id"), Some(id.as_str()));
    assert_eq!(header("ce-type"), Some("tongbao.event.v1.PaymentPaid"));
    assert_eq!(header("ce-source"), Some("notify-svc"));
    assert_eq!(header("ce-subject"), Some("payments/01981b6e6f3c7a01b2c3d4e5f6a7b8c9"));
    assert_eq!(header("content-type"), Some("application/json"));
    let time: jiff::Timestamp = header("ce-time").expect("a time").parse().expect("RFC 3339");
    assert_eq!(time.to_string(), "2026-08-14T01:30:15Z", "when it was paid, not when we heard of it");
    assert!(header("traceparent").is_some_and(|value| value.starts_with("00-")));
    assert_eq!(world.service.ended("recorded").await, 1);
}

#[tokio::test]
async fn a_repeated_notice_is_answered_with_success_and_stays_one_fact() {
    let world = World::start().await;
    for _ in 0..3 {
        assert!(world.notify(&sent(TRANSACTION)).await.is_success());
    }
    assert_eq!(world.nats.stored().await.len(), 1);
}

#[tokio::test]
async fn a_notice_without_currency_and_cash_fee_is_in_cny_and_paid_in_full() {
    let world = World::start().await;
    let notice = Notice::paid(TRANSACTION).without("fee_type").without("cash_fee").signed();
    assert!(world.notify(&notice.xml()).await.is_success());
    let stored = world.nats.stored().await;
    assert_eq!((&stored[0].body["currency"], &stored[0].body["payerAmountFen"]), (&json!("CNY"), &json!("100")));
}

#[tokio::test]
async fn without_a_readable_cash_fee_the_payer_paid_what_the_coupons_left() {
    let world = World::start().await;
    let notice = Notice::paid(TRANSACTION).with("cash_fee", "0.80").with("coupon_fee", "30");
    let notice = notice.with("settlement_total_fee", "x").signed();
    assert!(world.notify(&notice.xml()).await.is_success());
    let stored = world.nats.stored().await;
    assert_eq!((&stored[0].body["amountFen"], &stored[0].body["payerAmountFen"]), (&json!("100"), &json!("70")));
}

#[tokio::test]
async fn the_orders_in_flight_of_an_app_that_was_taken_out_are_still_heard() {
    let world = World::start().await;
    let notice = Notice::paid(TRANSACTION).with("appid", "wx0000000000000099").signed();
    assert!(world.notify(&notice.xml()).await.is_success());
    assert_eq!(world.nats.stored().await[0].body["appId"], json!("wx0000000000000099"));
}

#[tokio::test]
async fn while_the_sign_type_is_changed_both_are_genuine() {
    let world = World::start().await;
    let path = "/notify/wechat-v2/new-shop/payment";
    let sent = |transaction: &str, sign_type| {
        let notice = Notice::paid(transaction).with("mch_id", "1900000333").with("appid", "wx0000000000000333");
        notice.signed_with("newshopnewshopnewshopnewshopnew1", sign_type).xml()
    };
    world.write_merchant("new-shop.key", "newshopnewshopnewshopnewshopnew1");
    world.write_merchant(
        "new-shop.toml",
        "provider = \"wechat-v2\"\nmch_id = \"1900000333\"\nsign_type = \"HMAC-SHA256\"\n\
         previous_sign_type = \"MD5\"\nnotify_base_url = \"https://pay.example.com\"\n\
         api_key_file = \"new-shop.key\"\n\n[[apps]]\napp_id = \"wx0000000000000333\"\nkind = \"mini-program\"\n",
    );
    for (transaction, sign_type) in
        [("4200000000000000000000000001", HmacSha256), ("4200000000000000000000000002", Md5)]
    {
        let body = sent(transaction, sign_type);
        until("the new merchant is served", async || {
            post(world.service.http, path, body.as_bytes()).await.is_success().then_some(())
        })
        .await;
    }
    assert_eq!(world.nats.stored().await.len(), 2);
}

#[tokio::test]
async fn one_transaction_number_at_two_accounts_is_two_facts() {
    let world = World::start().await;
    let shop = Notice::paid(TRANSACTION).with("mch_id", "1900000222").with("appid", "wx0000000000000222");
    let shop = shop.signed_with(OTHER_KEY, Md5).xml();
    assert!(post(world.service.http, "/notify/wechat-v2/other-shop/payment", shop.as_bytes()).await.is_success());
    assert!(world.notify(&sent(TRANSACTION)).await.is_success());
    let stored = world.nats.stored().await;
    let subjects: Vec<_> = stored.iter().map(|message| message.subject.as_str()).collect();
    assert_eq!(subjects, ["pay.v1.payment.paid.other-shop", "pay.v1.payment.paid.acme-mini"]);
}

#[tokio::test]
async fn a_genuine_notice_that_nothing_was_paid_is_taken_and_publishes_nothing() {
    let world = World::start().await;
    let notice = Notice::paid(TRANSACTION).with("result_code", "FAIL").signed();
    assert!(world.notify(&notice.xml()).await.is_success());
    assert!(world.nats.stored().await.is_empty());
    assert_eq!(world.service.ended("not_paid").await, 1);
    world.service.logged("acme-mini: a genuine notice says that nothing was paid").await;
}

#[tokio::test]
async fn while_keys_are_changed_both_are_genuine_and_each_fact_is_kept() {
    let world = World::start().await;
    for (transaction, key) in [("4200000000000000000000000001", KEY), ("4200000000000000000000000002", PREVIOUS_KEY)] {
        let notice = Notice::paid(transaction).signed_with(key, HmacSha256);
        assert!(world.notify(&notice.xml()).await.is_success());
    }
    assert_eq!(world.nats.stored().await.len(), 2);
}
