//! What a relay tells about itself.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::bus::PublishError;
use crate::metrics::{Age, Metrics};

#[derive(Clone, Debug)]
pub(super) struct RelayMetrics {
    pub(super) pending: Gauge,
    pub(super) resting: Gauge,
    pub(super) oldest: Age,
    published: Family<Outcome, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl RelayMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            pending: metrics.gauge("outbox_pending", "Committed events that are not published; counted up to 10000"),
            resting: metrics
                .gauge("outbox_resting", "Events that the stream has refused and that wait for their next try"),
            oldest: metrics.age("outbox_oldest_seconds", "Age of the oldest event that is not published"),
            published: metrics.counters("outbox_published", "Events that left the outbox, or could not, by outcome"),
        }
    }

    pub(super) fn count<T>(&self, verdict: &Result<T, PublishError>) {
        let outcome = match verdict {
            Ok(_) => "published",
            Err(PublishError::NotConnected) => "not_connected",
            Err(PublishError::Unknown { .. }) => "unknown",
            Err(_) => "refused",
        };
        self.published.get_or_create(&Outcome { outcome }).inc();
    }
}
