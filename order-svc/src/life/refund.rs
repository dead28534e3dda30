//! Attending to one refund that this process holds: sending it, or asking what has become of it.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use proto::{
    event::refund_changed,
    gateway::v1::{NotDone, RefundStatus, not_done, refund_status},
    time::from_wire,
};

use super::{
    Life,
    ask::{soon, soon_jittered},
    budget::{self, Denied, Kind},
    refund_word::Evidence,
};
use crate::{
    domain::{
        refund::{Missing, Refund, State, Step, Waiting},
        refunding::Word,
    },
    events,
    gateway::{Asked, CALL_TIME},
    store::{
        asking::Turn,
        refund_turns::{self, Claim},
        timely,
    },
};

/// How soon a refund whose answer was lost is asked about.
const LOST_AGAIN: Duration = Duration::from_secs(10);
/// However often it was lost, it is not asked about later than that: when the provider is well again, everything is soon known.
const LOST_AGAIN_LATEST: Duration = Duration::from_mins(1);
/// More do not matter.
const MOST_DOUBLINGS: u32 = 8;
/// How soon to try again when the gateway did not send.
const NOT_SENT_AGAIN: Duration = Duration::from_secs(5);
/// How soon a refund is tried again that waits for money in the account, or for a person to mend our settings.
const PERSON_AGAIN: Duration = Duration::from_mins(10);
/// How often money that bounced is asked about: a person acts, within days.
const BOUNCED_AGAIN: Duration = Duration::from_hours(1);
/// Between the sendings of two refunds of one payment. WeChat wants a minute between their arrivals, and the first may take as
/// long as a call takes; whoever comes too soon lets the whole account rest. Source: WeChat Pay v2 reference, refund, limits.
const BETWEEN_SIBLINGS: SignedDuration = SignedDuration::from_secs(61 + CALL_TIME.as_secs().cast_signed());

/// A sending leaves within this time of its writing, or not at all.
const LEAVES_WITHIN: Duration = Duration::from_secs(12);

/// When a refund is to be looked at next, and whether something was heard, which makes the schedule go on.
type Next = (Timestamp, bool);

impl Life {
    /// Attends to one claimed refund and gives the claim back with the next turn.
    ///
    /// # Errors
    /// The database's; the claim then ends by itself.
    pub async fn attend_refund(&self, claim: Claim) -> sqlx::Result<()> {
        let Claim { refund, turn } = claim;
        // Whoever reads out of turn may ask, but never send: a team that looks often must not use up what all may send.
        let may_send = matches!(turn, Turn::Due { .. });
        let (next, heard) = match refund.step() {
            Step::Send if may_send => self.send_refund(&refund).await?,
            Step::Send => (self.clock.now(), false),
            Step::Ask => self.ask_refund(&refund, may_send).await?,
            // It became final before it was claimed; a final refund keeps no turn.
            Step::Rest => (self.clock.now(), true),
        };
        timely(async {
            let mut conn = self.pool.acquire().await?;
            refund_turns::release(&mut conn, refund.id, turn, next, heard).await
        })
        .await
    }

    /// Asks the provider to give the money back. The sending is written before it leaves.
    async fn send_refund(&self, refund: &Refund) -> sqlx::Result<Next> {
        let now = self.clock.now();
        if self.stop.is_cancelled() {
            return Ok((now, false));
        }
        if let Err(denied) = self.budgets.take(&refund.merchant, Kind::Refund).await {
            return Ok((self.after(denied), false));
        }
        let written_at = Instant::now();
        let sends = match self.begin_sending(refund, BETWEEN_SIBLINGS).await? {
            Ok(Some(sends)) => sends,
            // It is no longer CREATED: whoever moved it says when to ask.
            Ok(None) => return Ok((now, false)),
            Err(not_before) => return Ok((not_before, false)),
        };
        svc_kit::crash::point("order.refund.before_send");
        if LEAVES_WITHIN < written_at.elapsed() {
            // This process stood still. Whoever asks "did it arrive?" counts from the writing, so it must not leave now.
            self.take_refund_back(refund, sends).await?;
            return Ok((self.clock.now(), false));
        }
        let asked = self.gateway.create_refund(refund, written_at).await;
        svc_kit::crash::point("order.refund.answered");
        let now = self.clock.now();
        let (word, next, outcome) = match asked {
            Asked::Done(accepted) => {
                let word = Word::Accepted { refund_id: accepted.refund_id };
                (word, soon(now, self.refund_asking.after_jittered(1)), "DONE")
            }
            Asked::NotDone(no) => self.refund_refused(refund, sends, &no).await?,
            Asked::Unknown { why, .. } => {
                tracing::warn!(out_refund_no = refund.out_refund_no(), why, "refund unknown");
                // A failure, as the provider counts, whatever became of it.
                self.budgets.refund_failed(&refund.merchant);
                let word = Word::Waits { waiting: Waiting::Answer, code: None };
                (word, soon_jittered(now, lost_again(sends)), "UNKNOWN")
            }
            Asked::NotSent { why, ever } => {
                self.take_refund_back(refund, sends).await?;
                tracing::warn!(out_refund_no = refund.out_refund_no(), why, ever, "refund not sent");
                let (waiting, again) =
                    if ever { (Waiting::Rate, NOT_SENT_AGAIN) } else { (Waiting::Configuration, PERSON_AGAIN) };
                (Word::Waits { waiting, code: None }, soon_jittered(now, again), "NOT_SENT")
            }
        };
        self.measured.refund_sent(outcome);
        self.hear_refund(refund, word, None).await?;
        Ok((next, false))
    }

