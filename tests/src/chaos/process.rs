//! What the conductor knows of processes.

use std::fs;

use tokio::time::Instant;

use crate::{Part, world::Second};

/// The second order-svc.
pub(super) struct Beside {
    pub(super) process: Second,
    pub(super) place: usize,
    pub(super) until: Instant,
}

impl Beside {
    /// Messages that it has published by itself.
    pub(super) async fn works(&self) -> u64 {
        let published =
            self.process.metric("bus_published_total").await + self.process.metric("paid_facts_total").await;
        u64::try_from(published).unwrap_or(0)
    }
}

/// Points that the load passes often.
pub(super) fn points(part: Part) -> &'static [&'static str] {
    match part {
        Part::OrderSvc => &[
            "relay.taken",
            "relay.published",
            "consume.taken",
            "consume.applied",
            "order.create.before_commit",
            "order.pay.first.written",
            "order.pay.answered",
            "order.pay.before_kept",
            "order.paid.before_commit",
            "order.paid.committed",
            "order.refund.written",
            "order.refund.before_send",
            "order.refund.answered",
            "order.refund.before_commit",
        ],
        Part::ReconcileSvc => &["consume.taken", "consume.applied", "consume.acked"],
        Part::NotifySvc => &["notify.verified", "notify.recorded"],
        Part::PayGateway => &["gateway.sending", "gateway.answered"],
        Part::Postgres | Part::Nats | Part::Sandbox => &[],
    }
}

/// Whether the system says so, where it says such things.
pub(super) fn stands_still(pid: u32) -> bool {
    let Ok(told) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    told.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}
