//! `QUERY_REFUND`: the provider is asked about a refund in whatever state, and its word is recorded as that of any other question.
//! One that it does not know is sent again by the refund machine, under its number, when that is safe.

use jiff::Timestamp;
use proto::{
    event::{RefundChanged, Source},
    gateway::v1::{RefundStatus, not_done, refund_status},
};

use super::Tried;
use crate::{
    domain::{
        RefundId,
        refund::{Cause, Missing, NOT_YET, Refund, State},
        refunding::{Heard, Word},
        repair::{Answer, Outcome, Repair},
    },
    gateway::Asked,
    life::{
        Life,
        ask::Silence,
        budget::Kind,
        refund_word::{hear_in, lock},
    },
    store::{interval, refund_turns, refunds, timely},
};

impl Life {
    pub(super) async fn repair_refund(&self, repair: &Repair) -> sqlx::Result<Tried> {
        let Some(refund) = self.refund_of(repair).await? else {
            let detail = format!("no refund of this merchant has the number {}", repair.out_refund_no);
            return Ok(Tried::answer(Outcome::NotOurs, detail));
        };
        let asked_at = self.clock.now();
        let told = self.question_refund(&refund.merchant, self.gateway.query_refund(&refund)).await;
        let told = match told {
            Ok(told) => told,
            Err(silence) => return Ok(silence.into()),
        };
        match told.state() {
            refund_status::State::NotFound => timely(self.repair_missing(repair, &refund, asked_at)).await,
            refund_status::State::Other | refund_status::State::Unspecified => {
                let detail = format!("the provider says {}, which this release does not know", told.provider_state);
                Ok(Tried::answer(Outcome::NotApplicable, detail))
            }
            refund_status::State::Processing
            | refund_status::State::Succeeded
            | refund_status::State::Abnormal
            | refund_status::State::Closed => {
                let Some((word, fact)) = self.refund_evidence(&refund, &told) else {
                    let detail = "the provider tells another refund under this number than ours";
                    return Ok(Tried::answer(Outcome::NotApplicable, detail));
                };
                timely(self.repair_told(repair, &refund, &word, fact, &told)).await
            }
        }
    }

    /// Asks about a refund, as far as the budget allows. A process that stops asks nobody.
    pub(super) async fn question_refund(
        &self,
        merchant: &str,
        call: impl Future<Output = Asked<RefundStatus>>,
    ) -> Result<RefundStatus, Silence> {
        if self.stop.is_cancelled() {
            return Err(Silence("this process stops".to_owned()));
        }
        if self.budgets.take(merchant, Kind::Query).await.is_err() {
            return Err(Silence("too many questions wait already".to_owned()));
        }
        match call.await {
            Asked::Done(told) => {
                self.measured.refund_asked(told.state().as_str_name());
                Ok(told)
            }
            Asked::NotDone(no) => {
                self.measured.refund_asked(no.kind().as_str_name());
                if no.kind() == not_done::Kind::RateLimited {
                    self.budgets.limited(merchant, Kind::Query);
                }
                Err(Silence(format!("the provider refuses the question: {}", no.provider_code)))
            }
            Asked::Unknown { why, .. } | Asked::NotSent { why, .. } => {
                self.measured.refund_asked("UNKNOWN");
                Err(Silence(why))
            }
        }
    }

    /// The provider's word about a refund that is here.
    pub(super) async fn repair_told(
        &self,
        repair: &Repair,
        refund: &Refund,
        word: &Word,
        fact: Option<RefundChanged>,
        told: &RefundStatus,
    ) -> sqlx::Result<Tried> {
        let fact = fact.map(|fact| RefundChanged { source: Source::Reconcile.into(), ..fact });
        let said = &told.provider_state;
        let mut tx = self.pool.begin().await?;
        let Some((mut order, mut payment, mut refund)) = lock(&mut tx, refund).await? else {
            return Ok(Tried::Nothing("the refund is not there".to_owned())); // Nothing of it is ever deleted.
        };
        let heard = hear_in(&mut tx, &mut order, &mut payment, &mut refund, word, fact, self.clock.now()).await?;
        let here = refund.state.word();
        let answer = match heard {
            Heard::Unchanged => Answer::new(Outcome::Confirmed, format!("the provider says {said}; it is {here} here")),
            Heard::Noted | Heard::Refunded | Heard::Failed => {
                Answer::new(Outcome::Applied, format!("the provider says {said}, and it is {here} here now"))
            }
            Heard::Contradiction => {
                Answer::new(Outcome::NotApplicable, format!("the provider says {said}, and it stays {here} here"))
            }
        };
        if self.commit_answered(tx, repair, &answer).await? {
            self.tell_heard(&refund, word, heard);
        }
        Ok(Tried::Done)
    }

