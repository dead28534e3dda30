//! Metrics: one registry per process, printed as `OpenMetrics` text at `/metrics` of the admin port.
//!
//! Names have no service prefix (the scraper knows where it scraped) and carry their unit: `…_seconds`, `…_fen`, `…_ms`.
//! Counters are registered without `_total`; the text format adds it.

mod age;

pub use age::{Age, Heartbeat};

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

/// Upper bounds of duration buckets, in seconds: from half a millisecond (one insert) to 30 s (the longest wait we allow).
/// 0.05 is there because a callback is to be answered within 50 ms.
pub const DURATION_BUCKETS: [f64; 15] =
    [0.0005, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The metrics of one process. Clones share the registry, and metrics may be added at any time.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

/// Histograms of durations, one per label set; observe `duration.as_secs_f64()`.
pub type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

impl Metrics {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metric of any kind and hands it back.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        self.registry().register(name, help, metric.clone());
        metric
    }

    /// Adds a counter. `name` without `_total`.
    pub fn counter(&self, name: &str, help: &str) -> Counter {
        self.register(name, help, Counter::default())
    }

    /// Adds counters by label, such as an outcome. `name` without `_total`.
    pub fn counters<L>(&self, name: &str, help: &str) -> Family<L, Counter>
    where
        L: EncodeLabelSet + Clone + Debug + Hash + Eq + Send + Sync + 'static,
    {
        self.register(name, help, Family::default())
    }

    /// Adds a gauge of whole numbers.
    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        self.register(name, help, Gauge::default())
    }

    /// Adds gauges of whole numbers by label.
    pub fn gauges<L>(&self, name: &str, help: &str) -> Family<L, Gauge>
    where
        L: EncodeLabelSet + Clone + Debug + Hash + Eq + Send + Sync + 'static,
    {
        self.register(name, help, Family::default())
    }

    /// Adds a histogram of durations with [`DURATION_BUCKETS`]. `name` ends in `_seconds`.
    pub fn duration(&self, name: &str, help: &str) -> Histogram {
        self.register(name, help, duration_histogram())
    }

    /// Adds histograms of durations by label. `name` ends in `_seconds`.
    pub fn durations<L>(&self, name: &str, help: &str) -> Durations<L>
    where
        L: EncodeLabelSet + Clone + Debug + Hash + Eq + Send + Sync + 'static,
    {
        self.register(name, help, Family::new_with_constructor(duration_histogram as fn() -> Histogram))
    }

    /// Adds the age of the oldest thing that waits. `name` ends in `_seconds`.
    pub fn age(&self, name: &str, help: &str) -> Age {
        self.register(name, help, Age::default())
    }

    /// Adds the time since a loop last did its work, read at each scrape, so that a stopped loop is seen.
    /// `name` ends in `_seconds`.
    pub fn heartbeat(&self, name: &'static str, help: &'static str) -> Heartbeat {
        let heartbeat = Heartbeat::new(name, help);
        self.registry().register_collector(heartbeat.collector());
        heartbeat
    }

    /// Lets a library add metrics of its own.
    pub fn with_registry<T>(&self, add: impl FnOnce(&mut Registry) -> T) -> T {
        add(&mut self.registry())
    }

    /// All metrics as `OpenMetrics` text.
    ///
    /// # Panics
    /// Never: a `String` takes all that is written to it.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry()).expect("writing to a String cannot fail");
        text
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Registering and encoding leave the registry whole even if they panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn duration_histogram() -> Histogram {
    Histogram::new(DURATION_BUCKETS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
    struct Outcome {
        outcome: &'static str,
    }

    #[test]
    fn metrics_read_as_openmetrics_text() {
        let metrics = Metrics::new();
        metrics.counters("callbacks", "Callbacks by outcome").get_or_create(&Outcome { outcome: "paid" }).inc();
        metrics.gauge("clock_offset_ms", "Offset of the clock").set(-5);
        metrics.age("outbox_oldest_seconds", "Age of the oldest event").set(Some(Duration::from_millis(1500)));
        metrics.duration("answer_seconds", "Time to answer").observe(Duration::from_millis(3).as_secs_f64());
        let text = metrics.encode();
        for line in [
            "# HELP callbacks Callbacks by outcome.",
            "callbacks_total{outcome=\"paid\"} 1",
            "clock_offset_ms -5",
            "outbox_oldest_seconds 1.5",
            "answer_seconds_bucket{le=\"0.0025\"} 0",
            "answer_seconds_bucket{le=\"0.005\"} 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_metric_may_be_added_after_a_clone_was_handed_out() {
        let metrics = Metrics::new();
        let shown = metrics.clone();
        metrics.counter("late", "Added late").inc();
        assert!(shown.encode().contains("late_total 1"));
    }
}
