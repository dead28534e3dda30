//! The provider's word about one attempt changes the attempt and perhaps closes its order: one transaction.

use jiff::{SignedDuration, Timestamp};
use proto::gateway::v1::PaidStatus;
use sqlx::PgConnection;
use svc_kit::outbox;

use super::{
    Life,
    settle::{self, Dead, Verdict},
};
use crate::{
    config::PROCESS,
    domain::{
        OrderId, PaymentId,
        order::Order,
        payment::Payment,
        settle::{Mismatch, Settled, close},
    },
    events,
    store::{orders, payments, timely},
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
    /// It knows no such number. Final only when nothing was sent since the attempt was read with so many sendings, and the
    /// last of them was long enough ago.
    NeverArrived {
        /// [`crate::domain::payment::Payment::sends`] as it was when the provider was asked.
        sends: i32,
        /// What it becomes: CLOSED when its order is over, FAILED otherwise.
        closing: bool,
        /// When the provider was asked. Its answer may have been slow, and a sending may have arrived meanwhile.
        asked_at: Timestamp,
    },
    /// It knows no such number, and was asked when the charge and every reversal were so long ago that none of them can arrive.
    NeverCharged {
        /// How many reversals there were then.
        reverses: i32,
    },
}

/// Right after a lost prepay "unknown number" means "not yet", for at least this long.
/// Source: WeChat Pay v2 reference, orderquery, `ORDERNOTEXIST`.
pub(super) const NOT_YET: SignedDuration = SignedDuration::from_secs(60);

impl Life {
    /// Records the provider's word. What it no longer changes is left as it is. True when the attempt changed.
    pub async fn decide(&self, order: OrderId, id: PaymentId, word: Word) -> sqlx::Result<bool> {
        timely(self.decide_now(order, id, word)).await
    }

    async fn decide_now(&self, order: OrderId, id: PaymentId, word: Word) -> sqlx::Result<bool> {
        let mut tx = self.pool.begin().await?;
        let Some(order) = orders::lock(&mut tx, &[order]).await?.pop() else { return Ok(false) };
        let name = order.id;
        let Decided { changed, closed } = decide_in(&mut tx, order, id, &word, self.clock.now()).await?;
        svc_kit::crash::point("order.decide.before_commit");
        tx.commit().await?;
        svc_kit::crash::point("order.decide.committed");
        if closed {
            self.relay.wake();
            tracing::info!(order.name = %name, "order closed");
        }
        Ok(changed)
    }

    /// Records that the provider, asked about `payment` as it is given, says that it was paid: applied here at once, and told on
    /// the bus as a callback would have told it. False when it is being taken back, so that nothing was recorded.
    /// `asked_too_late` says that it can no longer be taken back, so that what the provider says stays so.
    pub async fn found_paid(&self, payment: &Payment, paid: &PaidStatus, asked_too_late: bool) -> sqlx::Result<bool> {
        timely(self.found_paid_now(payment, paid, asked_too_late)).await
    }

    async fn found_paid_now(&self, payment: &Payment, paid: &PaidStatus, asked_too_late: bool) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let facts = [events::payment_paid(payment, paid)];
        let mut tx = self.pool.begin().await?;
        let verdicts = settle::settle_all(&mut tx, &facts, now, asked_too_late).await?;
        let reversing = match verdicts.first() {
            Some(Verdict::Settled(settled)) => *settled == Settled::Reversing,
            // A person is told by the log; taking it back goes on. When it has ended meanwhile, the fact is told, so that its
            // refusal is a dead letter and no mere line of a log.
            Some(Verdict::Dead(dead)) => payment.reversing.is_some() && *dead != Dead::Mismatch(Mismatch::TakenBack),
            None => false,
        };
        if reversing {
            // Its money goes back, so nobody is told of it.
            tx.rollback().await?;
            for verdict in &verdicts {
                settle::tell(&facts[0], verdict, &self.measured);
            }
            return Ok(false);
        }
        outbox::enqueue(&mut tx, &facts[0], PROCESS).await?;
        svc_kit::crash::point("order.found.before_commit");
        tx.commit().await?;
        svc_kit::crash::point("order.found.committed");
        self.relay.wake();
        for verdict in &verdicts {
            settle::tell(&facts[0], verdict, &self.measured);
        }
        Ok(true)
    }
}

/// What a word did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    /// The attempt changed.
    pub(super) changed: bool,
    /// Its order was closed, too.
    pub(super) closed: bool,
}

/// Records the provider's word about an attempt of `order`, which is locked, in the caller's transaction.
pub(super) async fn decide_in(
    tx: &mut PgConnection,
    mut order: Order,
    id: PaymentId,
    word: &Word,
    now: Timestamp,
) -> sqlx::Result<Decided> {
    let mut attempts = payments::of_orders(tx, &[order.id]).await?;
    let mut changed = false;
    if let Some(payment) = attempts.iter_mut().find(|payment| payment.id == id) {
        let took = match word {
            Word::Accepted => payment.accepted(),
            Word::Refused { provider_code } => {
                let took = payment.refused();
                if took {
                    payment.provider_code = Some(provider_code.clone());
                }
                took
            }
            Word::Closed => payment.closed(),
            Word::Failed => payment.failed(),
            Word::NeverArrived { sends, closing, asked_at } => {
                let sent_before = asked_at.checked_sub(NOT_YET).unwrap_or(Timestamp::MIN);
                let quiet = payments::is_quiet(tx, id, *sends, sent_before).await?;
                quiet && if *closing { payment.closed() } else { payment.failed() }
            }
            Word::NeverCharged { reverses } => payment.never_charged(*reverses),
        };
        if took {
            payments::update(tx, payment).await?;
            // The attempt's end, and the order's when it follows, are two versions.
            order.version += 1;
            orders::update(tx, &order).await?;
        }
        changed = took;
    }
    let closed = close(&mut order, &attempts, now);
    if let Some(reason) = closed {
        orders::update(tx, &order).await?;
        outbox::enqueue(tx, &events::order_closed(&order, now, reason), PROCESS).await?;
    }
    Ok(Decided { changed, closed: closed.is_some() })
}
