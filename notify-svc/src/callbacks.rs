//! One callback from its headers to its answer.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, EXPECT, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use merchants::{Merchant, Merchants};
use svc_kit::crash;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::http::{self, BodyError};
use crate::metrics::CallbackMetrics;
use crate::outcome::{Kind, Outcome};
use crate::providers::{self, Reading};
use crate::publish::Publisher;
use crate::refusals::Refusals;
use crate::routes;

/// How long a callback may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// From the end of the headers until the body must be whole.
    pub(crate) request: Duration,
    /// From the end of the headers until the bus must have acknowledged; not longer than `request`.
    pub(crate) publish: Duration,
}

/// Takes callbacks; clones share everything.
#[derive(Clone)]
pub(crate) struct Callbacks {
    merchants: Merchants,
    publisher: Publisher,
    metrics: CallbackMetrics,
    refusals: Arc<Refusals>,
    times: Times,
}

impl Callbacks {
    pub(crate) fn new(merchants: Merchants, publisher: Publisher, metrics: CallbackMetrics, times: Times) -> Self {
        Self { merchants, publisher, metrics, refusals: Arc::default(), times }
    }

    /// Answers one request. What is answered with success is on the stream.
    pub(crate) async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let arrived = Instant::now();
        let body_deadline = arrived + self.times.request;
        let expects_to_be_asked = request.headers().contains_key(EXPECT);
        let (head, mut body) = request.into_parts();
        let merchant = routes::address(&head.uri).and_then(|address| {
            let merchant = self.merchants.get(&address.merchant)?;
            (merchant.provider() == address.provider).then_some((merchant, address.kind))
        });
        let response = match merchant {
            None => {
                self.metrics.not_found();
                plain(StatusCode::NOT_FOUND)
            }
            Some(_) if head.method != Method::POST => {
                self.metrics.method_not_allowed();
                let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                response
            }
            Some((merchant, kind)) => {
                let whole = timeout_at(body_deadline, http::read(&mut body)).await;
                let outcome = match whole {
                    Ok(Ok(bytes)) => {
                        // What strangers send as trace context is not continued: the trace begins here.
                        let span = tracing::info_span!("callback", merchant = %merchant.name, kind = kind.as_str());
                        let reading = providers::read(&merchant, kind, &bytes);
                        self.conclude(&merchant, reading, arrived + self.times.publish).instrument(span).await
                    }
                    Ok(Err(BodyError::TooLarge)) => Outcome::TooLarge,
                    Ok(Err(BodyError::Broken)) => Outcome::Broken,
                    Err(_) => Outcome::TooSlow,
                };
                if matches!(outcome.kind(), Kind::Refused | Kind::Unread | Kind::Later) {
                    self.refusals.log(&merchant, kind, outcome);
                }
                self.metrics.ended(&merchant, kind, outcome, arrived.elapsed());
                answer(&merchant, outcome)
            }
        };
        // A client that still waits to be asked for its body sends none after a final answer.
        if !expects_to_be_asked {
            let _ = timeout_at(body_deadline, http::discard(&mut body)).await;
        }
        response
    }

    async fn conclude(&self, merchant: &Merchant, reading: Result<Reading, Outcome>, deadline: Instant) -> Outcome {
        match reading {
            Ok(Reading::Paid(fact)) => {
                crash::point("notify.verified");
                let outcome = self.publisher.publish(&*fact, deadline).await;
                if outcome == Outcome::Recorded {
                    crash::point("notify.recorded");
                    let (name, number) = (&merchant.name, &fact.out_trade_no);
                    let transaction_id = &fact.transaction_id;
                    tracing::info!(merchant = %name, out_trade_no = number, transaction_id, "{name}: {number} was paid");
                }
                outcome
            }
            Ok(Reading::NotPaid) => {
                tracing::info!(merchant = %merchant.name, "{}: a genuine notice says that nothing was paid", merchant.name);
                Outcome::NotPaid
            }
            Ok(Reading::RefundNoticed(hint)) => {
                crash::point("notify.hint_read");
                let outcome = self.publisher.publish(&*hint, deadline).await;
                if outcome == Outcome::Recorded {
                    crash::point("notify.hint_recorded");
                    let (name, number, word) = (&merchant.name, &hint.out_refund_no, &hint.word);
                    let refund_id = &hint.refund_id;
                    tracing::info!(merchant = %name, out_refund_no = number, refund_id, word, "{name}: refund {number} is said to be {word}");
                }
                outcome
            }
            Err(outcome) => outcome,
        }
    }
}

/// What the provider reads.
fn answer(merchant: &Merchant, outcome: Outcome) -> Response<Full<Bytes>> {
    let mut response = match outcome {
        Outcome::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE),
        Outcome::TooSlow => plain(StatusCode::REQUEST_TIMEOUT),
        Outcome::Broken => plain(StatusCode::BAD_REQUEST),
        _ => return providers::answer(merchant, outcome),
    };
    // What is left of the body would be read as the next request.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An answer without a body.
fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
