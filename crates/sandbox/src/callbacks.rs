//! Delivers callbacks about payments and refunds: when they are due on the sandbox's clock, again on the official schedule, a bounded number at
//! once.

use std::sync::Arc;

use futures::future;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use url::Url;
use wechat_pay::v2::xml;

use crate::{
    control::{AnswerClass, Attempt, Fault, FaultPoint},
    ledger::{About, CallbackId, Delivery},
    notice::{self, Notice},
    platform::Platform,
    refund_notice,
};

/// Callbacks under way at once; the others wait their turn.
const MAX_UNDER_WAY: usize = 64;

/// Longest answer that is read; an acknowledgement has about a hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A held callback goes after this long even when no other callback came.
const MAX_HELD: SignedDuration = SignedDuration::from_mins(3);

/// Runs until the sandbox stops.
pub(crate) async fn run(platform: Arc<Platform>, tasks: TaskTracker) {
    let permits = Arc::new(Semaphore::new(MAX_UNDER_WAY));
    while !platform.stop.is_cancelled() {
        let permit = tokio::select! {
            () = platform.stop.cancelled() => return,
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("nobody closes this semaphore"),
        };
        let now = platform.clock.now();
        let (due, next) = {
            let mut ledger = platform.ledger();
            (ledger.take_due(now), ledger.next_due())
        };
        if let Some(id) = due {
            tasks.spawn(deliver(Arc::clone(&platform), id, permit));
            continue;
        }
        drop(permit);
        tokio::select! {
            () = platform.stop.cancelled() => return,
            () = platform.due_earlier.notified() => {}
            () = wait_until(&platform, next) => {}
        }
    }
}

async fn wait_until(platform: &Platform, next: Option<Timestamp>) {
    match next {
        Some(at) => platform.clock.reached(at).await,
        None => future::pending().await,
    }
}

async fn deliver(platform: Arc<Platform>, id: CallbackId, _permit: OwnedSemaphorePermit) {
    let delivery = attempt(&platform, id).await;
    platform.ledger().deliver(id, delivery);
    platform.due_earlier.notify_one();
}

/// One attempt, with the fault that strikes it.
async fn attempt(platform: &Platform, id: CallbackId) -> Delivery {
    let (merchant, out_trade_no, on, spared) = {
        let ledger = platform.ledger();
        let callback = ledger.callback(id);
        let order = ledger.order(callback.order);
        let on = match callback.about {
            About::Payment => FaultPoint::Callback,
            About::Refund { .. } => FaultPoint::RefundCallback,
        };
        (order.merchant.to_string(), order.out_trade_no.clone(), on, callback.is_spared())
    };
    let fault = if spared { None } else { platform.rules().strike(on, Some(&merchant), Some(&out_trade_no)) };
    let now = platform.clock.now();
    let mut copies = 1;
    match fault {
        Some(Fault::Delay { delay_ms }) => {
            let delay = SignedDuration::from_millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
            return Delivery::PutOff { until: now.checked_add(delay).unwrap_or(Timestamp::MAX) };
        }
        Some(Fault::Reorder) => return Delivery::Held { until: now + MAX_HELD },
        Some(Fault::Lose) => {
            let fault = Some(Fault::Lose.as_str().to_owned());
            return Delivery::Attempted(vec![Attempt {
                at: now,
                fault,
                genuine: true,
                status: None,
                answer: AnswerClass::NotSent,
            }]);
        }
        Some(Fault::Duplicate { copies: more }) => copies += more,
        _ => {}
    }
    let attempts = (0..copies).map(|_| post(platform, id, &merchant, fault.as_ref(), now));
    Delivery::Attempted(future::join_all(attempts).await)
}

/// Posts the notice once and reads the answer as WeChat does.
async fn post(platform: &Platform, id: CallbackId, merchant: &str, fault: Option<&Fault>, at: Timestamp) -> Attempt {
    let prepared = prepare(platform, id, merchant, fault);
    let fault = fault.map(|fault| fault.as_str().to_owned());
    let Some((notice, url)) = prepared else {
        // The merchant's file was removed, and its key with it.
        return Attempt { at, fault, genuine: true, status: None, answer: AnswerClass::NotSent };
    };
    let request = platform
        .http
        .post(url)
        .header(http::header::CONTENT_TYPE, "text/xml; charset=utf-8")
        .body(xml::write("xml", &notice.fields));
    let (status, answer) = match request.send().await {
        Ok(response) => classify(response).await,
        Err(error) => (None, broken(&error)),
    };
    tracing::info!(attempt.answer = ?answer, attempt.status = status, merchant, "callback answered {answer:?}");
    Attempt { at, fault, genuine: notice.genuine, status, answer }
}

/// What is posted, and where.
fn prepare(platform: &Platform, id: CallbackId, merchant: &str, fault: Option<&Fault>) -> Option<(Notice, Url)> {
    let merchant = platform.merchant_by_name(merchant)?;
    let ledger = platform.ledger();
    let callback = ledger.callback(id);
    let order = ledger.order(callback.order);
    let payment = order.payment.as_ref()?;
    let (notice, url) = match callback.about {
        About::Payment => (notice::signed(&merchant, order, payment, fault)?, &order.notify_url),
        About::Refund { id, state, reached_at } => {
            let refund = ledger.refund(id);
            let told = refund_notice::Told { order, payment, refund, state, reached_at };
            (refund_notice::sealed(&merchant, &told, fault)?, &refund.notify_url)
        }
    };
    Some((notice, platform.callback_url(url).ok()?))
}

async fn classify(mut response: reqwest::Response) -> (Option<u16>, AnswerClass) {
    let status = response.status();
    if status != http::StatusCode::OK {
        return (Some(status.as_u16()), AnswerClass::WrongStatus);
    }
    let mut body = Vec::new();
    let answer = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if MAX_ANSWER_BYTES < body.len() + chunk.len() => break AnswerClass::NotXml,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break read(&body),
            Err(error) => break broken(&error),
        }
    };
    (Some(status.as_u16()), answer)
}

fn read(body: &[u8]) -> AnswerClass {
    match xml::parse("xml", body) {
        Ok(fields) if fields.text("return_code") == Some("SUCCESS") => AnswerClass::Accepted,
        Ok(fields) if fields.text("return_code").is_some() => AnswerClass::Refused,
        Ok(_) | Err(_) => AnswerClass::NotXml,
    }
}

fn broken(error: &reqwest::Error) -> AnswerClass {
    if error.is_timeout() { AnswerClass::TimedOut } else { AnswerClass::Unreachable }
}
