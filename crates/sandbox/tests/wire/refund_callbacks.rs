use std::time::Duration;

use axum::http::StatusCode;
use money::Fen;
use sandbox::control::{AnswerClass, CallbackKind, CallbackState, Refund, RefundState};
use serde_json::{Value, json};
use wechat_pay::v2::{
    Fields, RefundStatus,
    notice::RETRY_SCHEDULE,
    refund_notice::{RefundHint, RefundNoticeError, read},
    sign::SIGN,
    xml,
};

use crate::harness::{ACME, Answer, Bench, FAIL, NOWHERE, Receiver, outcome, rule};

/// A bench with an order of ten yuan, whose payment was told; three yuan of it go back, and are told to this receiver.
async fn refunding(receiver: &Receiver) -> Bench {
    let bench = Bench::start().await;
    bench.settle_delay(None).await;
    bench.place(&ACME, "A00000001", &[("total_fee", "1000"), ("notify_url", &receiver.url)]).await;
    bench.fault(rule("callback", "A00000001", json!({ "do": "delay", "delay_ms": 8_640_000_000_u64 }))).await;
    bench.pay("A00000001", &sandbox::control::Pay::default()).await;
    let url = receiver.refund_url();
    let fields = [
        ("out_trade_no", "A00000001"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "300"),
        ("notify_url", &*url),
    ];
    assert_eq!(outcome(&bench.refund(&ACME, &fields).await), "SUCCESS");
    bench
}

fn hint(fields: &Fields) -> Result<RefundHint, RefundNoticeError> {
    read(xml::write("xml", fields).as_bytes(), &ACME.api_key())
}

fn is_delivered(callback: &sandbox::control::Callback) -> bool {
    callback.state == CallbackState::Delivered
}

#[tokio::test]
async fn each_end_of_a_refund_is_told_in_an_encrypted_notice_without_a_signature() {
    for (end, status) in [
        (RefundState::Success, RefundStatus::Success),
        (RefundState::Change, RefundStatus::Abnormal),
        (RefundState::RefundClose, RefundStatus::Closed),
    ] {
        let receiver = Receiver::start(&[]).await;
        let bench = refunding(&receiver).await;
        let settled = bench.settle("R1", end).await;
        let callback = bench.refund_callback("R1", end, is_delivered).await;
        assert!(callback.attempts[0].genuine && callback.url == receiver.refund_url());
        let notices = receiver.received();
        assert_eq!((notices[0].text(SIGN), notices[0].text("refund_fee")), (None, None));
        let hint = hint(&notices[0]).unwrap();
        assert_eq!((hint.status, hint.success_time), (status, settled.settled_at));
        assert_eq!((hint.total_fee, hint.refund_fee), (Fen::new(1_000), Fen::new(300)));
        assert_eq!((hint.identity.mch_id.as_str(), hint.identity.appid.as_str()), (ACME.mch_id, ACME.app_id));
        assert_eq!((hint.out_trade_no.as_str(), hint.out_refund_no.as_str()), ("A00000001", "R1"));
        assert_eq!((hint.refund_id, hint.transaction_id), (settled.refund_id, callback.transaction_id));
        assert_eq!(hint.request_source.as_deref(), Some("API"));
    }
}

#[tokio::test]
async fn a_refund_that_succeeds_by_itself_is_told_without_anybody_looking() {
    let receiver = Receiver::start(&[]).await;
    let bench = refunding(&receiver).await;
    bench.settle_delay(Some(Duration::from_hours(1))).await;
    bench.advance(Duration::from_mins(1)).await;
    let url = receiver.refund_url();
    let fields = [
        ("out_trade_no", "A00000001"),
        ("out_refund_no", "R2"),
        ("total_fee", "1000"),
        ("refund_fee", "1"),
        ("notify_url", &*url),
    ];
    assert_eq!(outcome(&bench.refund(&ACME, &fields).await), "SUCCESS");
    bench.advance(Duration::from_hours(1)).await;
    bench.refund_callback("R2", RefundState::Success, is_delivered).await;
    assert_eq!(hint(&receiver.received()[0]).unwrap().out_refund_no, "R2");
}

