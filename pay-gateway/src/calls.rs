//! One call to a provider: admitted, bounded in time, finished even when its caller has left, counted and logged.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use merchants::{Merchant, MerchantName};
use proto::error::ErrorReason;
use svc_kit::{crash, refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::{
    leave::{TooLateToLeave, not_sent},
    metrics::GatewayMetrics,
    outcome::{Kind, NotDone, Outcome, Unknown, Why, kind_word},
};

/// Calls of one merchant at the same time. At WeChat's usual 200 ms that is 320 calls a second, more than one account is
/// allowed; a merchant whose provider hangs cannot take the others' places.
const MAX_CALLS_PER_MERCHANT: usize = 64;

/// Bills being downloaded at the same time, over all merchants: each holds a connection for minutes.
pub(crate) const MAX_DOWNLOADS: usize = 4;

/// What is asked of a provider; a label of logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Prepay,
    Query,
    Close,
    Refund,
    QueryRefund,
    ResolveOpenid,
    DownloadBill,
    Charge,
    Reverse,
    ResolvePayCode,
    GetFaceCredential,
    ShortenUrl,
    ListRefunds,
    ListComments,
    SendRedPacket,
    GetRedPacket,
}

impl Operation {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Operation::Prepay => "prepay",
            Operation::Query => "query",
            Operation::Close => "close",
            Operation::Refund => "refund",
            Operation::QueryRefund => "query_refund",
            Operation::ResolveOpenid => "resolve_openid",
            Operation::DownloadBill => "download_bill",
            Operation::Charge => "charge",
            Operation::Reverse => "reverse",
            Operation::ResolvePayCode => "resolve_pay_code",
            Operation::GetFaceCredential => "get_face_credential",
            Operation::ShortenUrl => "shorten_url",
            Operation::ListRefunds => "list_refunds",
            Operation::ListComments => "list_comments",
            Operation::SendRedPacket => "send_red_packet",
            Operation::GetRedPacket => "get_red_packet",
        }
    }
}

/// What a call is about, as far as a log may know.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) operation: Operation,
    pub(crate) merchant: Arc<Merchant>,
    pub(crate) number: Number,
}

/// The number that a call is about: ours, or the provider's where we have none.
#[derive(Debug)]
pub(crate) enum Number {
    /// No attempt and no refund.
    None,
    /// An attempt's.
    OutTradeNo(String),
    /// A refund's.
    OutRefundNo(String),
    /// A refund's, by the provider.
    RefundId(String),
    /// A red packet's.
    MchBillno(String),
}

/// Admits calls and follows them to their end.
#[derive(Debug)]
pub(crate) struct Calls {
    merchants: Mutex<HashMap<MerchantName, Arc<Semaphore>>>,
    downloads: Arc<Semaphore>,
    metrics: GatewayMetrics,
    running: TaskTracker,
}

impl Calls {
    pub(crate) fn new(metrics: GatewayMetrics) -> Calls {
        Calls {
            merchants: Mutex::default(),
            downloads: Arc::new(Semaphore::new(MAX_DOWNLOADS)),
            metrics,
            running: TaskTracker::new(),
        }
    }

    /// Makes one call, which may take `time`.
    ///
    /// The call runs in a task of its own: when the caller leaves, what was sent is still awaited, counted and logged, and
    /// its result is unknown to the caller alone.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED`, with nothing sent, when the merchant has [`MAX_CALLS_PER_MERCHANT`] calls under way;
    /// `UNAVAILABLE`, with nothing sent, when it was too late for the call to leave.
    pub(crate) async fn make<T, W>(&self, about: About, time: Duration, work: W) -> Result<Outcome<T>, Status>
    where
        T: Send + 'static,
        W: Future<Output = Outcome<T>> + Send + 'static,
    {
        let permit = self.admit(&about)?;
        let metrics = self.metrics.clone();
        let task = async move {
            let in_flight = metrics.begin();
            let started = Instant::now();
            let outcome = tokio::time::timeout(time, work)
                .await
                .unwrap_or_else(|_late| Outcome::Unknown(Unknown::new(Why::Timeout)));
            crash::point("gateway.answered");
            note(&metrics, &about, Ended::of(&outcome), started.elapsed());
            drop((permit, in_flight));
            outcome
        };
        let ended = self.running.spawn(task.in_current_span()).await;
        // The task ends early only by a panic, and then nobody knows how far it came.
        match ended.unwrap_or_else(|_panic| Outcome::Unknown(Unknown::new(Why::Internal))) {
            Outcome::Unknown(Unknown { why: Why::TooLateToLeave, .. }) => Err(not_sent(&TooLateToLeave.to_string())),
            outcome => Ok(outcome),
        }
    }

