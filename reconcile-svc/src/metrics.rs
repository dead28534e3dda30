//! What an SRE and finance see: outcomes of runs, what is open, and how long ago anything was finished.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use reconciliation::Code;
use svc_kit::metrics::Metrics;

use crate::gateway::GatewayError;
use crate::runs::{Run, RunError};

/// The metrics of this service. Clones share them.
#[derive(Clone, Debug)]
pub struct ReconcileMetrics {
    runs: Family<RunLabels, Counter>,
    repairs: Family<RepairLabels, Counter>,
    booked: Family<EventLabels, Counter>,
    open: Family<CodeLabels, Gauge>,
    open_fen: Family<CodeLabels, Gauge>,
    oldest_seconds: Family<CodeLabels, Gauge>,
    since_run_seconds: Family<MerchantLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    merchant: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RepairLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MerchantLabels {
    merchant: String,
}

/// What is open of one code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOfCode {
    /// How many.
    pub count: i64,
    /// What they may lose together.
    pub fen: i64,
    /// Age of the oldest.
    pub oldest_seconds: i64,
}

impl ReconcileMetrics {
    /// Registers everything.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            runs: metrics.counters("reconcile_runs", "Attempts to reconcile a day, by merchant and outcome"),
            repairs: metrics.counters(
                "discrepancy_repairs",
                "Questions to order-svc about open differences, and its answers by outcome",
            ),
            booked: metrics.counters("book_events", "Facts of the bus by kind; unknown kinds are acked and not booked"),
            open: metrics.gauges("open_discrepancies", "Open differences by code"),
            open_fen: metrics.gauges("open_discrepancies_fen", "Money at risk in open differences by code"),
            oldest_seconds: metrics
                .gauges("open_discrepancies_oldest_seconds", "Age of the oldest open difference by code"),
            since_run_seconds: metrics
                .gauges("since_completed_run_seconds", "Time since a merchant's last finished run"),
        }
    }

    /// An attempt to reconcile a day has ended. A day under way, a bill not ready and the like are outcomes too.
    pub fn ran(&self, merchant: &str, outcome: &Result<Run, RunError>) {
        // A name that nobody configured was chosen by a caller and must not become a label.
        let merchant = match outcome {
            Err(RunError::Gateway(GatewayError::MerchantNotFound)) => "unknown",
            _ => merchant,
        };
        let labels = RunLabels { merchant: merchant.to_owned(), outcome: word(outcome) };
        self.runs.get_or_create(&labels).inc();
    }

    /// order-svc was asked about so many differences (`requested`), or answered so.
    pub fn repaired(&self, outcome: &'static str, count: usize) {
        self.repairs.get_or_create(&RepairLabels { outcome }).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// A fact was taken from the bus.
    pub fn booked(&self, event: &'static str) {
        self.booked.get_or_create(&EventLabels { event }).inc();
    }

    /// What is open of `code`.
    pub fn open(&self, code: Code, open: OpenOfCode) {
        let labels = CodeLabels { code: code.as_str() };
        self.open.get_or_create(&labels).set(open.count);
        self.open_fen.get_or_create(&labels).set(open.fen);
        self.oldest_seconds.get_or_create(&labels).set(open.oldest_seconds);
    }

    /// How long ago a merchant's last run was finished.
    pub fn since_run(&self, merchant: String, seconds: i64) {
        self.since_run_seconds.get_or_create(&MerchantLabels { merchant }).set(seconds);
    }
}

fn word(outcome: &Result<Run, RunError>) -> &'static str {
    match outcome {
        Ok(run) => run.state.as_str(),
        Err(RunError::Gateway(GatewayError::BillNotReady)) => "bill_not_ready",
        Err(RunError::Gateway(GatewayError::MerchantNotFound)) => "merchant_not_found",
        Err(RunError::Gateway(GatewayError::Refused(_) | GatewayError::NotAvailable(_))) => "provider_refused",
        Err(RunError::Gateway(GatewayError::NoBill | GatewayError::Unavailable(_))) => "gateway_unavailable",
        Err(RunError::InProgress) => "in_progress",
        Err(RunError::TooLarge(_)) => "too_large",
        Err(RunError::Disk(_)) => "disk",
        Err(RunError::Database(_)) => "database",
        Err(RunError::Internal(_)) => "internal",
    }
}
