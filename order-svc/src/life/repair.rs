//! Doing what reconciliation asks for: the provider is asked, what it says goes down the normal road, and the answer is written
//! with its effect, in one transaction. Nothing is believed because a bill says so.

mod import;
mod payment;
mod refund;
mod surplus;

use sqlx::{PgConnection, Postgres, Transaction};
use svc_kit::outbox;

use super::{
    Life,
    ask::{Silence, soon_jittered},
};
use crate::{
    config::PROCESS,
    domain::{
        PaymentId,
        payment::Payment,
        repair::{Action, Answer, Outcome, Repair},
    },
    events,
    store::{payments, repairs, timely},
};

/// How one try ended.
#[derive(Debug)]
enum Tried {
    /// It was answered, together with its effect; or another process was faster.
    Done,
    /// This is to be answered; there is nothing to write beside it.
    Answer(Answer),
    /// Nothing was learned; why.
    Nothing(String),
}

impl From<Silence> for Tried {
    fn from(Silence(why): Silence) -> Self {
        Tried::Nothing(why)
    }
}

impl Tried {
    fn answer(outcome: Outcome, detail: impl Into<String>) -> Self {
        Tried::Answer(Answer::new(outcome, detail))
    }
}

impl Life {
    /// Does one claimed repair, and gives the claim back when it is to be tried again.
    ///
    /// # Errors
    /// The database's; the claim then ends by itself.
    pub async fn attend_repair(&self, repair: &Repair) -> sqlx::Result<()> {
        let tried = match repair.action {
            Action::QueryPayment | Action::RepublishPayment => self.repair_payment(repair).await?,
            Action::RefundSurplus => timely(self.repair_surplus(repair)).await?,
            Action::QueryRefund => self.repair_refund(repair).await?,
            Action::ImportRefund => self.repair_import(repair).await?,
        };
        let now = self.clock.now();
        match tried {
            Tried::Done => Ok(()),
            Tried::Answer(answer) => timely(self.answer_alone(repair, &answer)).await,
            // Whoever takes over asks at once; nobody gives up because we stop.
            Tried::Nothing(_) if self.stop.is_cancelled() => self.release(repair, now, false).await,
            Tried::Nothing(why) if repair.deadline <= now => {
                let detail = format!("the provider gave no answer in time; the last try ended so: {why}");
                timely(self.answer_alone(repair, &Answer::new(Outcome::GaveUp, detail))).await
            }
            Tried::Nothing(why) => {
                tracing::debug!(repair = %repair.id, action = repair.action.word(), why, "a repair is tried again");
                // The last try is at the deadline.
                self.release(repair, soon_jittered(now, repair.wait()).min(repair.deadline), true).await
            }
        }
    }

    async fn release(&self, repair: &Repair, at: jiff::Timestamp, tried: bool) -> sqlx::Result<()> {
        timely(async {
            let mut conn = self.pool.acquire().await?;
            repairs::release(&mut conn, repair.id, at, tried).await
        })
        .await
    }

    async fn answer_alone(&self, repair: &Repair, answer: &Answer) -> sqlx::Result<()> {
        let tx = self.pool.begin().await?;
        self.commit_answered(tx, repair, answer).await.map(|_: bool| ())
    }

    /// Writes the answer beside its effect and commits both. False when another process has answered: then nothing was written.
    async fn commit_answered(
        &self,
        mut tx: Transaction<'_, Postgres>,
        repair: &Repair,
        answer: &Answer,
    ) -> sqlx::Result<bool> {
        let now = self.clock.now();
        if !repairs::answer(&mut tx, repair.id, answer, now).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        outbox::enqueue(&mut tx, &events::repair_answered(repair, answer, now), PROCESS).await?;
        svc_kit::crash::point("order.repair.before_answered");
        tx.commit().await?;
        svc_kit::crash::point("order.repair.answered");
        self.relay.wake();
        self.measured.repaired(repair.action, answer.outcome);
        let (action, outcome, detail) = (repair.action.word(), answer.outcome.word(), answer.detail.as_str());
        let (repair, code) = (repair.id, repair.code.as_str());
        match answer.outcome {
            Outcome::Applied | Outcome::Confirmed => {
                tracing::info!(%repair, code, action, outcome, "repair answered: {detail}");
            }
            Outcome::UnknownToProvider | Outcome::NotApplicable | Outcome::NotOurs | Outcome::GaveUp => {
                tracing::warn!(%repair, code, action, outcome, "repair answered: {detail}");
            }
        }
        Ok(true)
    }

    /// The attempt that a repair is about, when it is one of ours.
    async fn payment_of(&self, repair: &Repair) -> sqlx::Result<Option<Payment>> {
        timely(async {
            let mut conn = self.pool.acquire().await?;
            find_payment(&mut conn, repair).await
        })
        .await
    }
}

async fn find_payment(conn: &mut PgConnection, repair: &Repair) -> sqlx::Result<Option<Payment>> {
    let Some(id) = PaymentId::from_out_trade_no(&repair.out_trade_no) else { return Ok(None) };
    let found = payments::get(conn, id).await?;
    Ok(found.filter(|payment| payment.merchant == repair.merchant))
}

/// The answer about a number that is none of ours.
fn not_ours(repair: &Repair) -> Tried {
    let number = &repair.out_trade_no;
    Tried::answer(Outcome::NotOurs, format!("no payment of this merchant has the number {number}"))
}