    /// What a definite no means, and when to look again.
    async fn refund_refused(
        &self,
        refund: &Refund,
        sends: i32,
        no: &NotDone,
    ) -> sqlx::Result<(Word, Timestamp, &'static str)> {
        let (now, kind) = (self.clock.now(), no.kind());
        tracing::warn!(
            out_refund_no = refund.out_refund_no(),
            kind = kind.as_str_name(),
            provider_code = no.provider_code,
            "refund refused"
        );
        self.budgets.refund_failed(&refund.merchant);
        let code = Some(no.provider_code.clone()).filter(|code| !code.is_empty());
        let waits = |waiting, again| (Word::Waits { waiting, code: code.clone() }, soon_jittered(now, again));
        let (word, next) = match kind {
            not_done::Kind::InsufficientBalance => {
                // Nothing was done, and the same number goes through once the account has been topped up.
                self.take_refund_back(refund, sends).await?;
                waits(Waiting::Balance, PERSON_AGAIN)
            }
            not_done::Kind::RateLimited => {
                self.take_refund_back(refund, sends).await?;
                self.budgets.limited(&refund.merchant, Kind::Refund);
                waits(Waiting::Rate, budget::REST)
            }
            not_done::Kind::Configuration => {
                tracing::error!(
                    merchant = refund.merchant,
                    provider_code = no.provider_code,
                    "the provider takes no refunds of ours"
                );
                waits(Waiting::Configuration, PERSON_AGAIN)
            }
            not_done::Kind::Refused => {
                let word = Word::Refused { sends, code: no.provider_code.clone() };
                // When it does not end the refund, a question does, a minute after the sending.
                (word, soon_jittered(now, budget::REST))
            }
            // Nothing that a refund can mean in this release.
            not_done::Kind::AlreadyPaid
            | not_done::Kind::AlreadyClosed
            | not_done::Kind::TooEarly
            | not_done::Kind::LoginCodeInvalid
            | not_done::Kind::PayCodeInvalid
            | not_done::Kind::PayerCannotPay
            | not_done::Kind::TooLate
            | not_done::Kind::Unspecified => waits(Waiting::Answer, LOST_AGAIN),
        };
        Ok((word, next, kind.as_str_name()))
    }

    /// Asks what has become of a refund, and sends it again when nothing of it has arrived.
    async fn ask_refund(&self, refund: &Refund, may_send: bool) -> sqlx::Result<Next> {
        let now = self.clock.now();
        if self.stop.is_cancelled() {
            return Ok((now, false));
        }
        if let Err(denied) = self.budgets.take(&refund.merchant, Kind::Query).await {
            return Ok((self.after(denied), false));
        }
        let asked_at = self.clock.now();
        let asked = self.gateway.query_refund(refund).await;
        let nothing = (soon_jittered(self.clock.now(), LOST_AGAIN), false);
        let told = match asked {
            Asked::Done(told) => told,
            Asked::NotDone(no) => {
                self.measured.refund_asked(no.kind().as_str_name());
                match no.kind() {
                    not_done::Kind::RateLimited => self.budgets.limited(&refund.merchant, Kind::Query),
                    not_done::Kind::Configuration => {
                        tracing::error!(
                            merchant = refund.merchant,
                            provider_code = no.provider_code,
                            "the provider refuses our questions about refunds"
                        );
                        let code = Some(no.provider_code);
                        let word = Word::Waits { waiting: Waiting::Configuration, code };
                        self.hear_refund(refund, word, None).await?;
                    }
                    _ => {}
                }
                return Ok(nothing);
            }
            Asked::Unknown { why, .. } | Asked::NotSent { why, .. } => {
                tracing::debug!(out_refund_no = refund.out_refund_no(), why, "refund asked about without an answer");
                self.measured.refund_asked("UNKNOWN");
                return Ok(nothing);
            }
        };
        self.measured.refund_asked(told.state().as_str_name());
        let by_schedule = self.refund_turn(refund, told.state());
        match told.state() {
            refund_status::State::NotFound => self.missing_refund(refund, asked_at, may_send).await,
            refund_status::State::Other | refund_status::State::Unspecified => {
                tracing::error!(
                    out_refund_no = refund.out_refund_no(),
                    word = told.provider_state,
                    "a word about a refund that this release does not know"
                );
                Ok((by_schedule, true))
            }
            refund_status::State::Processing
            | refund_status::State::Succeeded
            | refund_status::State::Abnormal
            | refund_status::State::Closed => {
                if let Some((word, evidence)) = self.refund_evidence(refund, &told) {
                    self.hear_refund(refund, word, evidence).await?;
                }
                Ok((by_schedule, true))
            }
        }
    }

