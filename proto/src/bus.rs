//! The table of streams, subjects and durables. It stands once, here; the process that owns a row creates it.
//!
//! No subject holds an order's number: each distinct subject costs the server memory for ever.

use std::time::Duration;

/// Every subject ends in a merchant or an app, so that an SRE and a team can listen to just theirs.
pub mod subject {
    /// `pay.v1.payment.paid.<merchant>`.
    pub fn payment_paid(merchant: &str) -> String {
        format!("pay.v1.payment.paid.{merchant}")
    }

    /// `pay.v1.refund.<fact>.<merchant>`; `fact` is `succeeded`, `abnormal`, `closed`, or `noticed` for an unproven hint.
    pub fn refund(fact: &str, merchant: &str) -> String {
        format!("pay.v1.refund.{fact}.{merchant}")
    }

    /// `order.v1.order.<fact>.<app>`; `fact` is `created`, `paid`, `closed` or `refunded`.
    pub fn order(fact: &str, app: &str) -> String {
        format!("order.v1.order.{fact}.{app}")
    }

    /// `order.v1.payment.<fact>.<app>`; `fact` is `created` or `surplus`.
    pub fn payment(fact: &str, app: &str) -> String {
        format!("order.v1.payment.{fact}.{app}")
    }

    /// `order.v1.refund.<fact>.<app>`; `fact` is `created`, `accepted` or `failed`.
    pub fn order_refund(fact: &str, app: &str) -> String {
        format!("order.v1.refund.{fact}.{app}")
    }

    /// `recon.v1.run.completed.<merchant>`.
    pub fn run_completed(merchant: &str) -> String {
        format!("recon.v1.run.completed.{merchant}")
    }

    /// `recon.v1.discrepancy.<fact>.<merchant>`; `fact` is `opened` or `resolved`.
    pub fn discrepancy(fact: &str, merchant: &str) -> String {
        format!("recon.v1.discrepancy.{fact}.{merchant}")
    }

    /// `recon.v1.repair.requested.<merchant>`.
    pub fn repair_requested(merchant: &str) -> String {
        format!("recon.v1.repair.requested.{merchant}")
    }

    /// `order.v1.repair.answered.<merchant>`.
    pub fn repair_answered(merchant: &str) -> String {
        format!("order.v1.repair.answered.{merchant}")
    }

    /// `work.v1.reconcile.<merchant>`: a day that one of the replicas shall reconcile.
    pub fn reconcile_work(merchant: &str) -> String {
        format!("work.v1.reconcile.{merchant}")
    }

    /// `ask.v1.native.scanned.<merchant>`: a request with an answer, not a fact; no stream takes it.
    pub fn native_scanned(merchant: &str) -> String {
        format!("ask.v1.native.scanned.{merchant}")
    }

    /// `dead.v1.<durable>`: what a consumer could never apply.
    pub fn dead(durable: &str) -> String {
        format!("dead.v1.{durable}")
    }
}

/// Names of the headers of every message: CloudEvents in binary mode, and what JetStream and W3C call theirs.
pub mod header {
    /// The fact's id again, where JetStream looks for duplicates.
    pub const MSG_ID: &str = "Nats-Msg-Id";
    /// The fact's id: named after the fact, so whoever reports it uses the same.
    pub const ID: &str = "ce-id";
    /// The full name of the message type, such as `tongbao.event.v1.PaymentPaid`.
    pub const TYPE: &str = "ce-type";
    /// The process that published it.
    pub const SOURCE: &str = "ce-source";
    /// When it happened, RFC 3339.
    pub const TIME: &str = "ce-time";
    /// What it is about, such as `orders/{uuid}`.
    pub const SUBJECT: &str = "ce-subject";
    /// The version of CloudEvents.
    pub const SPEC_VERSION: &str = "ce-specversion";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
    /// Always `application/json`.
    pub const CONTENT_TYPE: &str = "content-type";
    /// On a dead letter: why it could never be applied.
    pub const DEAD_REASON: &str = "tongbao-dead-reason";
    /// On a dead letter: how often it was tried.
    pub const DEAD_ATTEMPTS: &str = "tongbao-dead-attempts";
    /// On a dead letter: the subject it came by.
    pub const DEAD_SUBJECT: &str = "tongbao-dead-subject";
    /// On a dead letter: its place in its stream.
    pub const DEAD_SEQUENCE: &str = "tongbao-dead-sequence";
}

