//! What the bus tells the graphs.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::metrics::Metrics;

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) outcome: &'static str,
}

/// A durable consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Durable {
    pub(crate) durable: &'static str,
}

/// How a delivery to a durable consumer ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DurableOutcome {
    pub(crate) durable: &'static str,
    pub(crate) outcome: &'static str,
}

/// The metrics of one connection. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct BusMetrics {
    pub(crate) connected: Gauge,
    pub(crate) connects: Counter,
    pub(crate) published: Family<Outcome, Counter>,
    pub(crate) batches: Family<Outcome, Counter>,
    pub(crate) consumed: Family<DurableOutcome, Counter>,
    pub(crate) pending: Family<Durable, Gauge>,
    pub(crate) dead_letters: Family<Durable, Counter>,
    pub(crate) burials_withheld: Family<Durable, Counter>,
    pub(crate) stream_checks: Family<Outcome, Counter>,
}

impl BusMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        Self {
            connected: metrics.gauge("bus_connected", "1 while the connection to NATS is up"),
            connects: metrics.counter("bus_connects", "Connections to NATS that were made, the first one included"),
            published: metrics.counters("bus_published", "Publishes by outcome; unknown may have been stored"),
            batches: metrics
                .counters("bus_batches", "Atomic batches by outcome; fallback means single publishes followed"),
            consumed: metrics.counters("bus_consumed", "Deliveries by durable and outcome"),
            pending: metrics.gauges("bus_pending", "Messages that wait for a durable, as of its last fetch"),
            dead_letters: metrics.counters("bus_dead_letters", "Messages that a durable could never apply"),
            burials_withheld: metrics.counters(
                "bus_burials_withheld",
                "Failures past the last attempt that became no dead letter, because the handler itself looks broken",
            ),
            stream_checks: metrics
                .counters("bus_stream_checks", "Checks of streams and server after a connect, by outcome: ok, failed"),
        }
    }
}
