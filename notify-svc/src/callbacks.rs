//! One callback from its headers to its answer.

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
use crate::providers::{self, Reading, Scan};
use crate::publish::Publisher;
use crate::refusals::Refusals;
use crate::routes;
use crate::scans::Asker;

/// How long a callback may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// From the end of the headers until the body must be whole.
    pub(crate) request: Duration,
    /// From the end of the headers until the bus must have acknowledged; not longer than `request`.
    pub(crate) publish: Duration,
    /// From the end of the headers until a scan must be answered; not longer than `request`.
    pub(crate) scan: Duration,
}

/// Takes callbacks.
pub(crate) struct Callbacks {
    merchants: Merchants,
    publisher: Publisher,
    asker: Asker,
    metrics: CallbackMetrics,
    refusals: Refusals,
    times: Times,
}

impl Callbacks {
    pub(crate) fn new(
        merchants: Merchants,
        publisher: Publisher,
        asker: Asker,
        metrics: CallbackMetrics,
        times: Times,
    ) -> Self {
        Self { merchants, publisher, asker, metrics, refusals: Refusals::default(), times }
    }

    /// Answers one request. A notice that is answered with success is on the stream.
    pub(crate) async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let arrived = Instant::now();
        let body_deadline = arrived + self.times.request;
        let expects_to_be_asked = request.headers().contains_key(EXPECT);
        let (head, mut body) = request.into_parts();
        let merchant = routes::address(&head.uri).and_then(|address| {
            let merchant = self.merchants.get(&address.merchant)?;
            let served = merchant.provider() == address.provider && address.kind.is_served_for(&merchant);
            served.then_some((merchant, address.kind))
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
                let Concluded { outcome, response } = match whole {
                    Ok(Ok(bytes)) => {
                        // What strangers send as trace context is not continued: the trace begins here.
                        let span = tracing::info_span!("callback", merchant = %merchant.name, kind = kind.as_str());
                        let reading = providers::read(&merchant, kind, &bytes);
                        self.conclude(&merchant, reading, arrived).instrument(span).await
                    }
                    Ok(Err(BodyError::TooLarge)) => Concluded::of(&merchant, Outcome::TooLarge),
                    Ok(Err(BodyError::Broken)) => Concluded::of(&merchant, Outcome::Broken),
                    Err(_) => Concluded::of(&merchant, Outcome::TooSlow),
                };
                if matches!(outcome.kind(), Kind::Refused | Kind::Unread | Kind::Later) {
                    self.refusals.log(&merchant, kind, outcome);
                }
                self.metrics.ended(&merchant, kind, outcome, arrived.elapsed());
                response
            }
        };
        // A client that still waits to be asked for its body sends none after a final answer.
        if !expects_to_be_asked {
            let _ = timeout_at(body_deadline, http::discard(&mut body)).await;
        }
        response
    }

    async fn conclude(&self, merchant: &Merchant, reading: Result<Reading, Outcome>, arrived: Instant) -> Concluded {
        let deadline = arrived + self.times.publish;
        let outcome = match reading {
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
            Ok(Reading::Scanned(scan)) => return self.serve(merchant, &scan, arrived + self.times.scan).await,
            Err(outcome) => outcome,
        };
        Concluded::of(merchant, outcome)
    }

    /// Asks what a scanned product code costs, and says it.
    async fn serve(&self, merchant: &Merchant, scan: &Scan, deadline: Instant) -> Concluded {
        let said = self.asker.ask(&scan.question, deadline).await;
        let (name, product, outcome) = (&merchant.name, &scan.question.product_id, said.outcome());
        if outcome.kind() == Kind::Taken {
            let word = outcome.word();
            tracing::info!(merchant = %name, product, word, "{name}: the code of product {product} was scanned: {word}");
        }
        Concluded { outcome, response: providers::answer_scan(merchant, scan, &said) }
    }
}

/// How a callback ended, and what the provider reads.
struct Concluded {
    outcome: Outcome,
    response: Response<Full<Bytes>>,
}

impl Concluded {
    /// The answer that goes with every outcome but that of a genuine scan.
    fn of(merchant: &Merchant, outcome: Outcome) -> Self {
        Self { outcome, response: answer(merchant, outcome) }
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
