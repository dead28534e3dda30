use std::time::Duration;

use sandbox::control::{AnswerClass, Callback, CallbackState, Pay};
use serde_json::{Value, json};
use wechat_pay::v2::{
    Fields, SignType,
    sign::{SignError, verify, verify_pinned},
};

use crate::harness::{ACME, Account, Answer, Bench, FAIL, Receiver, rule};

/// Pays an order whose callbacks meet `fault` once; the merchant refuses the first message and believes the others.
async fn spoiled(fault: Value) -> (Callback, Vec<Fields>) {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[Answer::With(axum::http::StatusCode::OK, FAIL)]).await;
    let active = bench.fault(rule("callback", "A00000001", fault)).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    bench.callback(paid.callback_id, |callback| !callback.attempts.is_empty()).await;
    assert_eq!(bench.hits(&active).await, 1);
    bench.advance(Duration::from_secs(15)).await;
    let callback = bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    let notices = receiver.received();
    // What comes after the fault is genuine.
    assert!(verify(notices.last().unwrap(), &ACME.api_key(), ACME.sign_type).is_ok());
    assert!(callback.attempts.last().unwrap().genuine);
    assert!(!callback.attempts[0].genuine);
    (callback, notices)
}

fn judged(fields: &Fields) -> Result<SignType, SignError> {
    verify_pinned(fields, &ACME.api_key(), &[ACME.sign_type])
}

#[tokio::test]
async fn a_tampered_notice_does_not_fit_its_signature() {
    let (callback, received) = spoiled(json!({ "do": "tamper" })).await;
    assert_eq!(received[0].text("total_fee"), Some("1"));
    assert_eq!(judged(&received[0]), Err(SignError::Mismatch));
    assert_eq!(callback.attempts[0].fault.as_deref(), Some("tamper"));
    let (_, received) = spoiled(json!({ "do": "tamper", "field": "openid", "value": "oThief" })).await;
    assert_eq!(received[0].text("openid"), Some("oThief"));
    assert_eq!(judged(&received[0]), Err(SignError::Mismatch));
}

#[tokio::test]
async fn a_forged_notice_is_signed_with_another_key() {
    let (_, received) = spoiled(json!({ "do": "forge" })).await;
    assert_eq!(received[0].text("total_fee"), Some("100"));
    assert_eq!(judged(&received[0]), Err(SignError::Mismatch));
}

#[tokio::test]
async fn a_notice_of_the_other_sign_type_is_genuine_but_not_pinned() {
    let (_, received) = spoiled(json!({ "do": "other_sign_type" })).await;
    assert_eq!(judged(&received[0]), Err(SignError::NotPinned { sign_type: SignType::Md5 }));
}

#[tokio::test]
async fn a_rewritten_notice_fits_its_signature_and_lies() {
    let (_, received) = spoiled(json!({ "do": "rewrite", "field": "total_fee", "value": "1" })).await;
    assert_eq!((judged(&received[0]), received[0].text("total_fee")), (Ok(ACME.sign_type), Some("1")));
}

#[tokio::test]
async fn a_success_for_a_message_that_was_not_genuine_ends_nothing() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    bench.fault(rule("callback", "A00000001", json!({ "do": "forge" }))).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let callback = bench.callback(paid.callback_id, |callback| !callback.attempts.is_empty()).await;
    assert_eq!((callback.attempts[0].answer, callback.attempts[0].genuine), (AnswerClass::Accepted, false));
    bench.advance(Duration::from_secs(15)).await;
    bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
}

#[tokio::test]
async fn a_lost_attempt_never_leaves_and_uses_up_its_place_in_the_schedule() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    let lost = bench.fault(json!({ "on": "callback", "merchant": ACME.name, "do": "lose", "times": 2 })).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    for attempts in 1..=2 {
        bench.callback(paid.callback_id, |callback| attempts <= callback.attempts.len()).await;
        bench.advance(Duration::from_secs(15)).await;
    }
    let callback = bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    let answers: Vec<AnswerClass> = callback.attempts.iter().map(|attempt| attempt.answer).collect();
    assert_eq!(answers, [AnswerClass::NotSent, AnswerClass::NotSent, AnswerClass::Accepted]);
    assert_eq!((bench.hits(&lost).await, receiver.received().len()), (2, 1));
}

#[tokio::test]
async fn a_delayed_attempt_goes_when_the_clock_has_moved() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    let day = Duration::from_hours(24);
    bench.fault(rule("callback", "A00000001", json!({ "do": "delay", "delay_ms": 86_400_000 }))).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let a_day_later = paid.paid_at + day;
    let put_off =
        bench.callback(paid.callback_id, |callback| callback.next_attempt_at.is_some_and(|at| a_day_later <= at)).await;
    assert_eq!(put_off.attempts, []);
    bench.advance(day).await;
    let callback = bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    assert!(a_day_later <= callback.attempts[0].at);
}

#[tokio::test]
async fn a_duplicated_attempt_arrives_several_times_and_is_one_place_in_the_schedule() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    bench.fault(rule("callback", "A00000001", json!({ "do": "duplicate", "copies": 2 }))).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let callback = bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    assert_eq!((callback.attempts.len(), receiver.received().len()), (3, 3));
    assert!(callback.attempts.iter().all(|attempt| attempt.genuine && attempt.answer == AnswerClass::Accepted));
}

#[tokio::test]
async fn a_reordered_callback_waits_until_another_one_went() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    bench.fault(rule("callback", "A00000001", json!({ "do": "reorder" }))).await;
    for number in ["A00000001", "A00000002"] {
        bench.place(&ACME, number, &[("notify_url", &receiver.url)]).await;
    }
    let first = bench.pay("A00000001", &Pay::default()).await;
    let held = first.paid_at + Duration::from_mins(3);
    bench.callback(first.callback_id, |callback| callback.next_attempt_at.is_some_and(|at| held <= at)).await;
    bench.pay("A00000002", &Pay::default()).await;
    bench.callback(first.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    let numbers: Vec<_> =
        receiver.received().iter().map(|notice| notice.text("out_trade_no").unwrap().to_owned()).collect();
    assert_eq!(numbers, ["A00000002", "A00000001"]);
}

#[tokio::test]
async fn a_reordered_callback_without_another_one_goes_after_three_minutes() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    bench.fault(rule("callback", "A00000001", json!({ "do": "reorder" }))).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let held = paid.paid_at + Duration::from_mins(3);
    bench.callback(paid.callback_id, |callback| callback.next_attempt_at.is_some_and(|at| held <= at)).await;
    bench.advance(Duration::from_mins(3)).await;
    bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
}

#[tokio::test]
async fn two_accounts_do_not_share_a_fault() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    let lost = bench.fault(json!({ "on": "callback", "merchant": "tea-house", "do": "lose", "times": 9 })).await;
    let account: Account = ACME;
    bench.place(&account, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    assert_eq!(bench.hits(&lost).await, 0);
}
