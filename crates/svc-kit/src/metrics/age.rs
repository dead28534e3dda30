//! Ages: a loop that has stopped raises no errors, but something grows old.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// The age of the oldest thing that waits, in seconds; 0 when nothing waits.
#[derive(Clone, Debug, Default)]
pub struct Age(Gauge<f64, AtomicU64>);

impl Age {
    /// Says how old the oldest waiting thing is; `None` when nothing waits.
    pub fn set(&self, age: Option<Duration>) {
        self.0.set(age.unwrap_or_default().as_secs_f64());
    }
}

impl TypedMetric for Age {
    const TYPE: MetricType = MetricType::Gauge;
}

impl EncodeMetric for Age {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// The time since a loop last did its work. Clones share it.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: &'static str,
    help: &'static str,
    last: Mutex<Instant>,
}

impl Heartbeat {
    pub(super) fn new(name: &'static str, help: &'static str) -> Self {
        Self { shared: Arc::new(Shared { name, help, last: Mutex::new(Instant::now()) }) }
    }

    pub(super) fn collector(&self) -> Box<dyn Collector> {
        Box::new(Arc::clone(&self.shared))
    }

    /// The loop has just done its work.
    pub fn beat(&self) {
        *self.shared.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Collector for Shared {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let since = self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        let gauge = ConstGauge::new(since.as_secs_f64());
        gauge.encode(encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn a_heartbeat_is_measured_when_it_is_read() {
        let metrics = Metrics::new();
        let heartbeat = metrics.heartbeat("relay_idle_seconds", "Time since the relay last looked");
        heartbeat.beat();
        let text = metrics.encode();
        let value = text.lines().find_map(|line| line.strip_prefix("relay_idle_seconds ")).expect("the gauge is there");
        assert!(0.0 <= value.parse::<f64>().expect("a number"));
    }
}