/// What ends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// The stream's limits alone: a fact is there for everybody, whoever has read it.
    Limits,
    /// The first ack: work that one of several processes does. It has one reader.
    WorkQueue,
}

/// One stream. All are kept in files, refuse new messages when full, and deny deletes and purges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub subjects: &'static [&'static str],
    /// What ends its messages.
    pub retention: Retention,
    /// Most bytes it keeps; when they are used up, publishers are refused and nothing is lost.
    pub max_bytes: i64,
    /// How long it keeps a message; longer than any consumer may be away.
    pub max_age: Option<Duration>,
    /// How long a repeated `Nats-Msg-Id` is recognised. A convenience: consumers keep their own record.
    pub duplicate_window: Duration,
    /// The processes that create it when it is missing.
    pub owners: &'static [&'static str],
}

/// One durable consumer: explicit ack after commit, delivers all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurableSpec {
    /// Its name; also the token after `dead.v1.`.
    pub name: &'static str,
    /// The stream it reads.
    pub stream: &'static str,
    /// What it reads of it.
    pub filter_subjects: &'static [&'static str],
    /// How long one delivery may take before it is delivered again.
    pub ack_wait: Duration,
    /// Most deliveries without an ack at one time.
    pub max_ack_pending: i64,
    /// The process that reads it.
    pub owner: &'static str,
}

const GIB: i64 = 1 << 30;
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);

/// Every stream.
pub const STREAMS: [StreamSpec; 5] = [
    // Bills are available for three months, so facts are kept a little longer.
    StreamSpec {
        name: "PAY",
        subjects: &["pay.v1.>"],
        retention: Retention::Limits,
        max_bytes: 16 * GIB,
        max_age: Some(Duration::from_hours(100 * 24)),
        duplicate_window: DUPLICATE_WINDOW,
        owners: &["notify-svc", "order-svc", "reconcile-svc"],
    },
    StreamSpec {
        name: "ORDER",
        subjects: &["order.v1.>"],
        retention: Retention::Limits,
        max_bytes: 16 * GIB,
        max_age: Some(Duration::from_hours(100 * 24)),
        duplicate_window: DUPLICATE_WINDOW,
        owners: &["order-svc", "reconcile-svc"],
    },
    StreamSpec {
        name: "RECON",
        subjects: &["recon.v1.>"],
        retention: Retention::Limits,
        max_bytes: 2 * GIB,
        max_age: Some(Duration::from_hours(100 * 24)),
        duplicate_window: DUPLICATE_WINDOW,
        owners: &["order-svc", "reconcile-svc"],
    },
    // Kept until a person has looked: no age.
    StreamSpec {
        name: "DEAD",
        subjects: &["dead.v1.>"],
        retention: Retention::Limits,
        max_bytes: 2 * GIB,
        max_age: None,
        duplicate_window: DUPLICATE_WINDOW,
        owners: &["order-svc", "reconcile-svc"],
    },
    // Days to reconcile. What a day did not see done is asked for again on the next.
    StreamSpec {
        name: "WORK",
        subjects: &["work.v1.>"],
        retention: Retention::WorkQueue,
        max_bytes: GIB / 16,
        max_age: Some(Duration::from_hours(24)),
        duplicate_window: DUPLICATE_WINDOW,
        owners: &["reconcile-svc"],
    },
];

