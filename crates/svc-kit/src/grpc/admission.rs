//! What happens to every request before and after its handler.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use futures::{FutureExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, BodyStream, LengthLimitError, Limited, StreamBody};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing::{Instrument as _, Span, field};

use super::deadline::time_for;
use crate::metrics::{Durations, Metrics};
use crate::refusal::{self, refuse};
use crate::trace;

/// Reason of a refusal because too much is being done already.
pub const OVERLOADED: &str = "OVERLOADED";

/// Reason when time ran out: the outcome is unknown.
pub const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";

/// Reason when a handler panicked: a mistake of ours, logged by us.
pub const INTERNAL: &str = "INTERNAL";

/// Health and reflection: answered even under overload, and cut at the stop.
const INFRASTRUCTURE: &str = "/grpc.";

/// How much a server takes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest request, in bytes. Ours are small: a request is an order, not a bill.
    pub request_bytes: usize,
    /// Requests being worked on at once, over all connections; one more is refused with `RESOURCE_EXHAUSTED`. A server
    /// stream counts until it begins to answer.
    pub requests_in_flight: usize,
    /// Longest time until a request is answered (a stream: begins to be), even when the caller would wait longer.
    pub request_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_bytes: 256 * 1024, requests_in_flight: 256, request_time: Duration::from_secs(30) }
    }
}

/// The guard in front of all handlers. Clones share the limit.
#[derive(Clone)]
pub(super) struct Admission {
    limits: Limits,
    places: Arc<Semaphore>,
    in_flight: Gauge,
    durations: Durations<Outcome>,
    stop: CancellationToken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    method: String,
    code: &'static str,
}

impl Admission {
    pub(super) fn new(limits: &Limits, metrics: &Metrics, stop: CancellationToken) -> Self {
        Self {
            limits: limits.clone(),
            places: Arc::new(Semaphore::new(limits.requests_in_flight.min(Semaphore::MAX_PERMITS))),
            in_flight: metrics.gauge("grpc_requests_in_flight", "Requests being worked on"),
            durations: metrics
                .durations("grpc_request_duration_seconds", "Time to answer a request, by method and code"),
            stop,
        }
    }

    /// Puts itself in front of everything that `router` serves.
    pub(super) fn guard(self, router: axum::Router) -> axum::Router {
        router.layer(middleware::from_fn_with_state(self, admit))
    }
}

async fn admit(State(admission): State<Admission>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(INFRASTRUCTURE) {
        let response = next.run(request).await;
        return until_stop(response, admission.stop);
    }
    let method = request.uri().path().trim_start_matches('/').to_owned();
    let span = tracing::info_span!("grpc", rpc.method = %method, trace_id = field::Empty, otel.kind = "server");
    trace::continue_from_headers(&span, request.headers());
    if let Some(trace_id) = trace::trace_id(&span) {
        span.record("trace_id", trace_id);
    }
    let mut measured = Measured::begin(&admission, &span, method);
    let response = answer(&admission, request, next).instrument(span.clone()).await;
    measured.code = code_of(&response);
    response
}

async fn answer(admission: &Admission, request: Request, next: Next) -> Response {
    let Ok(place) = admission.places.try_acquire() else {
        return refuse(Code::ResourceExhausted, OVERLOADED, "too many requests at once; try again later", [])
            .into_http();
    };
    let in_flight = InFlight::begin(&admission.in_flight);
    let time = time_for(request.headers(), admission.limits.request_time);
    let request = capped(request, admission.limits.request_bytes);
    let answered = tokio::time::timeout(time, AssertUnwindSafe(next.run(request)).catch_unwind()).await;
    drop(in_flight);
    drop(place);
    match answered {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            // The panic's text went to stderr; the caller learns nothing of our insides.
            tracing::error!("a handler panicked; its text is on stderr above");
            refuse(Code::Internal, INTERNAL, "a mistake of ours, which we have logged", []).into_http()
        }
        Err(_elapsed) => {
            let message = "the time for this request is over and its outcome unknown; read it back";
            refuse(Code::DeadlineExceeded, DEADLINE_EXCEEDED, message, []).into_http()
        }
    }
}

/// Counts one request while it is being worked on, also when its caller goes away in the middle and all this is dropped.
struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn begin(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Tells, when it is dropped, how one request ended and how long it took.
struct Measured<'a> {
    admission: &'a Admission,
    span: &'a Span,
    method: String,
    begun: Instant,
    code: Code,
}

impl<'a> Measured<'a> {
    /// A request that never gets another code was cancelled: its caller went away, or the process was cut off.
    fn begin(admission: &'a Admission, span: &'a Span, method: String) -> Self {
        Self { admission, span, method, begun: Instant::now(), code: Code::Cancelled }
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let time = self.begun.elapsed();
        // A path that nobody serves was chosen by a stranger and must not become a label.
        let unserved = self.code == Code::Unimplemented;
        let method = if unserved { "unknown".to_owned() } else { std::mem::take(&mut self.method) };
        let code = code_name(self.code);
        tracing::debug!(parent: self.span, code, duration_ms = time.as_millis(), "answered {code}");
        self.admission.durations.get_or_create(&Outcome { method, code }).observe(time.as_secs_f64());
    }
}

/// Refuses a request whose body grows over `limit`.
fn capped(request: Request, limit: usize) -> Request {
    request.map(|body| {
        Body::new(Limited::new(body, limit).map_err(move |error| {
            if error.is::<LengthLimitError>() {
                let message = format!("the request is longer than {limit} bytes");
                refuse(Code::InvalidArgument, refusal::INVALID_ARGUMENT, message, []).into()
            } else {
                error
            }
        }))
    })
}

/// Ends the answer when the stop fires: a client that watches our health must not hold up the drain.
fn until_stop(response: Response, stop: CancellationToken) -> Response {
    response.map(|body| Body::new(StreamBody::new(BodyStream::new(body).take_until(stop.cancelled_owned()))))
}

/// The code of an answer. A handler that fails says so in the headers; a stream that fails later is not seen here.
fn code_of(response: &Response) -> Code {
    response.headers().get("grpc-status").map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()))
}

/// The names of gRPC's specification, as every dashboard knows them.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
