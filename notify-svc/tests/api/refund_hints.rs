use serde_json::json;

use crate::harness::{
    KEY, MCH_ID, OTHER_KEY, PREVIOUS_KEY, RefundNotice, World, has_fitting_padding, post, sealed_text, sent, until,
};

/// A refund's number.
const REFUND: &str = "01981b6e6f3c7a01b2c3d4e5f6a7b8ca";

#[tokio::test]
async fn a_refund_notice_is_a_hint_on_the_stream_before_it_is_answered_with_success() {
    let world = World::start().await;
    assert!(world.notify_refund(&RefundNotice::of(REFUND).sealed()).await.is_success());
    let stored = world.nats.stored().await;
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(stored[0].subject, "pay.v1.refund.noticed.acme-mini");
    assert_eq!(
        stored[0].body,
        json!({
            "merchant": "acme-mini",
            "provider": "wechat-v2",
            "mchId": MCH_ID,
            "outRefundNo": REFUND,
            "refundId": "50000000002026081400000000001",
            "word": "SUCCESS",
            "digest": stored[0].body["digest"],
        }),
        "no amount and no time: nobody has signed any"
    );
    let header = |name: &str| stored[0].headers.get(name).map(String::as_str);
    let digest = stored[0].body["digest"].as_str().unwrap_or_default();
    assert_eq!(digest.len(), 16, "{digest}");
    let id = format!("refund-noticed:wechat-v2:{MCH_ID}:{REFUND}:50000000002026081400000000001:SUCCESS:{digest}");
    assert_eq!((header("Nats-Msg-Id"), header("ce-id")), (Some(id.as_str()), Some(id.as_str())));
    assert_eq!(header("ce-type"), Some("tongbao.event.v1.RefundNoticed"));
    assert_eq!(header("ce-source"), Some("notify-svc"));
    assert_eq!(header("ce-subject"), Some(format!("refunds/{REFUND}").as_str()));
    assert!(header("ce-time").is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok()));
    assert!(header("traceparent").is_some_and(|value| value.starts_with("00-")));
    assert_eq!((world.service.refund_ended("recorded").await, world.service.ended("recorded").await), (1, 0));
    world.service.logged(&format!("acme-mini: refund {REFUND} is said to be SUCCESS")).await;
    let told = format!("{}{}", world.service.log(), world.service.metrics().await);
    for amount in ["4321", "8765", "支付用户零钱"] {
        assert!(!told.contains(amount), "{amount} was told:\n{told}");
    }
}

#[tokio::test]
async fn a_repeated_hint_is_answered_with_success_and_stays_one() {
    let world = World::start().await;
    for _ in 0..3 {
        assert!(world.notify_refund(&RefundNotice::of(REFUND).sealed()).await.is_success());
    }
    assert_eq!(world.nats.stored().await.len(), 1);
    assert_eq!(world.service.refund_ended("recorded").await, 3);
}

#[tokio::test]
async fn a_forged_hint_does_not_make_the_genuine_one_a_repeat() {
    let world = World::start().await;
    // Somebody who knows the key, or has pasted pieces together, says SUCCESS first, but not at the true time.
    let forged = RefundNotice::of(REFUND).inside("success_time", "");
    for notice in [forged, RefundNotice::of(REFUND)] {
        assert!(world.notify_refund(&notice.sealed()).await.is_success());
    }
    assert_eq!(world.nats.stored().await.len(), 2);
}

#[tokio::test]
async fn each_state_of_a_refund_is_a_hint_of_its_own_even_one_that_nobody_knows_yet() {
    let world = World::start().await;
    for word in ["CHANGE", "REFUNDCLOSE", "SUCCESS", "SOMETHING_NEW"] {
        let notice = RefundNotice::of(REFUND).inside("refund_status", word).inside("success_time", "");
        assert!(world.notify_refund(&notice.sealed()).await.is_success(), "{word}");
    }
    let words: Vec<_> = world.nats.stored().await.iter().map(|hint| hint.body["word"].clone()).collect();
    assert_eq!(words, ["CHANGE", "REFUNDCLOSE", "SUCCESS", "SOMETHING_NEW"]);
}

#[tokio::test]
async fn a_refund_made_in_the_merchant_platform_is_told_too() {
    let world = World::start().await;
    let number = "platform@".repeat(7) + "1";
    assert_eq!(number.len(), 64);
    let notice = RefundNotice::of(&number).inside("refund_request_source", "VENDOR_PLATFORM");
    assert!(world.notify_refund(&notice.sealed()).await.is_success());
    assert_eq!(world.nats.stored().await[0].body["outRefundNo"], json!(number));
}

