use std::time::Duration;

use axum::http::StatusCode;
use jiff::SignedDuration;
use sandbox::control::{AnswerClass, Attempt, CallbackState, Pay};
use tokio::net::TcpListener;
use wechat_pay::v2::{
    notice::{self, Notice, RETRY_SCHEDULE},
    xml,
};

use crate::harness::{ACME, Answer, Bench, FAIL, Receiver, SUCCESS, TEA};

#[tokio::test]
async fn a_payment_is_told_in_a_notice_signed_with_the_orders_sign_type() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    for account in [ACME, TEA] {
        bench.place(&account, "A00000001", &[("notify_url", &receiver.url), ("attach", "cart 7")]).await;
        let pay = Pay { merchant: Some(account.name.into()), ..Pay::default() };
        let paid = bench.pay("A00000001", &pay).await;
        let callback = bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
        assert!(callback.attempts.iter().any(|attempt| attempt.answer == AnswerClass::Accepted));
        let body = xml::write("xml", receiver.received().last().unwrap());
        let Ok(Notice::Paid(notice)) = notice::read(body.as_bytes(), &account.api_key(), &[account.sign_type]) else {
            panic!("not a genuine notice");
        };
        assert_eq!((notice.identity.mch_id.as_str(), notice.identity.appid.as_str()), (account.mch_id, account.app_id));
        assert_eq!((notice.payment.total_fee.get(), notice.payment.time_end), (100, paid.paid_at));
        assert_eq!(
            (notice.payment.transaction_id, notice.payment.attach.as_deref()),
            (paid.transaction_id, Some("cart 7"))
        );
    }
}

#[tokio::test]
async fn a_refused_notice_comes_again_when_the_clock_jumps() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[Answer::With(StatusCode::OK, FAIL)]).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    bench.callback(paid.callback_id, |callback| !callback.attempts.is_empty()).await;
    bench.advance(Duration::from_secs(15)).await;
    let callback = bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    let answers: Vec<AnswerClass> = callback.attempts.iter().map(|attempt| attempt.answer).collect();
    assert_eq!(answers, [AnswerClass::Refused, AnswerClass::Accepted]);
    assert_eq!(callback.next_attempt_at, None);
}

#[tokio::test]
async fn the_official_schedule_is_kept_and_then_given_up() {
    let bench = Bench::start().await;
    let receiver = Receiver::always(Answer::With(StatusCode::OK, FAIL)).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let mut callback = bench.callback(paid.callback_id, |callback| !callback.attempts.is_empty()).await;
    while callback.state != CallbackState::GivenUp {
        // Longer than the longest wait, so each jump makes the next attempt due.
        bench.advance(Duration::from_hours(6)).await;
        let before = callback.attempts.len();
        callback = bench.callback(paid.callback_id, |callback| before < callback.attempts.len()).await;
    }
    assert_eq!(callback.attempts.len(), 1 + RETRY_SCHEDULE.len());
    assert!(callback.attempts.iter().all(|attempt| attempt.answer == AnswerClass::Refused && attempt.genuine));
    for (pair, wait) in callback.attempts.windows(2).zip(RETRY_SCHEDULE) {
        assert!(SignedDuration::try_from(wait).unwrap() <= pair[1].at.duration_since(pair[0].at));
    }
}

#[tokio::test]
async fn the_next_attempt_is_due_as_long_after_the_last_as_the_schedule_says() {
    let bench = Bench::start().await;
    let receiver = Receiver::always(Answer::With(StatusCode::OK, FAIL)).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url)]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let callback = bench
        .callback(paid.callback_id, |callback| {
            callback.state == CallbackState::Waiting && !callback.attempts.is_empty()
        })
        .await;
    let wait = RETRY_SCHEDULE[callback.attempts.len() - 1];
    assert_eq!(callback.next_attempt_at, Some(callback.attempts.last().unwrap().at + wait));
}

#[tokio::test]
async fn only_http_200_with_the_answers_xml_counts() {
    let bench = Bench::start().await;
    for (number, status, body, answer) in [
        ("A00000001", StatusCode::OK, "success", AnswerClass::NotXml),
        ("A00000002", StatusCode::OK, "{\"return_code\":\"SUCCESS\"}", AnswerClass::NotXml),
        ("A00000003", StatusCode::OK, "<xml><code>1</code></xml>", AnswerClass::NotXml),
        ("A00000004", StatusCode::CREATED, SUCCESS, AnswerClass::WrongStatus),
        ("A00000005", StatusCode::FOUND, "", AnswerClass::WrongStatus),
        ("A00000006", StatusCode::SERVICE_UNAVAILABLE, "", AnswerClass::WrongStatus),
    ] {
        let receiver = Receiver::always(Answer::With(status, body)).await;
        let first = first_attempt(&bench, number, &receiver.url).await;
        assert_eq!((first.answer, first.status), (answer, Some(status.as_u16())), "{body}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_or_hangs_up_counts_as_a_failed_attempt() {
    let bench = Bench::with_callback_timeout(Duration::from_millis(100)).await;
    let receiver = Receiver::always(Answer::Never).await;
    assert_eq!(first_attempt(&bench, "A00000001", &receiver.url).await.answer, AnswerClass::TimedOut);
    let bench = Bench::start().await;
    // Takes each connection and ends it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}/notify/wechat-v2/acme-mini/payment", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    assert_eq!(first_attempt(&bench, "A00000001", &nowhere).await.answer, AnswerClass::Unreachable);
}

#[tokio::test]
async fn callbacks_go_to_another_host_when_told_so() {
    let receiver = Receiver::start(&[]).await;
    let origin = receiver.url.split("/notify").next().unwrap();
    let bench = Bench::with(|settings| settings.notify_url = Some(origin.parse().unwrap())).await;
    bench.place(&ACME, "A00000001", &[]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    assert!(!receiver.received().is_empty());
}

async fn first_attempt(bench: &Bench, out_trade_no: &str, notify_url: &str) -> Attempt {
    bench.place(&ACME, out_trade_no, &[("notify_url", notify_url)]).await;
    let paid = bench.pay(out_trade_no, &Pay::default()).await;
    bench.callback(paid.callback_id, |callback| !callback.attempts.is_empty()).await.attempts.remove(0)
}