    /// The provider, asked at `asked_at`, knew no such refund.
    async fn repair_missing(&self, repair: &Repair, refund: &Refund, asked_at: Timestamp) -> sqlx::Result<Tried> {
        let unknown = |detail: String| Ok(Tried::answer(Outcome::UnknownToProvider, detail));
        let here = refund.state.word();
        match refund.missing(asked_at) {
            Missing::SendAgain => {
                let mut tx = self.pool.begin().await?;
                // The machine asks once more before it sends, so that what arrives meanwhile is seen.
                if !refund_turns::due(&mut tx, refund.id, self.clock.now()).await? {
                    return Ok(Tried::Nothing("the refund has changed meanwhile".to_owned()));
                }
                let detail = "the provider knows no such refund: it is sent again under its number";
                let answer = Answer::new(Outcome::Applied, detail);
                if self.commit_answered(tx, repair, &answer).await? {
                    self.refund_due.notify_one();
                }
                Ok(Tried::Done)
            }
            Missing::Rejected => {
                let mut tx = self.pool.begin().await?;
                let sends = refund.sends;
                let word = Word::NeverArrived { sends };
                let Some((mut order, mut payment, mut refund)) = lock(&mut tx, refund).await? else {
                    return Ok(Tried::Nothing("the refund is not there".to_owned()));
                };
                if !refunds::is_quiet(&mut tx, refund.id, sends, self.ahead(), interval(NOT_YET)).await? {
                    return Ok(Tried::Nothing("what was sent last may still arrive".to_owned()));
                }
                let heard =
                    hear_in(&mut tx, &mut order, &mut payment, &mut refund, &word, None, self.clock.now()).await?;
                if heard != Heard::Failed {
                    return Ok(Tried::Nothing("the refund has changed meanwhile".to_owned()));
                }
                let detail = "the provider had refused it, and knows nothing of it: it is REJECTED now";
                if self.commit_answered(tx, repair, &Answer::new(Outcome::Applied, detail)).await? {
                    self.tell_heard(&refund, &word, heard);
                }
                Ok(Tried::Done)
            }
            Missing::TooSoon => Ok(Tried::Nothing("what was sent last may still arrive".to_owned())),
            Missing::Contradiction if refund.cause == Cause::External => {
                unknown(format!("the provider knows no such refund, and it is {here} here; it was not sent by us"))
            }
            Missing::Contradiction if refund.state == State::Rejected => {
                let detail = "the provider knows no such refund, and it is REJECTED here";
                Ok(Tried::answer(Outcome::Confirmed, detail))
            }
            Missing::Contradiction => unknown(format!(
                "the provider knows no such refund, and it is {here} here: it was accepted once, and is not sent again"
            )),
        }
    }

    async fn refund_of(&self, repair: &Repair) -> sqlx::Result<Option<Refund>> {
        timely(async {
            let mut conn = self.pool.acquire().await?;
            let number = repair.out_refund_no.as_str();
            let ours = match RefundId::from_out_refund_no(number) {
                Some(id) => refunds::get(&mut conn, id).await?,
                None => None,
            };
            let ours = ours.filter(|refund| refund.merchant == repair.merchant && refund.external_no.is_none());
            match ours {
                Some(refund) => Ok(Some(refund)),
                None => refunds::external(&mut conn, &repair.merchant, number).await,
            }
        })
        .await
    }
}