/// order-svc takes payments from here.
pub const ORDER_SVC_PAY: &str = "order-svc-pay";
/// order-svc hears from here that a refund may have changed, and asks.
pub const ORDER_SVC_REFUND: &str = "order-svc-refund";
/// order-svc repairs by asking the provider what reconcile-svc found to differ.
pub const ORDER_SVC_RECON: &str = "order-svc-recon";
/// reconcile-svc keeps leg E (what the provider told us) from here.
pub const RECONCILE_SVC_PAY: &str = "reconcile-svc-pay";
/// reconcile-svc keeps leg O (what we accepted) from here.
pub const RECONCILE_SVC_ORDER: &str = "reconcile-svc-order";
/// The replicas of reconcile-svc take the days that they reconcile from here.
pub const RECONCILE_SVC_WORK: &str = "reconcile-svc-work";

/// Every durable of ours. Teams make their own.
pub const DURABLES: [DurableSpec; 6] = [
    DurableSpec {
        name: ORDER_SVC_PAY,
        stream: "PAY",
        filter_subjects: &["pay.v1.payment.paid.*"],
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 2048,
        owner: "order-svc",
    },
    DurableSpec {
        name: ORDER_SVC_REFUND,
        stream: "PAY",
        filter_subjects: &["pay.v1.refund.noticed.*"],
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 2048,
        owner: "order-svc",
    },
    DurableSpec {
        name: ORDER_SVC_RECON,
        stream: "RECON",
        filter_subjects: &["recon.v1.repair.requested.*"],
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 2048,
        owner: "order-svc",
    },
    DurableSpec {
        name: RECONCILE_SVC_PAY,
        stream: "PAY",
        filter_subjects: &["pay.v1.>"],
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 2048,
        owner: "reconcile-svc",
    },
    DurableSpec {
        name: RECONCILE_SVC_ORDER,
        stream: "ORDER",
        filter_subjects: &["order.v1.>"],
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 2048,
        owner: "reconcile-svc",
    },
    DurableSpec {
        name: RECONCILE_SVC_WORK,
        stream: "WORK",
        filter_subjects: &["work.v1.reconcile.*"],
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 64,
        owner: "reconcile-svc",
    },
];

/// The stream of that name.
pub fn stream(name: &str) -> Option<&'static StreamSpec> {
    STREAMS.iter().find(|stream| stream.name == name)
}

/// The durable of that name.
pub fn durable(name: &str) -> Option<&'static DurableSpec> {
    DURABLES.iter().find(|durable| durable.name == name)
}

/// The streams that a process creates when they are missing.
pub fn streams_of(process: &str) -> impl Iterator<Item = &'static StreamSpec> {
    STREAMS.iter().filter(move |stream| stream.owners.contains(&process))
}

/// The durables that a process reads.
pub fn durables_of(process: &str) -> impl Iterator<Item = &'static DurableSpec> {
    DURABLES.iter().filter(move |durable| durable.owner == process)
}

#[cfg(test)]
mod tests {
    use super::{DURABLES, Retention, STREAMS, stream, streams_of};

    #[test]
    fn every_durable_reads_a_stream_that_its_owner_creates() {
        for durable in DURABLES {
            assert!(stream(durable.stream).is_some(), "{}", durable.name);
            assert!(streams_of(durable.owner).any(|stream| stream.name == durable.stream), "{}", durable.name);
        }
    }

    #[test]
    fn no_two_streams_take_the_same_subject() {
        let mut roots: Vec<_> = STREAMS.iter().flat_map(|stream| stream.subjects).collect();
        roots.sort_unstable();
        roots.dedup();
        assert_eq!(roots.len(), STREAMS.iter().map(|stream| stream.subjects.len()).sum::<usize>());
    }

    #[test]
    fn a_work_queue_has_one_reader() {
        for work in STREAMS.iter().filter(|stream| stream.retention == Retention::WorkQueue) {
            assert_eq!(DURABLES.iter().filter(|durable| durable.stream == work.name).count(), 1, "{}", work.name);
        }
    }

    #[test]
    fn whoever_writes_dead_letters_creates_their_stream() {
        for durable in DURABLES {
            assert!(streams_of(durable.owner).any(|stream| stream.name == "DEAD"), "{}", durable.owner);
        }
    }
}