    /// A place among the downloads.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED`, with nothing sent, when [`MAX_DOWNLOADS`] are under way.
    pub(crate) fn admit_download(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.downloads.clone().try_acquire_owned().map_err(|_| {
            self.overloaded(Operation::DownloadBill, "as many bills as we take at once are being downloaded")
        })
    }

    /// Runs `task` so that the drain waits for it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(task.in_current_span());
    }

    /// Waits until every call has ended; for the drain, when no new ones come.
    pub(crate) async fn finished(&self) {
        self.running.close();
        self.running.wait().await;
    }

    pub(crate) fn metrics(&self) -> &GatewayMetrics {
        &self.metrics
    }

    fn admit(&self, about: &About) -> Result<OwnedSemaphorePermit, Status> {
        let gate = {
            // Only names of configured merchants come here, so the map stays as small as the directory.
            let mut gates = self.merchants.lock().unwrap_or_else(PoisonError::into_inner);
            let gate = gates.entry(about.merchant.name.clone());
            Arc::clone(gate.or_insert_with(|| Arc::new(Semaphore::new(MAX_CALLS_PER_MERCHANT))))
        };
        gate.try_acquire_owned().map_err(|_| {
            self.overloaded(about.operation, "this merchant has as many calls under way as we take at once")
        })
    }

    fn overloaded(&self, operation: Operation, message: &str) -> Status {
        let reason = ErrorReason::Overloaded.word();
        self.metrics.refused(operation, reason);
        refusal::refuse(Code::ResourceExhausted, reason, message, [])
    }
}

/// How a call ended, in words for logs and metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    outcome: &'static str,
    /// Which no, or why unknown.
    detail: &'static str,
    provider_code: Option<&'a str>,
    cause: Option<&'a str>,
    /// Whether a person may have to look.
    warn: bool,
}

impl<'a> Ended<'a> {
    /// As expected; `detail` says how.
    pub(crate) fn well(outcome: &'static str, detail: &'static str) -> Ended<'static> {
        Ended { outcome, detail, provider_code: None, cause: None, warn: false }
    }

    pub(crate) fn not_done(no: &'a NotDone) -> Ended<'a> {
        let provider_code = Some(no.code.as_str()).filter(|code| !code.is_empty());
        let warn = no.kind == Kind::Configuration;
        Ended { outcome: "not_done", detail: kind_word(no.kind), provider_code, cause: None, warn }
    }

    pub(crate) fn unknown(unknown: &'a Unknown) -> Ended<'a> {
        let provider_code = Some(unknown.code.as_str()).filter(|code| !code.is_empty());
        let cause = unknown.cause.as_deref();
        Ended { outcome: "unknown", detail: unknown.why.word(), provider_code, cause, warn: true }
    }

    fn of<T>(outcome: &'a Outcome<T>) -> Ended<'a> {
        match outcome {
            Outcome::Done(_) => Ended::well("done", "done"),
            Outcome::NotDone(no) => Ended::not_done(no),
            Outcome::Unknown(Unknown { why: Why::TooLateToLeave, .. }) => {
                Ended { warn: true, ..Ended::well("not_sent", Why::TooLateToLeave.word()) }
            }
            Outcome::Unknown(unknown) => Ended::unknown(unknown),
        }
    }
}

/// One count and one line per call.
pub(crate) fn note(metrics: &GatewayMetrics, about: &About, ended: Ended<'_>, took: Duration) {
    let Ended { outcome, detail, provider_code, cause, warn } = ended;
    metrics.ended(about.operation, outcome, detail, took);
    let (operation, merchant) = (about.operation.word(), about.merchant.name.as_str());
    let (mut out_trade_no, mut out_refund_no, mut refund_id, mut mch_billno) = (None, None, None, None);
    match &about.number {
        Number::None => {}
        Number::OutTradeNo(number) => out_trade_no = Some(number.as_str()),
        Number::OutRefundNo(number) => out_refund_no = Some(number.as_str()),
        Number::RefundId(number) => refund_id = Some(number.as_str()),
        Number::MchBillno(number) => mch_billno = Some(number.as_str()),
    }
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                operation,
                outcome,
                detail,
                provider = about.merchant.provider().as_str(),
                merchant,
                out_trade_no,
                out_refund_no,
                refund_id,
                mch_billno,
                duration_ms,
                provider_code,
                cause,
                "{operation} for {merchant}: {outcome} ({detail})"
            )
        };
    }
    if warn {
        line!(warn);
    } else {
        line!(info);
    }
}
