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
    open_critical: Family<CodeLabels, Gauge>,
    oldest_seconds: Family<CodeLabels, Gauge>,
    since_run_seconds: Family<MerchantLabels, Gauge>,
    yesterday_uncompared: Family<MerchantLabels, Gauge>,
    control_failed_days: Family<MerchantLabels, Gauge>,
    unanswered_oldest_seconds: Gauge,
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
    /// How many of them somebody must look at today.
    pub critical: i64,
    /// What they may lose together.
    pub fen: i64,
    /// Age of the oldest.
    pub oldest_seconds: i64,
}

/// How far one merchant's days are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantDays {
    /// Its name.
    pub merchant: String,
    /// How long ago its last run was finished; `None` when none ever was.
    pub since_run_seconds: Option<i64>,
    /// Whether yesterday, in Beijing, was not compared yet.
    pub yesterday_uncompared: bool,
    /// Days whose newest bill was refused.
    pub control_failed: i64,
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
            open_critical: metrics.gauges(
                "open_critical_discrepancies",
                "Open differences that somebody must look at today, by code: P3, a P5 that the provider does not know, F4",
            ),
            oldest_seconds: metrics
                .gauges("open_discrepancies_oldest_seconds", "Age of the oldest open difference by code"),
            since_run_seconds: metrics
                .gauges("since_completed_run_seconds", "Time since a merchant's last finished run"),
            yesterday_uncompared: metrics.gauges(
                "yesterday_uncompared",
                "1 while yesterday, in Beijing, was not compared, by merchant; from midnight until its run",
            ),
            control_failed_days: metrics.gauges(
                "control_failed_days",
                "Days whose newest bill failed a control or is none, by merchant",
            ),
            unanswered_oldest_seconds: metrics.gauge(
                "unanswered_repairs_oldest_seconds",
                "Age of the oldest question to order-svc that has no answer; 0 when there is none",
            ),
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
        self.open_critical.get_or_create(&labels).set(open.critical);
        self.oldest_seconds.get_or_create(&labels).set(open.oldest_seconds);
    }

    /// How far every merchant's days are. One that is not named any more is not shown any more.
    pub fn merchants(&self, all: &[MerchantDays]) {
        let families = [&self.since_run_seconds, &self.yesterday_uncompared, &self.control_failed_days];
        families.into_iter().for_each(Family::clear);
        for days in all {
            let labels = MerchantLabels { merchant: days.merchant.clone() };
            if let Some(seconds) = days.since_run_seconds {
                self.since_run_seconds.get_or_create(&labels).set(seconds);
            }
            self.yesterday_uncompared.get_or_create(&labels).set(i64::from(days.yesterday_uncompared));
            self.control_failed_days.get_or_create(&labels).set(days.control_failed);
        }
    }

    /// For how long the oldest question to order-svc has had no answer.
    pub fn unanswered(&self, seconds: i64) {
        self.unanswered_oldest_seconds.set(seconds);
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
        Err(RunError::TooSlow) => "too_slow",
        Err(RunError::TooLarge(_)) => "too_large",
        Err(RunError::Disk(_)) => "disk",
        Err(RunError::Database(_)) => "database",
        Err(RunError::Internal(_)) => "internal",
    }
}
