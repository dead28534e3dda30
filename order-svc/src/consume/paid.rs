//! `pay.v1.payment.paid.*`: up to 256 facts in one transaction, acked after its commit.

use std::sync::Arc;

use proto::{
    bus::{ORDER_SVC_PAY, header},
    event::PaymentPaid,
};
use sqlx::Connection as _;
use svc_kit::{
    bus::{Delivery, Failure, Handler, Verdict, Verdicts},
    inbox,
    outbox::archive,
    postgres::{BEGIN_WITH_LISTS, Kept},
};

use crate::{
    config::PROCESS,
    life::{
        Life,
        settle::{self, settle_all},
    },
};

/// Applies paid facts.
#[derive(Clone, Debug)]
pub struct PaidFacts {
    life: Life,
    connections: Arc<Kept>,
}

impl PaidFacts {
    /// Applies them to the orders of `life`.
    pub fn new(life: Life) -> Self {
        Self { connections: Arc::new(Kept::of(life.pool.clone())), life }
    }
}

impl Handler for PaidFacts {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        // A body that cannot be read never will be; the others must not wait for it.
        let decoded: Vec<_> = batch.iter().map(Delivery::decode::<PaymentPaid>).collect();
        let facts: Vec<PaymentPaid> = decoded.iter().flatten().cloned().collect();

        let mut connection = self.connections.take().await?;
        let mut tx = connection.begin_with(BEGIN_WITH_LISTS).await?;
        let settled = settle_all(&mut tx, &facts, self.life.clock.now(), false).await?;
        let mut next = settled.iter();
        let verdicts: Vec<Verdict> = decoded
            .iter()
            .map(|decoded| match decoded {
                Err(error) => Verdict::Dead(error.to_string()),
                Ok(_) => match next.next() {
                    Some(settle::Verdict::Dead(dead)) => Verdict::Dead(dead.to_string()),
                    // Facts and verdicts have one length.
                    Some(settle::Verdict::Settled(_)) | None => Verdict::Applied,
                },
            })
            .collect();
        // Only what was applied counts as applied: a dead letter that could not be written must come again.
        let applied: Vec<&str> = batch
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| **verdict == Verdict::Applied)
            .map(|(delivery, _)| delivery.id.as_str())
            .collect();
        inbox::record(&mut tx, ORDER_SVC_PAY, &applied).await?;
        // What we told ourselves the relay keeps. What names no attempt of ours is kept too: reconciliation must know of it.
        let told_by_others =
            |delivery: &&Delivery| delivery.header(header::SOURCE).is_some_and(|source| source != PROCESS);
        let readable = batch.iter().zip(&decoded).filter(|(_, decoded)| decoded.is_ok()).map(|(delivery, _)| delivery);
        let heard: Vec<&Delivery> = readable.filter(told_by_others).collect();
        archive::keep(&mut tx, &heard).await?;
        svc_kit::crash::point("order.paid.before_commit");
        tx.commit().await?;
        connection.keep();
        svc_kit::crash::point("order.paid.committed");
        self.life.relay.wake();

        settle::tell(&facts, &settled, &self.life.measured);
        Ok(Verdicts::Each(verdicts))
    }
}
