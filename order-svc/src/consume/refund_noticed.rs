//! `pay.v1.refund.noticed.*`: somebody says that a refund has changed. That proves nothing, so the provider is asked.

use proto::{bus::ORDER_SVC_REFUND, event::RefundNoticed};
use svc_kit::{
    bus::{Delivery, Failure, Handler, Verdict, Verdicts},
    inbox,
    outbox::archive,
};

use crate::{domain::RefundId, life::Life, store::refund_turns};

/// Brings the turns of refunds forward.
#[derive(Clone, Debug)]
pub struct RefundHints {
    life: Life,
}

impl RefundHints {
    /// Asks about the refunds of `life`.
    pub fn new(life: Life) -> Self {
        Self { life }
    }
}

impl Handler for RefundHints {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let (mut verdicts, mut applied, mut heard) = (Vec::with_capacity(batch.len()), Vec::new(), Vec::new());
        let mut hints = Vec::new();
        for delivery in batch {
            match delivery.decode::<RefundNoticed>() {
                Err(error) => verdicts.push(Verdict::Dead(error.to_string())),
                Ok(hint) => {
                    verdicts.push(Verdict::Applied);
                    applied.push(delivery.id.as_str());
                    heard.push(delivery);
                    // Another number is that of a refund made in the merchant platform: reconciliation finds those.
                    if let Some(id) = RefundId::from_out_refund_no(&hint.out_refund_no) {
                        hints.push((delivery.id.as_str(), hint.merchant, id, hint.word));
                    }
                }
            }
        }
        let mut tx = self.life.pool.begin().await?;
        let new = inbox::record(&mut tx, ORDER_SVC_REFUND, &applied).await?;
        hints.retain(|(id, ..)| new.contains(*id));
        let (merchants, ids): (Vec<_>, Vec<_>) =
            hints.iter().map(|(_, merchant, id, _)| (merchant.clone(), id.0)).unzip();
        let over = refund_turns::ask_soon(&mut tx, &merchants, &ids, self.life.clock.now()).await?;
        archive::keep(&mut tx, &heard).await?;
        svc_kit::crash::point("order.hint.before_commit");
        tx.commit().await?;
        self.life.refund_due.notify_one();
        for (id, state) in over {
            let said = hints.iter().find(|(_, _, hinted, _)| *hinted == id).map_or("", |(.., word)| word.as_str());
            // A hint proves nothing, but money that moves although we gave the refund up is worth a look.
            if said == "SUCCESS" && state != "SUCCEEDED" {
                self.life.measured.refund_disputed();
                tracing::error!(
                    out_refund_no = id.out_refund_no(),
                    state,
                    said,
                    "a refund that is over here is said to have succeeded; look it up in the merchant platform"
                );
            }
        }
        Ok(Verdicts::Each(verdicts))
    }
}
