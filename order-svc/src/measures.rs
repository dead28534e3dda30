//! What order-svc counts. Ages and numbers of what is undecided are read from the database by `jobs::measure`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};
use svc_kit::metrics::Metrics;

use crate::domain::{
    refunding::Heard,
    repair::{Action, Outcome as RepairOutcome},
};

/// A word that says what happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// The word.
    outcome: &'static str,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Call {
    /// The RPC.
    rpc: &'static str,
    /// "ok" or the name of the gRPC code.
    outcome: &'static str,
}

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Repaired {
    /// What was to be done.
    action: &'static str,
    /// What came of it.
    outcome: &'static str,
}

/// Everything that this service counts. Clones share it.
#[derive(Clone, Debug)]
pub struct Measured {
    calls: Family<Call, Counter>,
    settled: Family<Outcome, Counter>,
    locked: Counter,
    mismatched: Family<Outcome, Counter>,
    asked: Family<Outcome, Counter>,
    closed: Family<Outcome, Counter>,
    scans: Family<Outcome, Counter>,
    charged: Family<Outcome, Counter>,
    reversed: Family<Outcome, Counter>,
    refunds_sent: Family<Outcome, Counter>,
    refunds_asked: Family<Outcome, Counter>,
    refunds_heard: Family<Outcome, Counter>,
    refunds_disputed: Counter,
    repairs: Family<Repaired, Counter>,
    /// Attempts whose prepay has no known outcome.
    pub unknown_payments: Gauge,
    /// Age of the oldest of them.
    pub unknown_oldest_seconds: Gauge,
    /// Attempts that somebody may still pay.
    pub open_payments: Gauge,
    /// How late the most overdue asking is.
    pub asking_overdue_seconds: Gauge,
    /// Attempts that were paid with other content than asked for.
    pub disputed_payments: Gauge,
    /// Charges that are being taken back.
    pub reversing_payments: Gauge,
    /// Age of the oldest of them.
    pub reversing_oldest_seconds: Gauge,
    /// Orders past their time and still PENDING.
    pub overdue_orders: Gauge,
    /// Refunds that were sent and have no known outcome.
    pub unknown_refunds: Gauge,
    /// Age of the oldest of them.
    pub unknown_refunds_oldest_seconds: Gauge,
    /// Age of the oldest refund that the provider has accepted and not finished.
    pub processing_oldest_seconds: Gauge,
    /// Refunds that wait for a person to mend our settings.
    pub refunds_waiting_configuration: Gauge,
    /// Surplus payments that nothing has decided about.
    pub surplus_undecided: Gauge,
    /// Refunds that are not decided.
    pub open_refunds: Gauge,
    /// Refunds that wait for money in the merchant account.
    pub refunds_waiting_balance: Gauge,
    /// Refunds whose money bounced.
    pub abnormal_refunds: Gauge,
    /// How late the most overdue refund is.
    pub refunds_overdue_seconds: Gauge,
    /// Surplus money that waits for a person.
    pub surplus_held_fen: Gauge,
    /// Repairs that are not answered yet.
    pub repairs_waiting: Gauge,
    /// Age of the oldest of them.
    pub repairs_oldest_seconds: Gauge,
}

