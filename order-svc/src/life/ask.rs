//! Asking the provider about one attempt that this process holds.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto::gateway::v1::{PaymentStatus, not_done, payment_status};
use svc_kit::schedule::jittered;

use super::{Life, budget::Kind, close::Closing, decide::Word, settle};
use crate::{
    domain::payment::Payment,
    gateway::Asked,
    store::{
        asking::{self, Claim},
        orders, payments, timely,
    },
};

/// How soon an unfinished closing is tried again.
const CLOSE_AGAIN: Duration = Duration::from_secs(15);
/// How soon an attempt is attended to again whose prepay may be on its way.
const SENDING_AGAIN: Duration = Duration::from_secs(3);
/// How soon to ask again when nothing was learned: an outage must not push the schedule to its end.
const NOTHING_AGAIN: Duration = Duration::from_secs(20);

/// WeChat's word for a payment of which something was given back. Source: WeChat Pay v2 reference, orderquery, `trade_state`.
pub(super) const REFUNDED: &str = "REFUND";

/// Nothing was learned; why, in a few words.
#[derive(Debug)]
pub(super) struct Silence(pub(super) String);

/// What the provider says about an attempt, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Recorded; nothing is left to ask.
    Ended,
    /// It can still be paid.
    Open,
    /// The payer is just paying.
    Paying,
    /// It was paid, but is being taken back, which a reversal that is on its way does.
    Reversing,
    /// It knows no such number.
    NotFound,
    /// Nothing was learned.
    Nothing,
}

impl Life {
    /// Attends to one claimed attempt: asks, and closes it when nobody shall pay it any more. Gives the claim back with the
    /// next turn.
    ///
    /// # Errors
    /// The database's; the claim then ends by itself.
    pub async fn attend(&self, claim: Claim) -> sqlx::Result<()> {
        let Claim { payment, turn } = claim;
        let order = timely(async {
            let mut conn = self.pool.acquire().await?;
            orders::find(&mut conn, payment.order_id).await
        });
        let Some(order) = order.await? else { return Ok(()) }; // A payment refers to its order; the database sees to it.
        if payment.method.is_charge() {
            let (next, heard) = self.attend_charge(&payment, &order).await?;
            return timely(async {
                let mut conn = self.pool.acquire().await?;
                asking::release(&mut conn, payment.id, turn, next, heard).await
            })
            .await;
        }
        let now = self.clock.now();
        let superseded = payment.superseded && self.closable_at(&payment) <= now;
        let (next, heard) = if superseded || settle::is_over(&order) || order.to_close(now).is_some() {
            match self.close(&payment).await? {
                Closing::Ended => (now, true), // The attempt is final and keeps no turn.
                Closing::NotYet(at) => (at, false),
                Closing::Sending => (soon(now, SENDING_AGAIN), false),
                Closing::Again => (soon_jittered(now, CLOSE_AGAIN), false),
            }
        } else {
            let asked_at = self.clock.now();
            let status = self.ask(&payment).await?;
            if status == Status::NotFound {
                // A prepay that never arrived is known to have failed, once it is too late for it to arrive.
                let word = Word::NeverArrived { sends: payment.sends, closing: false, asked_at };
                self.decide(payment.order_id, payment.id, word).await?;
            }
            (self.next_turn(&payment, status), status != Status::Nothing)
        };
        timely(async {
            let mut conn = self.pool.acquire().await?;
            asking::release(&mut conn, payment.id, turn, next, heard).await
        })
        .await
    }

    /// Asks once and records what is definite.
    pub(super) async fn ask(&self, payment: &Payment) -> sqlx::Result<Status> {
        match self.question(payment).await {
            Ok(status) => self.heard(payment, &status).await,
            Err(Silence(_)) => Ok(Status::Nothing),
        }
    }