#[tokio::test]
async fn while_keys_are_changed_both_open_a_notice_and_no_other_does() {
    let world = World::start().await;
    let with = |refund_id: &str| RefundNotice::of(REFUND).inside("refund_id", refund_id);
    assert!(world.notify_refund(&with("5001").sealed()).await.is_success());
    assert!(world.notify_refund(&with("5002").sealed_with(PREVIOUS_KEY)).await.is_success());
    world.notify_refund(&with("5003").sealed_with(OTHER_KEY)).await.refuses("sealed_wrong");
    assert_eq!(world.nats.stored().await.len(), 2);
    assert_eq!(world.service.refund_ended("sealed_wrong").await, 1);
}

#[tokio::test]
async fn padding_that_fits_a_wrong_key_by_chance_neither_hides_a_notice_nor_opens_one() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    // One in 256 texts is like that; their last block holds digits, so that it is another one each time.
    let by_chance = |key: &str| {
        let inner = notice.inner_xml();
        let width = 28 - (inner.len() + "<!---->".len() + 13) % 16;
        let mut sealed = (0..100_000).map(|n| sealed_text(key, &format!("{inner}<!--{n:0width$}-->")));
        sealed.find(|req_info| has_fitting_padding(KEY, req_info)).expect("one of so many")
    };
    world.notify_refund(&notice.carrying(&by_chance(OTHER_KEY))).await.refuses("sealed_wrong");
    assert!(world.notify_refund(&notice.carrying(&by_chance(PREVIOUS_KEY))).await.is_success());
    assert_eq!(world.nats.stored().await.len(), 1);
}

#[tokio::test]
async fn a_hint_and_a_fact_of_one_merchant_are_both_kept() {
    let world = World::start().await;
    assert!(world.notify(&sent("4200002026081400000000000001")).await.is_success());
    assert!(world.notify_refund(&RefundNotice::of(REFUND).sealed()).await.is_success());
    let stored = world.nats.stored().await;
    let subjects: Vec<_> = stored.iter().map(|message| message.subject.as_str()).collect();
    assert_eq!(subjects, ["pay.v1.payment.paid.acme-mini", "pay.v1.refund.noticed.acme-mini"]);
}

#[tokio::test]
async fn a_refund_notice_of_an_account_whose_key_is_not_being_changed_is_taken_as_well() {
    let world = World::start().await;
    let path = "/notify/wechat-v2/other-shop/refund";
    let notice = RefundNotice::of(REFUND).outside("mch_id", "1900000222").outside("appid", "wx0000000000000222");
    let (genuine, acmes) = (notice.sealed_with(OTHER_KEY), notice.sealed());
    assert!(post(world.service.http, path, genuine.as_bytes()).await.is_success());
    post(world.service.http, path, acmes.as_bytes()).await.refuses("sealed_wrong");
    assert_eq!(world.nats.stored().await.len(), 1);
}

#[tokio::test]
async fn without_the_bus_a_refund_notice_is_to_come_again_and_is_then_taken() {
    let mut world = World::start().await;
    world.nats.kill();
    until("it is not ready", async || (!world.service.is_ready().await).then_some(())).await;
    let answer = world.notify_refund(&RefundNotice::of(REFUND).sealed()).await;
    assert_eq!((answer.status, answer.return_code()), (503, "FAIL"), "{answer:?}");
    world.nats.start_again().await;
    world.gate.lead_to(world.nats.address());
    world.notify_refund_until_taken(&RefundNotice::of(REFUND).sealed()).await;
    assert_eq!(world.nats.stored().await.len(), 1);
}

#[tokio::test]
async fn a_hint_whose_ack_is_lost_is_answered_with_fail_and_its_repeat_is_not_doubled() {
    let world = World::with(&["--publish-time-ms", "500"]).await;
    world.gate.hold_answers();
    let body = RefundNotice::of(REFUND).sealed();
    let answer = world.notify_refund(&body).await;
    assert_eq!((answer.status, answer.return_code()), (503, "FAIL"), "{answer:?}");
    let stored = async || (world.nats.stored().await.len() == 1).then_some(());
    until("the hint is stored although nobody said so", stored).await;
    world.gate.release();
    world.notify_refund_until_taken(&body).await;
    assert_eq!(world.nats.stored().await.len(), 1);
}