#[tokio::test]
async fn a_refund_that_bounced_and_arrived_is_told_twice() {
    let receiver = Receiver::start(&[]).await;
    let bench = refunding(&receiver).await;
    bench.settle("R1", RefundState::Change).await;
    bench.refund_callback("R1", RefundState::Change, is_delivered).await;
    bench.settle("R1", RefundState::Success).await;
    bench.refund_callback("R1", RefundState::Success, is_delivered).await;
    let told: Vec<_> = receiver.received().iter().map(|notice| hint(notice).unwrap().status).collect();
    assert_eq!(told, [RefundStatus::Abnormal, RefundStatus::Success]);
}

#[tokio::test]
async fn a_refund_of_the_platform_is_told_where_the_merchants_file_says() {
    let receiver = Receiver::start(&[]).await;
    let origin = receiver.url.split("/notify").next().unwrap();
    let bench = Bench::with(|settings| settings.notify_url = Some(origin.parse().unwrap())).await;
    bench.settle_delay(None).await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    let url = format!("{}/_sandbox/payments/A00000001/refund", bench.url);
    let refund: Refund = bench.http.post(url).send().await.unwrap().json().await.unwrap();
    bench.settle(&refund.out_refund_no, RefundState::Success).await;
    let callback = bench.refund_callback(&refund.out_refund_no, RefundState::Success, is_delivered).await;
    assert_eq!(callback.url, format!("{NOWHERE}/notify/wechat-v2/acme-mini/refund"));
    let hints: Vec<_> = receiver.received().iter().filter_map(|notice| hint(notice).ok()).collect();
    assert_eq!(hints[0].request_source.as_deref(), Some("VENDOR_PLATFORM"));
}

#[tokio::test]
async fn a_refused_notice_comes_again_on_the_schedule_of_payments() {
    let receiver = Receiver::always(Answer::With(StatusCode::OK, FAIL)).await;
    let bench = refunding(&receiver).await;
    bench.settle("R1", RefundState::Success).await;
    let mut callback =
        bench.refund_callback("R1", RefundState::Success, |callback| !callback.attempts.is_empty()).await;
    while callback.state != CallbackState::GivenUp {
        bench.advance(Duration::from_hours(6)).await;
        let before = callback.attempts.len();
        callback = bench.callback(callback.id, |callback| before < callback.attempts.len()).await;
    }
    assert_eq!(callback.attempts.len(), 1 + RETRY_SCHEDULE.len());
    assert!(callback.attempts.iter().all(|attempt| attempt.answer == AnswerClass::Refused && attempt.genuine));
}

/// Settles a refund whose callbacks meet `fault` once; the merchant refuses the first message and believes the others.
async fn spoiled(fault: Value) -> Vec<Fields> {
    let receiver = Receiver::start(&[Answer::With(StatusCode::OK, FAIL)]).await;
    let bench = refunding(&receiver).await;
    let active = bench.fault(rule("refundcallback", "A00000001", fault)).await;
    bench.settle("R1", RefundState::Success).await;
    let first = bench.refund_callback("R1", RefundState::Success, |callback| !callback.attempts.is_empty()).await;
    assert!(!first.attempts[0].genuine);
    assert_eq!(bench.hits(&active).await, 1);
    bench.advance(Duration::from_secs(15)).await;
    bench.refund_callback("R1", RefundState::Success, is_delivered).await;
    let notices = receiver.received();
    // What comes after the fault is genuine.
    assert_eq!(hint(notices.last().unwrap()).unwrap().status, RefundStatus::Success);
    notices
}

#[tokio::test]
async fn a_forged_notice_does_not_decrypt() {
    let received = spoiled(json!({ "do": "forge" })).await;
    assert!(hint(&received[0]).is_err());
}

