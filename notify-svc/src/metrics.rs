//! What notify-svc counts.

use std::time::Duration;

use merchants::Merchant;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use svc_kit::metrics::{Durations, Metrics};

use crate::outcome::Outcome;
use crate::routes::CallbackKind;

/// Upper bounds of batch sizes; the last is the largest batch that we publish.
const BATCH_BUCKETS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 70.0, 100.0];

/// Callbacks by provider, merchant, kind and outcome, and how long each took.
#[derive(Clone, Debug)]
pub(crate) struct CallbackMetrics {
    callbacks: Family<CallbackLabels, Counter>,
    duration: Durations<DurationLabels>,
    not_callbacks: Family<ReasonLabels, Counter>,
}

/// A merchant is a label only after it was found among the configured ones, so strangers cannot make labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallbackLabels {
    provider: &'static str,
    merchant: String,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    provider: &'static str,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

impl CallbackMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        Self {
            callbacks: metrics.counters("callbacks", "Callbacks by provider, merchant, kind of callback and outcome"),
            duration: metrics.durations("callback_duration_seconds", "From the end of the headers to the answer"),
            not_callbacks: metrics.counters("http_refused", "Requests to no address of ours, by reason"),
        }
    }

    /// Counts a callback to a configured merchant.
    pub(crate) fn ended(&self, merchant: &Merchant, kind: CallbackKind, outcome: Outcome, took: Duration) {
        let (provider, kind, outcome) = (merchant.provider().as_str(), kind.as_str(), outcome.word());
        let labels = CallbackLabels { provider, merchant: merchant.name.as_str().to_owned(), kind, outcome };
        self.callbacks.get_or_create(&labels).inc();
        self.duration.get_or_create(&DurationLabels { provider, kind, outcome }).observe(took.as_secs_f64());
    }

    /// Counts a request to a path that is not ours.
    pub(crate) fn not_found(&self) {
        self.not_callbacks.get_or_create(&ReasonLabels { reason: "not_found" }).inc();
    }

    /// Counts a request to a path of ours with another method than POST.
    pub(crate) fn method_not_allowed(&self) {
        self.not_callbacks.get_or_create(&ReasonLabels { reason: "method_not_allowed" }).inc();
    }
}

/// Connections of the public port.
#[derive(Clone, Debug)]
pub(crate) struct HttpMetrics {
    /// Open now.
    pub(crate) connections: Gauge,
    /// Refused because as many as may be open were open.
    pub(crate) connections_refused: Counter,
    /// The kernel could not hand us a connection.
    pub(crate) accept_failed: Counter,
}

impl HttpMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        Self {
            connections: metrics.gauge("http_connections", "Open connections of the public port"),
            connections_refused: metrics.counter("http_connections_refused", "Connections refused at the limit"),
            accept_failed: metrics.counter("http_accept_failed", "Connections that could not be accepted"),
        }
    }
}

/// Questions about scanned product codes.
#[derive(Clone, Debug)]
pub(crate) struct ScanMetrics {
    /// Asked, and not answered yet.
    pub(crate) waiting: Gauge,
}

impl ScanMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        Self { waiting: metrics.gauge("scans_waiting", "Scanned product codes that wait for an answer") }
    }
}

/// One more in a gauge, until it is dropped, also by a panic.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn in_gauge(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The way to the bus.
#[derive(Clone, Debug)]
pub(crate) struct PublishMetrics {
    /// Facts that wait to be published.
    pub(crate) waiting: Gauge,
    /// Facts in the publish that is under way.
    pub(crate) under_way: Gauge,
    /// Different facts per publish.
    pub(crate) batch_size: Histogram,
    /// Facts that were answered together with an equal one instead of being published again.
    pub(crate) collapsed: Counter,
}

impl PublishMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let batch_size = Histogram::new(BATCH_BUCKETS);
        Self {
            waiting: metrics.gauge("publish_waiting", "Facts that wait to be published"),
            under_way: metrics.gauge("publish_under_way", "Facts in the publish that is under way"),
            batch_size: metrics.register("publish_batch_size", "Facts published together", batch_size),
            collapsed: metrics
                .counter("publish_collapsed", "Facts that waited beside an equal one and shared its publish"),
        }
    }
}