impl Measured {
    /// Adds all of it to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            calls: metrics.counters("calls", "Calls of internal teams by RPC and outcome"),
            settled: metrics.counters("paid_facts", "Paid facts by what they did: kept, surplus, unchanged, reversing"),
            locked: metrics
                .counter("paid_facts_locked", "Paid facts that could not be applied at once, without a lock; those that were applied before are among them"),
            mismatched: metrics.counters("paid_facts_refused", "Paid facts that can never pay their order, by reason"),
            asked: metrics.counters("provider_queries", "Queries of attempts by the provider's word"),
            closed: metrics.counters("provider_closes", "Closings of attempts by the provider's word"),
            scans: metrics.counters("native_scans", "Scans of product codes by what the payer was answered"),
            charged: metrics.counters("charges", "Charges of pay codes and faces by the provider's word"),
            reversed: metrics.counters("reversals", "Reversals of charges by the provider's word"),
            refunds_sent: metrics.counters("refunds_sent", "Sendings of refunds by the provider's word"),
            refunds_asked: metrics.counters("refund_queries", "Queries of refunds by the provider's word"),
            refunds_heard: metrics.counters("refund_words", "What the provider's words about refunds changed"),
            refunds_disputed: metrics.counter(
                "refunds_disputed",
                "Words about refunds that contradict what was asked or said before: a person must look",
            ),
            repairs: metrics.counters("repairs", "Repairs that reconciliation asked for, by action and outcome"),
            unknown_payments: metrics.gauge("unknown_payments", "Attempts whose prepay has no known outcome"),
            unknown_oldest_seconds: metrics.gauge("unknown_oldest_seconds", "Age of the oldest unknown attempt"),
            open_payments: metrics.gauge("open_payments", "Attempts that somebody may still pay"),
            asking_overdue_seconds: metrics.gauge("asking_overdue_seconds", "How late the most overdue asking is"),
            disputed_payments: metrics
                .gauge("disputed_payments", "Attempts paid with other content than asked for: a person must look"),
            reversing_payments: metrics.gauge("reversing_payments", "Charges that are being taken back"),
            reversing_oldest_seconds: metrics
                .gauge("reversing_oldest_seconds", "Age of the oldest charge that is being taken back"),
            overdue_orders: metrics.gauge("overdue_orders", "Orders past their time and still PENDING"),
            unknown_refunds: metrics.gauge("unknown_refunds", "Refunds that were sent and have no known outcome"),
            unknown_refunds_oldest_seconds: metrics
                .gauge("unknown_refunds_oldest_seconds", "Age of the oldest refund without a known outcome"),
            processing_oldest_seconds: metrics.gauge(
                "refunds_processing_oldest_seconds",
                "Age of the oldest refund that the provider has accepted and not finished",
            ),
            refunds_waiting_configuration: metrics.gauge(
                "refunds_waiting_configuration",
                "Refunds that wait for a person to mend a key, certificate or account of ours",
            ),
            surplus_undecided: metrics.gauge(
                "surplus_undecided",
                "Surplus payments that nothing has decided about: their merchant is not configured",
            ),
            open_refunds: metrics.gauge("open_refunds", "Refunds that are not decided"),
            refunds_waiting_balance: metrics
                .gauge("refunds_waiting_balance", "Refunds that wait for money in the merchant account: top it up"),
            abnormal_refunds: metrics
                .gauge("abnormal_refunds", "Refunds whose money bounced: act in the merchant platform"),
            refunds_overdue_seconds: metrics.gauge("refunds_overdue_seconds", "How late the most overdue refund is"),
            surplus_held_fen: metrics.gauge("surplus_held_fen", "Surplus money that waits for a person, fen"),
            repairs_waiting: metrics.gauge("repairs_waiting", "Repairs that are not answered yet"),
            repairs_oldest_seconds: metrics.gauge(
                "repairs_oldest_seconds",
                "Age of the oldest repair that is not answered; half an hour at most, while this service works",
            ),
        }
    }

    /// A call ended.
    pub fn called(&self, rpc: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&Call { rpc, outcome }).inc();
    }

    /// A paid fact did this.
    pub fn settled(&self, outcome: &'static str) {
        self.settled.get_or_create(&Outcome { outcome }).inc();
    }

    /// So many paid facts are applied under a lock.
    pub fn locked(&self, facts: usize) {
        self.locked.inc_by(u64::try_from(facts).unwrap_or(u64::MAX));
    }

    /// A paid fact was refused for this reason.
    pub fn mismatched(&self, outcome: &'static str) {
        self.mismatched.get_or_create(&Outcome { outcome }).inc();
    }

    /// The provider answered a query so.
    pub fn asked(&self, outcome: &'static str) {
        self.asked.get_or_create(&Outcome { outcome }).inc();
    }

    /// A scan of a product code was answered so.
    pub fn scanned(&self, outcome: &'static str) {
        self.scans.get_or_create(&Outcome { outcome }).inc();
    }

    /// A sending of a refund was answered so.
    pub fn refund_sent(&self, outcome: &'static str) {
        self.refunds_sent.get_or_create(&Outcome { outcome }).inc();
    }

    /// The provider answered a question about a refund so.
    pub fn refund_asked(&self, outcome: &'static str) {
        self.refunds_asked.get_or_create(&Outcome { outcome }).inc();
    }

    /// A word about a refund changed this.
    pub fn refund_heard(&self, heard: Heard) {
        let outcome = match heard {
            Heard::Unchanged => "unchanged",
            Heard::Noted => "noted",
            Heard::Refunded => "refunded",
            Heard::Failed => "failed",
            Heard::Contradiction => "contradiction",
        };
        self.refunds_heard.get_or_create(&Outcome { outcome }).inc();
    }

    /// A word about a refund contradicts what was asked or said before.
    pub fn refund_disputed(&self) {
        self.refunds_disputed.inc();
    }

    /// A repair was answered so.
    pub fn repaired(&self, action: Action, outcome: RepairOutcome) {
        self.repairs.get_or_create(&Repaired { action: action.word(), outcome: outcome.word() }).inc();
    }

    /// A charge was answered so.
    pub fn charged(&self, outcome: &'static str) {
        self.charged.get_or_create(&Outcome { outcome }).inc();
    }

    /// A reversal was answered so.
    pub fn reversed(&self, outcome: &'static str) {
        self.reversed.get_or_create(&Outcome { outcome }).inc();
    }

    /// The provider answered a closing so.
    pub fn closed(&self, outcome: &'static str) {
        self.closed.get_or_create(&Outcome { outcome }).inc();
    }
}
