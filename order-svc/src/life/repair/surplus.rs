//! `REFUND_SURPLUS`: two people agreed that money goes back that no order keeps. From its row on it is a refund like any other.

use svc_kit::outbox;

use super::{Tried, find_payment, not_ours};
use crate::{
    config::PROCESS,
    domain::{
        RefundId,
        payment::State,
        refund::Cause,
        refunding::{Wish, reserve},
        repair::{Answer, Outcome, Repair},
    },
    events,
    life::{Life, surplus::REASON},
    store::{orders, payments, refunds},
};

impl Life {
    pub(super) async fn repair_surplus(&self, repair: &Repair) -> sqlx::Result<Tried> {
        let no = |detail: String| Ok(Tried::answer(Outcome::NotApplicable, detail));
        let mut tx = self.pool.begin().await?;
        let Some(payment) = find_payment(&mut tx, repair).await? else { return Ok(not_ours(repair)) };
        let Some(merchant) = self.merchants.known_merchant(&payment.merchant) else {
            return Ok(Tried::Nothing("pay-gateway does not know the merchant".to_owned()));
        };
        if !merchant.can_refund || merchant.mch_id != payment.mch_id {
            return no(
                "its merchant cannot give money back: it has no client certificate, or is another account now".into()
            );
        }
        let order = orders::lock(&mut tx, &[payment.order_id]).await?.pop();
        let payment = payments::get(&mut tx, payment.id).await?;
        let Some((mut order, mut payment)) = order.zip(payment) else { return Ok(not_ours(repair)) };
        match &payment.state {
            State::Succeeded { transaction_id, surplus: true, .. } => {
                if !repair.transaction_id.is_empty() && repair.transaction_id != *transaction_id {
                    return no(format!("the payment has transaction {transaction_id} here"));
                }
            }
            State::Succeeded { surplus: false, .. } => {
                return no("its order keeps this payment: its team refunds it".into());
            }
            state @ (State::Created | State::Pending | State::Closed | State::Failed) => {
                return no(format!("the payment is {} here and has no money: ask about it first", state.word()));
            }
        }
        let left = payment.left();
        if !left.is_positive() {
            let detail = "everything of it is back or on its way back";
            return Ok(Tried::answer(Outcome::Confirmed, detail));
        }
        let before = refunds::states_of_payment(&mut tx, payment.id).await?;
        // What the provider has never taken does not count with it.
        let taken = before.iter().filter(|(_, state)| state != "REJECTED").count();
        let wish = Wish {
            id: RefundId(self.clock.uuid_v7()),
            amount: left,
            cause: Cause::Surplus,
            reason: REASON.to_owned(),
            goods: Vec::new(),
        };
        let refund = match reserve(&mut order, &mut payment, taken, wish, self.clock.now()) {
            Ok(refund) => refund,
            Err(refusal) => return no(refusal.to_string()),
        };
        orders::update(&mut tx, &order).await?;
        payments::update(&mut tx, &payment).await?;
        refunds::insert(&mut tx, &refund).await?;
        outbox::enqueue(&mut tx, &events::refund_created(&order, &refund), PROCESS).await?;
        let (number, fen) = (refund.out_refund_no(), refund.amount.get());
        let answer = Answer::new(Outcome::Applied, format!("refund {number} gives {fen} fen back"));
        if self.commit_answered(tx, repair, &answer).await? {
            self.refund_due.notify_one();
        }
        Ok(Tried::Done)
    }
}
