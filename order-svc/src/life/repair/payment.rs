//! `QUERY_PAYMENT` and `REPUBLISH_PAYMENT`: the provider is asked about an attempt in whatever state, and its word is recorded as
//! that of any other question. What has money here never loses it by this.

use proto::{
    event::{PaymentPaid, Source},
    gateway::v1::{PaidStatus, PaymentStatus, payment_status},
};
use svc_kit::outbox;

use super::{Tried, not_ours};
use crate::{
    config::PROCESS,
    domain::{
        payment::{Payment, State},
        repair::{Action, Answer, Outcome, Repair},
        settle::Settled,
    },
    events,
    life::{
        Life,
        ask::REFUNDED,
        decide::{Decided, Word, decide_in},
        settle::{self, Verdict, settle_all},
    },
    store::{orders, payments, timely},
};

impl Life {
    pub(super) async fn repair_payment(&self, repair: &Repair) -> sqlx::Result<Tried> {
        let Some(payment) = self.payment_of(repair).await? else { return Ok(not_ours(repair)) };
        let status = match self.question(&payment).await {
            Ok(status) => status,
            Err(silence) => return Ok(silence.into()),
        };
        let word = match status.state() {
            payment_status::State::Paid => {
                let Some(paid) = &status.paid else { return Ok(Tried::Nothing("paid, and not by whom".to_owned())) };
                if let Some(no) = contradiction(repair, paid) {
                    return Ok(Tried::answer(Outcome::NotApplicable, no));
                }
                return timely(self.repair_paid(repair, &payment, paid, &status)).await;
            }
            payment_status::State::NotFound => {
                let here = payment.state.word();
                let detail = format!("the provider knows no such number; the payment is {here} here");
                return Ok(Tried::answer(Outcome::UnknownToProvider, detail));
            }
            payment_status::State::NotPaid | payment_status::State::Paying => Word::Accepted,
            payment_status::State::Closed | payment_status::State::Reversed => Word::Closed,
            payment_status::State::Failed => Word::Failed,
            payment_status::State::Other | payment_status::State::Unspecified => {
                let said = &status.provider_state;
                let detail = format!("the provider says {said}, which this release does not know");
                return Ok(Tried::answer(Outcome::NotApplicable, detail));
            }
        };
        timely(self.repair_unpaid(repair, &payment, &word, &status)).await
    }

    /// It was paid: the fact is applied and told.
    async fn repair_paid(
        &self,
        repair: &Repair,
        payment: &Payment,
        paid: &PaidStatus,
        status: &PaymentStatus,
    ) -> sqlx::Result<Tried> {
        let fact = PaymentPaid { source: Source::Reconcile.into(), ..events::payment_paid(payment, paid) };
        let facts = [fact];
        let asked_too_late = payment.is_too_late_to_reverse() && status.provider_state != REFUNDED;
        let mut tx = self.pool.begin().await?;
        let verdicts = settle_all(&mut tx, &facts, self.clock.now(), asked_too_late).await?;
        let settled = match verdicts.first() {
            Some(Verdict::Settled(settled)) => Ok(*settled),
            Some(Verdict::Dead(dead)) => Err(dead.to_string()),
            None => Err("it has no verdict".to_owned()), // One fact has one verdict.
        };
        let again = repair.action == Action::RepublishPayment;
        let (answer, is_told) = match settled {
            Ok(Settled::Kept) => (Answer::new(Outcome::Applied, "it was paid, and pays its order now"), true),
            Ok(Settled::Surplus) => {
                (Answer::new(Outcome::Applied, "it was paid, and its order cannot keep it: a surplus"), true)
            }
            Ok(Settled::Unchanged) if again => {
                (Answer::new(Outcome::Applied, "it was paid, as our books say; its fact is told once more"), true)
            }
            Ok(Settled::Unchanged) => (Answer::new(Outcome::Confirmed, "it was paid, as our books say"), false),
            Ok(Settled::Reversing) => {
                let detail = "it was paid, and is being taken back; that goes on";
                (Answer::new(Outcome::NotApplicable, detail), false)
            }
            Err(why) => {
                let detail = format!("the provider says that it was paid, and that fits nothing here: {why}");
                (Answer::new(Outcome::NotApplicable, detail), false)
            }
        };
        if is_told {
            outbox::enqueue(&mut tx, &facts[0], PROCESS).await?;
        }
        if self.commit_answered(tx, repair, &answer).await? {
            for verdict in &verdicts {
                settle::tell(&facts[0], verdict, &self.measured);
            }
        }
        Ok(Tried::Done)
    }

    /// It was not paid, or can no longer be.
    async fn repair_unpaid(
        &self,
        repair: &Repair,
        asked: &Payment,
        word: &Word,
        status: &PaymentStatus,
    ) -> sqlx::Result<Tried> {
        let said = &status.provider_state;
        let mut tx = self.pool.begin().await?;
        let order = orders::lock(&mut tx, &[asked.order_id]).await?.pop();
        let now_here = payments::get(&mut tx, asked.id).await?;
        let Some((order, payment)) = order.zip(now_here) else { return Ok(not_ours(repair)) };
        if let State::Succeeded { .. } = payment.state {
            tx.rollback().await?;
            // It may have been paid while the answer was on its way.
            let was_paid = matches!(asked.state, State::Succeeded { .. });
            let detail = format!("the provider says {said}, and the payment has succeeded here");
            return Ok(if was_paid {
                Tried::answer(Outcome::NotApplicable, detail)
            } else {
                Tried::Nothing("it was paid meanwhile".to_owned())
            });
        }
        let Decided { changed, .. } = decide_in(&mut tx, order, asked.id, word, self.clock.now()).await?;
        let answer = if changed {
            Answer::new(Outcome::Applied, format!("the provider says {said}, and so do our books now"))
        } else {
            let here = payment.state.word();
            Answer::new(Outcome::Confirmed, format!("the provider says {said}; the payment is {here} here"))
        };
        self.commit_answered(tx, repair, &answer).await?;
        Ok(Tried::Done)
    }
}

/// What the provider says beside what the difference was about, when that is something else.
fn contradiction(repair: &Repair, paid: &PaidStatus) -> Option<String> {
    if !repair.transaction_id.is_empty() && repair.transaction_id != paid.transaction_id {
        let (asked, said) = (&repair.transaction_id, &paid.transaction_id);
        return Some(format!("the difference is about transaction {asked}, and the provider says {said}"));
    }
    let billed = repair.bill_amount.get();
    (0 < billed && billed != paid.amount_fen)
        .then(|| format!("the bill says {billed} fen, and the provider {} fen", paid.amount_fen))
}
