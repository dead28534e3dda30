use crate::harness::{KEY, OTHER_KEY, PREVIOUS_KEY, RefundNotice, World, post, sealed_text, sent};

/// A refund's number.
const REFUND: &str = "01981b6e6f3c7a01b2c3d4e5f6a7b8ca";

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Bytes of a block of the encryption.
const BLOCK: usize = 16;

#[tokio::test]
async fn what_does_not_open_is_refused() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    for req_info in ["not base64!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA", "%%%%", "退款"] {
        world.notify_refund(&notice.carrying(req_info)).await.refuses("sealed_wrong");
    }
    world.notify_refund(&notice.carrying("")).await.refuses("field");
    let none = notice.carrying("x").replace("<req_info><![CDATA[x]]></req_info>", "");
    world.notify_refund(&none).await.refuses("field");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn one_changed_cut_or_moved_block_is_refused() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    let genuine = notice.ciphertext();
    let refused = async |damaged: &[u8], how: &str| {
        let answer = world.notify_refund(&notice.carrying_bytes(damaged)).await;
        let words = ["sealed_wrong", "malformed"];
        assert!(words.iter().any(|word| answer.body.contains(word)) && !answer.is_success(), "{how}: {answer:?}");
    };
    for block in 0..genuine.len() / BLOCK {
        let mut damaged = genuine.clone();
        damaged[block * BLOCK] ^= 1;
        refused(&damaged, &format!("block {block} changed")).await;
    }
    refused(&genuine[BLOCK..], "the first block cut off").await;
    refused(&genuine[..genuine.len() - BLOCK], "the last block cut off").await;
    refused(&genuine[1..], "no whole blocks").await;
    let mut moved = genuine.clone();
    moved.rotate_left(BLOCK);
    refused(&moved, "the first block last").await;
    refused(&genuine.repeat(2), "all of it twice").await;
    assert!(world.nats.stored().await.is_empty());
    assert!(world.notify_refund(&notice.carrying_bytes(&genuine)).await.is_success(), "undamaged it is taken");
}

#[tokio::test]
async fn a_doctype_is_refused_outside_and_inside() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    world.notify_refund(&format!("<!DOCTYPE xml>{}", notice.sealed())).await.refuses("doctype");
    let inner = notice.inner_xml();
    for text in [
        format!("<!DOCTYPE root>{inner}"),
        "<!DOCTYPE root [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><root><refund_id>&x;</refund_id></root>".to_owned(),
        format!("<?xml version=\"1.0\"?><!DOCTYPE root [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>{inner}"),
    ] {
        world.notify_refund(&notice.carrying(&sealed_text(KEY, &text))).await.refuses("doctype");
    }
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn what_is_not_one_flat_message_outside_and_inside_is_refused() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    let genuine = notice.sealed();
    for body in [
        String::new(),
        "{\"req_info\":\"\"}".to_owned(),
        format!("{genuine}{genuine}"),
        genuine.replace("<xml>", "<root>").replace("</xml>", "</root>"),
        genuine.replace("</xml>", "<mch_id>1900000222</mch_id></xml>"),
        genuine.replace("</xml>", "<req_info>AAAA</req_info></xml>"),
        genuine.replace("</xml>", "<more><mch_id>1</mch_id></more></xml>"),
    ] {
        world.notify_refund(&body).await.refuses("malformed");
    }
    let inner = notice.inner_xml();
    let with = |more: &str| inner.replace("</root>", &format!("{more}</root>"));
    let many: Vec<_> = (0..256).map(|n| format!("<f{n}/>")).collect();
    for text in [
        String::new(),
        "no XML".to_owned(),
        inner.replace("root>", "xml>"),
        format!("{inner}{inner}"),
        with("<refund_id>1</refund_id>"),
        with("<more><refund_id>1</refund_id></more>"),
        with("<more>&unknown;</more>"),
        with(&many.concat()),
        inner.trim_end_matches("</root>").to_owned(),
    ] {
        world.notify_refund(&notice.carrying(&sealed_text(KEY, &text))).await.refuses("malformed");
    }
    assert!(world.nats.stored().await.is_empty());
    assert!(
        world.notify_refund(&notice.carrying(&sealed_text(KEY, &with("<brand_new>1</brand_new>")))).await.is_success()
    );
}

#[tokio::test]
async fn a_notice_that_lacks_what_a_refund_has_is_refused() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    let numbers = ["transaction_id", "out_trade_no", "refund_id", "out_refund_no"];
    for field in numbers.into_iter().chain(["total_fee", "refund_fee", "refund_status", "mch_id", "appid"]) {
        world.notify_refund(&notice.clone().without(field).sealed()).await.refuses("field");
    }
    for field in numbers.into_iter().chain(["refund_status"]) {
        for text in ["50\r\nNats-Msg-Id: x", "50 1", "退款", &"5".repeat(65)] {
            world.notify_refund(&notice.clone().inside(field, text).sealed()).await.refuses("field");
        }
    }
    world.notify_refund(&notice.clone().inside("refund_id", &"5".repeat(33)).sealed()).await.refuses("field");
    for (field, text) in [("refund_fee", "-1"), ("total_fee", "1.00"), ("success_time", "yesterday")] {
        world.notify_refund(&notice.clone().inside(field, text).sealed()).await.refuses("field");
    }
    world.notify_refund(&notice.outside("return_code", "FAIL").sealed()).await.refuses("return_code");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn a_notice_about_another_account_is_refused() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND);
    for (field, value) in [("mch_id", "1900000222"), ("sub_mch_id", "1900000444"), ("sub_appid", "wx0000000000000444")]
    {
        world.notify_refund(&notice.clone().outside(field, value).sealed()).await.refuses("other_account");
    }
    let elsewhere = "/notify/wechat-v2/other-shop/refund";
    post(world.service.http, elsewhere, notice.sealed().as_bytes()).await.refuses("sealed_wrong");
    assert!(world.nats.stored().await.is_empty());
    assert_eq!(world.service.refund_ended("other_account").await, 3);
}

#[tokio::test]
async fn a_notice_at_the_address_of_the_other_kind_is_nothing() {
    let world = World::start().await;
    world.notify(&RefundNotice::of(REFUND).sealed()).await.refuses("unsigned");
    world.notify_refund(&sent("4200002026081400000000000001")).await.refuses("field");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_too_large() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND).sealed();
    let largest = format!("{notice}{}", " ".repeat(MAX_BODY_BYTES - notice.len()));
    assert!(world.notify_refund(&largest).await.is_success());
    let answer = world.notify_refund(&format!("{largest} ")).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, ""));
    assert_eq!(world.service.refund_ended("too_large").await, 1);
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace_of_its_content() {
    let world = World::start().await;
    let notice = RefundNotice::of(REFUND).inside("refund_id", "s0meb0dys");
    world.notify_refund(&notice.clone().outside("mch_id", "1900000222").sealed()).await.refuses("other_account");
    world.notify_refund(&notice.sealed_with(OTHER_KEY)).await.refuses("sealed_wrong");
    world.service.logged("acme-mini: a callback was refused: other_account").await;
    world.service.logged("acme-mini: a callback was refused: sealed_wrong").await;
    let everything = format!("{}{}", world.service.log(), world.service.metrics().await);
    for secret in ["s0meb0dys", REFUND, "1900000222", KEY, PREVIOUS_KEY, OTHER_KEY, "CDATA", "支付用户零钱"] {
        assert!(!everything.contains(secret), "{secret} was told:\n{everything}");
    }
}