    /// Asks once, as far as the budget allows. A process that stops asks nobody.
    pub(super) async fn question(&self, payment: &Payment) -> Result<PaymentStatus, Silence> {
        if self.stop.is_cancelled() {
            return Err(Silence("this process stops".to_owned()));
        }
        if self.budgets.take(&payment.merchant, Kind::Query).await.is_err() {
            self.measured.asked("NO_BUDGET");
            return Err(Silence("too many questions wait already".to_owned()));
        }
        let asked = self.gateway.query(payment).await;
        let (silence, outcome) = match asked {
            Asked::Done(status) => {
                self.measured.asked(status.state().as_str_name());
                return Ok(status);
            }
            Asked::NotDone(no) => {
                match no.kind() {
                    not_done::Kind::Configuration => tracing::error!(
                        merchant = payment.merchant,
                        provider_code = no.provider_code,
                        "the provider refuses our questions"
                    ),
                    not_done::Kind::RateLimited => self.budgets.limited(&payment.merchant, Kind::Query),
                    _ => {}
                }
                (format!("the provider refuses the question: {}", no.provider_code), no.kind().as_str_name())
            }
            Asked::Unknown { why, .. } => {
                tracing::debug!(out_trade_no = payment.id.out_trade_no(), why, "asked without an answer");
                (why, "UNKNOWN")
            }
            Asked::NotSent { why, .. } => {
                tracing::warn!(out_trade_no = payment.id.out_trade_no(), why, "not asked");
                (why, "NOT_SENT")
            }
        };
        self.measured.asked(outcome);
        Err(Silence(silence))
    }

    pub(super) async fn heard(&self, payment: &Payment, status: &PaymentStatus) -> sqlx::Result<Status> {
        let decide = |word| self.decide(payment.order_id, payment.id, word);
        Ok(match status.state() {
            payment_status::State::Paid => {
                let Some(paid) = &status.paid else { return Ok(Status::Nothing) };
                // Money that somebody else gave back is none that could be kept, whenever the provider was asked.
                let is_refunded = status.provider_state == REFUNDED;
                let asked_too_late = payment.is_too_late_to_reverse() && !is_refunded;
                if self.found_paid(payment, paid, asked_too_late).await?
                    || (is_refunded && self.found_refunded(payment).await?)
                {
                    Status::Ended
                } else {
                    Status::Reversing
                }
            }
            payment_status::State::NotPaid => {
                decide(Word::Accepted).await?;
                Status::Open
            }
            payment_status::State::Paying => {
                decide(Word::Accepted).await?;
                Status::Paying
            }
            payment_status::State::Closed | payment_status::State::Reversed => {
                decide(Word::Closed).await?;
                Status::Ended
            }
            payment_status::State::Failed => {
                decide(Word::Failed).await?;
                Status::Ended
            }
            payment_status::State::NotFound => Status::NotFound,
            payment_status::State::Other | payment_status::State::Unspecified => Status::Nothing,
        })
    }

    /// By the schedule, but never later than the moment when the attempt is to be closed.
    fn next_turn(&self, payment: &Payment, status: Status) -> Timestamp {
        let now = self.clock.now();
        let asks = u32::try_from(payment.asks).unwrap_or(0).saturating_add(1);
        let by_schedule = soon(now, self.asking.after_jittered(asks));
        let by_schedule = match status {
            Status::Nothing => by_schedule.min(soon_jittered(now, NOTHING_AGAIN)),
            Status::Ended | Status::Open | Status::Paying | Status::Reversing | Status::NotFound => by_schedule,
        };
        let closable_at = self.closable_at(payment);
        by_schedule.min(if payment.superseded { closable_at } else { payment.expire_time.max(closable_at) })
    }

    /// When the provider will first agree to close an attempt.
    pub(super) fn closable_at(&self, payment: &Payment) -> Timestamp {
        soon(payment.create_time, self.close_min_age)
    }

    /// Whether a prepay of an attempt may be on its way.
    pub(super) async fn is_sending(&self, payment: &Payment) -> sqlx::Result<bool> {
        timely(async {
            let mut conn = self.pool.acquire().await?;
            payments::is_sending(&mut conn, payment.id).await
        })
        .await
    }
}

/// `wait` from `at`.
pub(crate) fn soon(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// `wait` from `at` and a little more at random, so that what failed together does not come again together.
pub(super) fn soon_jittered(at: Timestamp, wait: Duration) -> Timestamp {
    soon(at, jittered(wait))
}
