//! What pay-gateway measures.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};
use svc_kit::metrics::{Durations, Metrics};

use crate::calls::Operation;

/// The metrics of this process; clones share the counters.
#[derive(Clone, Debug)]
pub(crate) struct GatewayMetrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Durations<OperationLabels>,
    in_flight: Gauge,
    refused: Family<RefusalLabels, Counter>,
    bill_bytes: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    outcome: &'static str,
    detail: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    operation: &'static str,
    reason: &'static str,
}

impl GatewayMetrics {
    pub(crate) fn register(metrics: &Metrics) -> GatewayMetrics {
        GatewayMetrics {
            calls: metrics.counters(
                "provider_calls",
                "Calls to providers; outcome is done, not_done or unknown, detail says which no or why unknown",
            ),
            call_seconds: metrics.durations("provider_call_seconds", "Time from the first byte sent to the verdict"),
            in_flight: metrics.gauge("provider_calls_in_flight", "Calls to providers that have no outcome yet"),
            refused: metrics.counters("calls_refused", "Calls refused before anything was sent to a provider"),
            bill_bytes: metrics.counter("bill_bytes", "Decompressed bytes of bills handed to callers"),
        }
    }

    /// Counts a call from now until the answer is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts the outcome of one call.
    pub(crate) fn ended(&self, operation: Operation, outcome: &'static str, detail: &'static str, took: Duration) {
        let operation = operation.word();
        self.calls.get_or_create(&CallLabels { operation, outcome, detail }).inc();
        self.call_seconds.get_or_create(&OperationLabels { operation }).observe(took.as_secs_f64());
    }

    /// Counts a call for which nothing was sent.
    pub(crate) fn refused(&self, operation: Operation, reason: &'static str) {
        self.refused.get_or_create(&RefusalLabels { operation: operation.word(), reason }).inc();
    }

    /// Counts decompressed bytes of bills.
    pub(crate) fn bill_bytes(&self, bytes: u64) {
        self.bill_bytes.inc_by(bytes);
    }
}

/// What is measured about a provider's hosts; clones share the counters.
#[derive(Clone, Debug)]
pub(crate) struct HostMetrics {
    backup_in_use: Family<HostLabels, Gauge>,
    switches: Family<SwitchLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabels {
    calls: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SwitchLabels {
    calls: &'static str,
    to: &'static str,
}

impl HostMetrics {
    pub(crate) fn register(metrics: &Metrics) -> HostMetrics {
        HostMetrics {
            backup_in_use: metrics.gauges("provider_backup_in_use", "1 while calls go to the provider's backup host"),
            switches: metrics.counters("provider_host_switches", "How often calls went over to the other host"),
        }
    }

    /// Shows whether these calls go to the backup host.
    pub(crate) fn in_use(&self, calls: &'static str, backup: bool) {
        self.backup_in_use.get_or_create(&HostLabels { calls }).set(i64::from(backup));
    }

    /// Counts a change of host.
    pub(crate) fn switched(&self, calls: &'static str, to: &'static str) {
        self.switches.get_or_create(&SwitchLabels { calls, to }).inc();
    }
}

/// What is measured about the reports to a provider; clones share the counters.
#[derive(Clone, Debug)]
pub(crate) struct ReportMetrics(Family<ReportLabels, Counter>);

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportEnd {
    /// The provider took it.
    Taken,
    /// It was sent in vain.
    Failed,
    /// Too many were waiting.
    Dropped,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReportLabels {
    outcome: &'static str,
}

impl ReportMetrics {
    pub(crate) fn register(metrics: &Metrics) -> ReportMetrics {
        ReportMetrics(metrics.counters("provider_reports", "Reports to providers about how their calls went"))
    }

    /// Counts what became of one report.
    pub(crate) fn ended(&self, end: ReportEnd) {
        let outcome = match end {
            ReportEnd::Taken => "taken",
            ReportEnd::Failed => "failed",
            ReportEnd::Dropped => "dropped",
        };
        self.0.get_or_create(&ReportLabels { outcome }).inc();
    }
}

/// One call under way.
#[derive(Debug)]
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