    /// The provider's word, when it is about what we asked for, and the fact that it is told as.
    pub(super) fn refund_evidence(&self, refund: &Refund, told: &RefundStatus) -> Option<(Word, Option<Evidence>)> {
        let as_asked = told.mch_id == refund.mch_id
            && told.out_refund_no == refund.out_refund_no()
            && told.transaction_id == refund.transaction_id
            && told.amount_fen == refund.amount.get()
            && !told.refund_id.is_empty();
        // The money is back also when nobody says since when; then it is since now, as far as anybody knows.
        let success_time = told.success_time.as_ref().and_then(from_wire).unwrap_or_else(|| self.clock.now());
        let (refund_id, code) = (told.refund_id.clone(), told.provider_state.clone());
        let of = |word, state| (word, Some(events::refund_changed(refund, told, state)));
        let told = match (as_asked, told.state()) {
            (true, refund_status::State::Processing) => Some((Word::Accepted { refund_id }, None)),
            (true, refund_status::State::Succeeded) => {
                Some(of(Word::Succeeded { refund_id, at: success_time }, refund_changed::State::Succeeded))
            }
            (true, refund_status::State::Abnormal) => {
                Some(of(Word::Bounced { refund_id, code }, refund_changed::State::Abnormal))
            }
            (true, refund_status::State::Closed) => {
                Some(of(Word::Closed { refund_id, code }, refund_changed::State::Closed))
            }
            _ => None,
        };
        if told.is_none() {
            self.measured.refund_disputed();
            tracing::error!(
                out_refund_no = refund.out_refund_no(),
                "the provider tells another refund than was asked for; a person must look"
            );
        }
        told
    }

    /// The provider, asked at `asked_at`, knew no such refund. A sending may have arrived while its answer was on its way, so
    /// the time of the answer says nothing.
    async fn missing_refund(&self, refund: &Refund, asked_at: Timestamp, may_send: bool) -> sqlx::Result<Next> {
        let now = self.clock.now();
        match refund.missing(asked_at) {
            Missing::SendAgain if may_send => self.send_refund(refund).await,
            Missing::SendAgain => Ok((now, false)),
            Missing::TooSoon => Ok((soon_jittered(now, budget::REST), false)),
            Missing::Rejected => {
                self.hear_refund(refund, Word::NeverArrived { sends: refund.sends }, None).await?;
                // When it ended, it keeps no turn.
                Ok((soon_jittered(now, budget::REST), false))
            }
            Missing::Contradiction => {
                tracing::error!(
                    out_refund_no = refund.out_refund_no(),
                    state = refund.state.word(),
                    "the provider has accepted this refund, and now knows nothing of it; a person must look"
                );
                self.measured.refund_disputed();
                Ok((soon_jittered(now, PERSON_AGAIN), true))
            }
        }
    }

    fn refund_turn(&self, refund: &Refund, said: refund_status::State) -> Timestamp {
        let asks = u32::try_from(refund.asks).unwrap_or(0).saturating_add(1);
        let bounced = said == refund_status::State::Abnormal || refund.state == State::Abnormal;
        let now = self.clock.now();
        if bounced { soon_jittered(now, BOUNCED_AGAIN) } else { soon(now, self.refund_asking.after_jittered(asks)) }
    }

    /// When a call that the budget denied may come again.
    pub(super) fn after(&self, denied: Denied) -> Timestamp {
        match denied {
            Denied::Resting(rest) => soon_jittered(self.clock.now(), rest),
            Denied::Exhausted => self.clock.now(),
        }
    }
}

/// How soon a refund is asked about whose so many sendings have no answer: soon, but not for ever soon.
fn lost_again(sends: i32) -> Duration {
    let doublings = u32::try_from(sends.saturating_sub(1)).unwrap_or(0).min(MOST_DOUBLINGS);
    (LOST_AGAIN * 2_u32.pow(doublings)).min(LOST_AGAIN_LATEST)
}

#[cfg(test)]
mod tests {
    use super::lost_again;

    #[test]
    fn an_unanswered_refund_is_asked_about_less_and_less_often_but_within_a_minute() {
        let waits = [0, 1, 2, 3, 4, 100].map(|sends| lost_again(sends).as_secs());
        assert_eq!(waits, [10, 10, 20, 40, 60, 60]);
    }
}
