//! The provider's word about one refund changes the refund, its payment and its order: one transaction with what is told.

use jiff::{SignedDuration, Timestamp};
use proto::event::RefundChanged;
use sqlx::PgConnection;
use svc_kit::outbox;

use super::Life;
use crate::{
    config::PROCESS,
    domain::{
        order::Order,
        payment::Payment,
        refund::{NOT_YET, Refund, State},
        refunding::{Heard, Word, hear},
    },
    events,
    store::{interval, orders, payments, refunds, timely},
};

/// The fact that a word is told as on the bus.
pub(super) type Evidence = RefundChanged;

impl Life {
    /// Records the provider's word. `fact` is told on the bus, once, when the word is new.
    pub(super) async fn hear_refund(&self, refund: &Refund, word: Word, fact: Option<Evidence>) -> sqlx::Result<Heard> {
        let heard = timely(self.hear_refund_now(refund, &word, fact)).await?;
        self.tell_heard(refund, &word, heard);
        Ok(heard)
    }

    /// Logs and counts what a word did, once it is committed.
    pub(super) fn tell_heard(&self, refund: &Refund, word: &Word, heard: Heard) {
        let number = refund.out_refund_no();
        match heard {
            Heard::Unchanged => {}
            Heard::Noted => tracing::info!(out_refund_no = number, ?word, "refund noted"),
            Heard::Refunded => {
                tracing::info!(
                    out_refund_no = number,
                    amount_fen = refund.amount.get(),
                    "money is back with its payer"
                );
            }
            Heard::Failed => {
                tracing::warn!(out_refund_no = number, amount_fen = refund.amount.get(), ?word, "refund failed");
            }
            Heard::Contradiction => {
                self.measured.refund_disputed();
                tracing::error!(
                    out_refund_no = number,
                    ?word,
                    "the provider contradicts what it said about this refund; a person must look"
                );
            }
        }
        self.measured.refund_heard(heard);
    }

    async fn hear_refund_now(&self, refund: &Refund, word: &Word, fact: Option<Evidence>) -> sqlx::Result<Heard> {
        let mut tx = self.pool.begin().await?;
        let Some((mut order, mut payment, mut refund)) = lock(&mut tx, refund).await? else {
            return Ok(Heard::Unchanged); // Nothing of it is ever deleted; the claim named it.
        };
        if let Word::NeverArrived { sends } = word
            && !refunds::is_quiet(&mut tx, refund.id, *sends, self.ahead(), interval(NOT_YET)).await?
        {
            // Some replica's clock is wrong. It is asked about again.
            return Ok(Heard::Unchanged);
        }
        let now = self.clock.now();
        let heard = hear_in(&mut tx, &mut order, &mut payment, &mut refund, word, fact, now).await?;
        if matches!(heard, Heard::Unchanged | Heard::Contradiction) {
            return Ok(heard);
        }
        svc_kit::crash::point("order.refund.before_commit");
        tx.commit().await?;
        svc_kit::crash::point("order.refund.committed");
        self.relay.wake();
        Ok(heard)
    }

    /// Writes that a sending begins: how many there are now, or `None` when the refund is no longer to be sent. As an error the
    /// instant before which it must not be, because another refund of its payment was just sent.
    pub(super) async fn begin_sending(
        &self,
        refund: &Refund,
        apart: SignedDuration,
    ) -> sqlx::Result<Result<Option<i32>, Timestamp>> {
        timely(async {
            let now = self.clock.now();
            let mut tx = self.pool.begin().await?;
            // Two refunds of one payment are looked at one after the other.
            orders::lock(&mut tx, &[refund.order_id]).await?;
            // The same number again is the same refund, so only a first sending waits for its siblings.
            let sibling = if refund.sends == 0 { refunds::sibling_sent_at(&mut tx, refund).await? } else { None };
            if let Some(not_before) = sibling.and_then(|at| at.checked_add(apart).ok()).filter(|at| now < *at) {
                return Ok(Err(not_before));
            }
            let sends = refunds::begin_sending(&mut tx, refund.id, now, self.ahead()).await?;
            tx.commit().await?;
            Ok(Ok(sends))
        })
        .await
    }

    /// A sending certainly did nothing.
    pub(super) async fn take_refund_back(&self, refund: &Refund, sends: i32) -> sqlx::Result<()> {
        timely(async {
            let mut conn = self.pool.acquire().await?;
            refunds::take_sending_back(&mut conn, refund.id, sends).await
        })
        .await
    }
}

/// Records the provider's word about a refund whose order is locked, heard `now`, with what is told of it, in the caller's
/// transaction. The first word that it was accepted is told as that, also when it says more.
pub(super) async fn hear_in(
    tx: &mut PgConnection,
    order: &mut Order,
    payment: &mut Payment,
    refund: &mut Refund,
    word: &Word,
    fact: Option<Evidence>,
    now: Timestamp,
) -> sqlx::Result<Heard> {
    let was_accepted = refund.provider_refund_id.is_some();
    let heard = hear(order, payment, refund, word);
    if matches!(heard, Heard::Unchanged | Heard::Contradiction) {
        return Ok(heard);
    }
    payments::update(tx, payment).await?;
    let accepted = !was_accepted && refund.provider_refund_id.is_some();
    refunds::update(tx, refund, accepted).await?;
    orders::update(tx, order).await?;
    if let Some(fact) = fact {
        outbox::enqueue(tx, &fact, PROCESS).await?;
    }
    if accepted {
        outbox::enqueue(tx, &events::refund_accepted(order, refund, now), PROCESS).await?;
    }
    match (heard, &refund.state) {
        (Heard::Refunded, State::Succeeded { at }) => {
            outbox::enqueue(tx, &events::order_refunded(order, payment, refund, *at), PROCESS).await?;
        }
        (Heard::Failed, _) => outbox::enqueue(tx, &events::refund_failed(order, refund), PROCESS).await?,
        _ => {}
    }
    Ok(heard)
}

/// The order first, as everywhere; then what hangs on it.
pub(super) async fn lock(tx: &mut PgConnection, refund: &Refund) -> sqlx::Result<Option<(Order, Payment, Refund)>> {
    let order = orders::lock(tx, &[refund.order_id]).await?.pop();
    let payment = payments::get(tx, refund.payment_id).await?;
    let refund = refunds::get(tx, refund.id).await?;
    Ok(order.zip(payment).zip(refund).map(|((order, payment), refund)| (order, payment, refund)))
}
