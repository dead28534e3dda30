//! Asks the owner of orders about a scanned product code, and waits for the answer.
//!
//! A question is no fact: nobody stores it, and nobody hears it later. It goes over core NATS, and whoever listens answers in
//! time or not at all.

use std::sync::Arc;

use async_nats::{HeaderMap, Request, RequestErrorKind};
use proto::bus::subject;
use proto::order::v1::native_scan_answer::Answer;
use proto::order::v1::{NativeScan, NativeScanAnswer};
use svc_kit::bus::Bus;
use svc_kit::trace;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use wechat_pay::v2::native_scan::MAX_PREPAY_ID_BYTES;

use crate::metrics::{Counted, ScanMetrics};
use crate::outcome::Outcome;

/// Longest answer that is read. Real ones have about 150 bytes.
const MAX_ANSWER_BYTES: usize = 4096;

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The prepaid order whose cashier is to open.
    Prepaid(String),
    /// Words for the payer.
    Refusal(String),
    /// Nobody said anything that we can use.
    Nothing(Outcome),
}

impl Said {
    /// What metrics and logs call it.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Said::Prepaid(_) => Outcome::Answered,
            Said::Refusal(_) => Outcome::Declined,
            Said::Nothing(outcome) => *outcome,
        }
    }
}

/// Asks; clones share the places.
#[derive(Clone)]
pub(crate) struct Asker {
    bus: Bus,
    places: Arc<Semaphore>,
    metrics: ScanMetrics,
}

impl Asker {
    /// At most `places` questions wait at a time; one more is answered at once.
    pub(crate) fn new(bus: &Bus, places: usize, metrics: ScanMetrics) -> Self {
        Self { bus: bus.clone(), places: Arc::new(Semaphore::new(places)), metrics }
    }

    /// Asks once and waits for the answer, not longer than until `deadline`.
    pub(crate) async fn ask(&self, question: &NativeScan, deadline: Instant) -> Said {
        let Ok(_place) = self.places.try_acquire() else { return Said::Nothing(Outcome::Overloaded) };
        let _waiting = Counted::in_gauge(&self.metrics.waiting);
        // A question that waits for a connection would be about a payer who has put the phone away.
        if !self.bus.is_connected() {
            return Said::Nothing(Outcome::BusDown);
        }
        let payload = serde_json::to_vec(question).expect("a message of ours is JSON");
        let mut headers = HeaderMap::new();
        trace::inject(|name, value| headers.insert(name, value));
        let request = Request::new().headers(headers).payload(payload.into()).timeout(None);
        let sent = self.bus.client().send_request(subject::native_scanned(&question.merchant), request);
        match timeout_at(deadline, sent).await {
            Ok(Ok(message)) => read(&message.payload),
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Said::Nothing(Outcome::NobodyListens),
            Ok(Err(_)) => Said::Nothing(Outcome::BusDown),
            Err(_elapsed) => Said::Nothing(Outcome::Unanswered),
        }
    }
}

/// Reads an answer. Ours or not, it is checked before it is signed.
fn read(payload: &[u8]) -> Said {
    let unusable = Said::Nothing(Outcome::AnswerWrong);
    if MAX_ANSWER_BYTES < payload.len() {
        return unusable;
    }
    let Ok(NativeScanAnswer { answer }) = serde_json::from_slice(payload) else { return unusable };
    match answer {
        Some(Answer::PrepayId(id))
            if (1..=MAX_PREPAY_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Said::Prepaid(id)
        }
        Some(Answer::Refusal(words)) => Said::Refusal(words),
        Some(Answer::PrepayId(_)) | None => unusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_answers_are_read_as_proto3_json() {
        assert_eq!(read(br#"{"prepayId":"wx2014"}"#), Said::Prepaid("wx2014".to_owned()));
        assert_eq!(read(r#"{"refusal":"已下架"}"#.as_bytes()), Said::Refusal("已下架".to_owned()));
    }

    #[test]
    fn what_is_no_answer_is_never_signed_as_one() {
        let long = format!("{{\"prepayId\":\"{}\"}}", "x".repeat(65));
        let huge = format!("{{\"refusal\":\"{}\"}}", "x".repeat(MAX_ANSWER_BYTES));
        for payload in
            ["", "{}", "null", "[]", "{\"prepayId\":\"\"}", "{\"prepayId\":\"a b\"}", "{\"prepayId\":1}", &long, &huge]
        {
            assert_eq!(read(payload.as_bytes()), Said::Nothing(Outcome::AnswerWrong), "{payload}");
        }
    }
}