#[tokio::test]
async fn a_tampered_notice_decrypts_and_lies() {
    let received = spoiled(json!({ "do": "tamper" })).await;
    assert_eq!(hint(&received[0]).unwrap().status, RefundStatus::Closed);
    let received = spoiled(json!({ "do": "tamper", "field": "refund_fee", "value": "1000" })).await;
    assert_eq!(hint(&received[0]).unwrap().refund_fee, Fen::new(1_000));
    let received = spoiled(json!({ "do": "tamper", "field": "mch_id", "value": "1900000110" })).await;
    assert_eq!(received[0].text("mch_id"), Some("1900000110"));
}

#[tokio::test]
async fn lost_delayed_and_duplicated_attempts_are_as_those_of_payments() {
    let receiver = Receiver::start(&[]).await;
    let bench = refunding(&receiver).await;
    for fault in [
        json!({ "do": "lose" }),
        json!({ "do": "delay", "delay_ms": 3_600_000 }),
        json!({ "do": "duplicate", "copies": 2 }),
    ] {
        bench.fault(rule("refundcallback", "A00000001", fault)).await;
    }
    bench.settle("R1", RefundState::Success).await;
    let lost = bench.refund_callback("R1", RefundState::Success, |callback| !callback.attempts.is_empty()).await;
    assert_eq!(lost.attempts[0].answer, AnswerClass::NotSent);
    bench.advance(Duration::from_secs(15)).await;
    let now = bench.clock().await.now;
    let put_off = |callback: &sandbox::control::Callback| {
        callback.next_attempt_at.is_some_and(|at| now + Duration::from_mins(59) < at)
    };
    bench.refund_callback("R1", RefundState::Success, put_off).await;
    bench.advance(Duration::from_hours(1)).await;
    // The delayed attempt meets no other fault; the last one is for the next refund.
    let delivered = bench.refund_callback("R1", RefundState::Success, is_delivered).await;
    assert_eq!((delivered.attempts.len(), receiver.received().len()), (2, 1));
    let url = receiver.refund_url();
    let fields = [
        ("out_trade_no", "A00000001"),
        ("out_refund_no", "R2"),
        ("total_fee", "1000"),
        ("refund_fee", "1"),
        ("notify_url", &*url),
    ];
    assert_eq!(outcome(&bench.refund(&ACME, &fields).await), "SUCCESS");
    bench.settle("R2", RefundState::Success).await;
    let duplicated = bench.refund_callback("R2", RefundState::Success, is_delivered).await;
    assert_eq!((duplicated.attempts.len(), receiver.received().len()), (3, 4));
}

#[tokio::test]
async fn a_notice_of_a_refund_can_overtake_that_of_its_payment() {
    let receiver = Receiver::start(&[]).await;
    let bench = Bench::start().await;
    bench.settle_delay(None).await;
    bench.fault(rule("callback", "A00000001", json!({ "do": "reorder" }))).await;
    bench.place(&ACME, "A00000001", &[("total_fee", "1000"), ("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &sandbox::control::Pay::default()).await;
    let held = paid.paid_at + Duration::from_mins(3);
    bench.callback(paid.callback_id, |callback| callback.next_attempt_at.is_some_and(|at| held <= at)).await;
    let url = receiver.refund_url();
    let fields = [
        ("out_trade_no", "A00000001"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "300"),
        ("notify_url", &*url),
    ];
    assert_eq!(outcome(&bench.refund(&ACME, &fields).await), "SUCCESS");
    bench.settle("R1", RefundState::Success).await;
    let payment = bench.callback(paid.callback_id, is_delivered).await;
    assert_eq!(payment.kind, CallbackKind::Payment);
    let kinds: Vec<bool> = receiver.received().iter().map(|notice| hint(notice).is_ok()).collect();
    assert_eq!(kinds, [true, false]);
}
