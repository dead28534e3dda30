//! Before a payer gets another cashier, the attempts before it are asked about, and closed where the provider agrees.

use std::time::Duration;

use super::{Life, ask::Status};
use crate::{
    domain::{OrderId, payment::Payment},
    store::{asking, timely},
};

/// How long a payer waits for this. What is not known by then is superseded: asked about and closed in the background, and
/// should it be paid all the same, that money is a surplus and goes back.
const PATIENCE: Duration = Duration::from_secs(6);

impl Life {
    /// Asks about every open attempt of an order, and closes those that are old enough to be closed.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_earlier(&self, order: OrderId) -> sqlx::Result<()> {
        let (life, now) = (self.clone(), self.clock.now());
        let claims = timely(async {
            let mut conn = life.pool.acquire().await?;
            // Whoever asks about one at this moment records what it hears; nobody needs to ask twice.
            asking::claim_of_order(&mut conn, order, now, now).await
        });
        let claims = claims.await?;
        if claims.is_empty() {
            return Ok(());
        }
        let asked = self.finish(async move {
            let asked = claims.into_iter().map(|claim| life.settle_one(claim));
            futures::future::join_all(asked).await.into_iter().collect::<sqlx::Result<()>>()
        });
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(asked)) => asked,
            // A panic is logged where it happens, and slow answers are recorded when they come.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    async fn settle_one(&self, claim: asking::Claim) -> sqlx::Result<()> {
        let payment: &Payment = &claim.payment;
        if payment.method.is_charge() {
            return self.attend(claim).await;
        }
        if self.closable_at(payment) <= self.clock.now() {
            self.close(payment).await?;
        } else if !self.is_sending(payment).await? {
            // Too young to be closed; still, it may be paid already.
            let _: Status = self.ask(payment).await?;
        }
        let (id, turn) = (payment.id, claim.turn);
        timely(async {
            let mut conn = self.pool.acquire().await?;
            asking::release(&mut conn, id, turn, self.clock.now(), false).await
        })
        .await
    }
}
