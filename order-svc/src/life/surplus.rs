//! What is done with one payment that its order cannot keep: it goes back through the ordinary refund machine, or it waits for
//! a person.

use svc_kit::outbox;

use super::Life;
use crate::{
    config::PROCESS,
    domain::{
        OrderId, PaymentId, RefundId,
        refund::Cause,
        refunding::{Wish, is_hopeless, reserve},
    },
    events,
    gateway::{Merchants, Surplus},
    store::{orders, payments, refunds},
};

/// What the payer reads.
pub(super) const REASON: &str = "重复或超时支付，原路退回";

impl Life {
    /// Refunds a surplus payment, or holds it for a person: by the merchant's policy, or because the provider has refused before.
    ///
    /// # Errors
    /// The database's.
    pub async fn decide_surplus(&self, order: OrderId, id: PaymentId, merchants: &Merchants) -> sqlx::Result<()> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let order = orders::lock(&mut tx, &[order]).await?.pop();
        let payment = payments::get(&mut tx, id).await?;
        let Some((mut order, mut payment)) = order.zip(payment) else { return Ok(()) }; // Neither is ever deleted.
        let policy = match merchants.known_merchant(&payment.merchant) {
            Some(merchant) if merchant.can_refund => merchant.surplus,
            // Without a certificate, or without its file: nothing can be sent, and somebody must know.
            Some(_) => Surplus::Hold,
            // pay-gateway was not heard yet, or the file is being moved; it is looked at again.
            None => return Ok(()),
        };
        if !payments::is_undecided_surplus(&mut tx, id).await? {
            return Ok(()); // Another replica was faster.
        }
        let before = refunds::states_of_payment(&mut tx, id).await?;
        let hopeless = is_hopeless(before.iter().map(|(cause, state)| (*cause, state.as_str())));
        let taken = before.iter().filter(|(_, state)| state != "REJECTED").count();
        let left = payment.left();
        let wish = Wish {
            id: RefundId(self.clock.uuid_v7()),
            amount: left,
            cause: Cause::Surplus,
            reason: REASON.to_owned(),
            goods: Vec::new(),
        };
        let reserved = match policy {
            Surplus::Refund if !hopeless && left.is_positive() => {
                reserve(&mut order, &mut payment, taken, wish, now).ok()
            }
            Surplus::Refund | Surplus::Hold => None,
        };
        let Some(refund) = reserved else {
            if payments::hold_surplus(&mut tx, id, now).await? {
                tx.commit().await?;
                tracing::error!(
                    out_trade_no = id.out_trade_no(),
                    amount_fen = left.get(),
                    "a surplus payment is held: a person must decide, with CreateRefund"
                );
            }
            return Ok(());
        };
        orders::update(&mut tx, &order).await?;
        payments::update(&mut tx, &payment).await?;
        refunds::insert(&mut tx, &refund).await?;
        outbox::enqueue(&mut tx, &events::refund_created(&order, &refund), PROCESS).await?;
        svc_kit::crash::point("order.surplus.before_commit");
        tx.commit().await?;
        svc_kit::crash::point("order.surplus.committed");
        self.relay.wake();
        self.refund_due.notify_one();
        tracing::info!(
            out_trade_no = id.out_trade_no(),
            out_refund_no = refund.out_refund_no(),
            amount_fen = left.get(),
            "a surplus payment goes back"
        );
        Ok(())
    }
}
