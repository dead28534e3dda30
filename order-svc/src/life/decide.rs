//! The provider's word about one attempt changes the attempt and perhaps closes its order: one transaction.

use proto::event::PaymentPaid;
use svc_kit::outbox;

use super::{Life, settle};
use crate::{
    config::PROCESS,
    domain::{OrderId, PaymentId, order, settle::close},
    events,
    store::{orders, payments},
};

/// What the provider said.
#[derive(Clone, Debug)]
pub enum Word {
    /// It knows the attempt; nobody has paid.
    Accepted,
    /// It refused to accept it.
    Refused {
        /// Its own code.
        provider_code: String,
    },
    /// Nobody paid and nobody can.
    Closed,
    /// This attempt failed for good.
    Failed,
}

impl Life {
    /// Records the provider's word. What it no longer changes is left as it is. True when the attempt changed.
    pub async fn decide(&self, order: OrderId, id: PaymentId, word: Word) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let Some(mut order) = orders::lock(&mut tx, &[order]).await?.pop() else { return Ok(false) };
        let mut attempts = payments::of_orders(&mut tx, &[order.id]).await?;
        let mut changed = false;
        if let Some(payment) = attempts.iter_mut().find(|payment| payment.id == id) {
            let (took, provider_code) = match &word {
                Word::Accepted => (payment.accepted(), None),
                Word::Refused { provider_code } => (payment.refused(), Some(provider_code.as_str())),
                Word::Closed => (payment.closed(), None),
                Word::Failed => (payment.failed(), None),
            };
            if took {
                payments::update(&mut tx, payment, provider_code).await?;
            }
            changed = took;
        }
        if let Some(reason) = close(&mut order, &attempts, now) {
            orders::update(&mut tx, &order).await?;
            outbox::enqueue(&mut tx, &events::order_closed(&order, now, reason), PROCESS).await?;
            changed = true;
        }
        tx.commit().await?;
        self.relay.wake();
        if let order::State::Closed { .. } = order.state {
            tracing::info!(order.name = %order.id, "order closed");
        }
        Ok(changed)
    }

    /// Records that a query found a payment: applied here at once, and told on the bus as a callback would have told it.
    pub async fn found_paid(&self, fact: PaymentPaid) -> sqlx::Result<()> {
        let now = self.clock.now();
        let facts = [fact];
        let mut tx = self.pool.begin().await?;
        let verdicts = settle::settle_all(&mut tx, &facts, now).await?;
        outbox::enqueue(&mut tx, &facts[0], PROCESS).await?;
        tx.commit().await?;
        self.relay.wake();
        settle::tell(&facts, &verdicts, &self.measured);
        Ok(())
    }
}
