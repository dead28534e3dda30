//! Asking the provider about one attempt that this process holds.

use jiff::{SignedDuration, Timestamp};
use proto::gateway::v1::{PaymentStatus, not_done, payment_status};
use svc_kit::schedule::jittered;
use tokio_util::sync::CancellationToken;

use super::{Life, close::Closing, decide::Word, settle};
use crate::{
    domain::{
        order::Order,
        payment::{self, Payment},
    },
    events,
    gateway::Asked,
    store::{asking, orders, payments},
};

/// How soon an unfinished closing is tried again.
const CLOSE_AGAIN: std::time::Duration = std::time::Duration::from_secs(15);
/// How soon an attempt is attended to again whose prepay may be on its way.
const SENDING_AGAIN: std::time::Duration = std::time::Duration::from_secs(3);
/// Right after a lost prepay "unknown number" means "not yet", for at least this long.
const NOT_FOUND_IS_FINAL: SignedDuration = SignedDuration::from_secs(60);

/// What the provider says about an attempt, as far as it matters here.
#[derive(Debug)]
pub(super) enum Status {
    /// Recorded; nothing is left to ask.
    Ended,
    /// It can still be paid.
    Open,
    /// The payer is just paying.
    Paying,
    /// It knows no such number.
    NotFound,
    /// Nothing was learned.
    Nothing,
}

impl Life {
    /// Attends to one claimed attempt: asks, and closes it when its order is over. Gives the claim back with the next turn.
    ///
    /// # Errors
    /// The database's; the claim then ends by itself.
    pub async fn attend(&self, payment: Payment, stop: &CancellationToken) -> sqlx::Result<()> {
        let order = {
            let mut conn = self.pool.acquire().await?;
            orders::find(&mut conn, payment.order_id).await?
        };
        let Some(order) = order else { return Ok(()) }; // A payment refers to its order; the database sees to it.
        let now = self.clock.now();
        let next = if settle::is_over(&order) || order.to_close(now).is_some() {
            match self.close(&payment, stop).await? {
                Closing::Ended => now, // The attempt is final and keeps no turn.
                Closing::NotYet(at) => at,
                Closing::Sending => soon(now, SENDING_AGAIN),
                Closing::Again => soon(now, CLOSE_AGAIN),
            }
        } else {
            let status = self.ask(&payment).await?;
            self.next_turn(&order, &payment, &status)
        };
        let mut conn = self.pool.acquire().await?;
        asking::release(&mut conn, payment.id, next).await
    }

    /// Asks once and records what is definite.
    pub(super) async fn ask(&self, payment: &Payment) -> sqlx::Result<Status> {
        let asked = self.gateway.query(payment).await;
        let (status, outcome) = match asked {
            Asked::Done(status) => {
                let word = status.state();
                (self.heard(payment, &status).await?, word.as_str_name())
            }
            Asked::NotDone(no) => {
                if no.kind() == not_done::Kind::Configuration {
                    tracing::error!(
                        merchant = payment.merchant,
                        provider_code = no.provider_code,
                        "the provider refuses our questions"
                    );
                }
                (Status::Nothing, no.kind().as_str_name())
            }
            Asked::Unknown { why } => {
                tracing::debug!(out_trade_no = payment.id.out_trade_no(), why, "asked without an answer");
                (Status::Nothing, "UNKNOWN")
            }
            Asked::NotSent { why } => {
                tracing::debug!(out_trade_no = payment.id.out_trade_no(), why, "not asked");
                (Status::Nothing, "NOT_SENT")
            }
        };
        self.measured.asked(outcome);
        Ok(status)
    }

    async fn heard(&self, payment: &Payment, status: &PaymentStatus) -> sqlx::Result<Status> {
        let decide = |word| self.decide(payment.order_id, payment.id, word);
        Ok(match status.state() {
            payment_status::State::Paid => {
                let Some(paid) = &status.paid else { return Ok(Status::Nothing) };
                self.found_paid(events::payment_paid(payment, paid)).await?;
                Status::Ended
            }
            payment_status::State::NotPaid => {
                decide(Word::Accepted).await?;
                Status::Open
            }
            payment_status::State::Paying => {
                decide(Word::Accepted).await?;
                Status::Paying
            }
            payment_status::State::Closed => {
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
    fn next_turn(&self, order: &Order, payment: &Payment, status: &Status) -> Timestamp {
        let now = self.clock.now();
        let asks = u32::try_from(payment.asks).unwrap_or(0).saturating_add(1);
        let by_schedule = soon(now, self.asking.after_jittered(asks));
        match status {
            Status::Ended => now,
            Status::Open | Status::Paying | Status::NotFound | Status::Nothing => {
                by_schedule.min(order.expire_time.max(self.closable_at(payment)))
            }
        }
    }

    /// When the provider will first agree to close an attempt.
    pub(super) fn closable_at(&self, payment: &Payment) -> Timestamp {
        soon(payment.create_time, self.close_min_age)
    }

    /// Whether "unknown number" is the provider's last word about an attempt.
    pub(super) fn not_found_is_final(&self, payment: &Payment) -> bool {
        NOT_FOUND_IS_FINAL <= self.clock.now().duration_since(payment.create_time)
    }

    /// Whether a prepay of an attempt may be on its way.
    pub(super) async fn is_sending(&self, payment: &Payment) -> sqlx::Result<bool> {
        match payment.state {
            payment::State::Created | payment::State::Pending => {
                let mut conn = self.pool.acquire().await?;
                payments::is_sending(&mut conn, payment.id).await
            }
            payment::State::Succeeded { .. } | payment::State::Closed | payment::State::Failed => Ok(false),
        }
    }
}

/// `wait` from `at`, a little more at random for anything that repeats.
pub(super) fn soon(at: Timestamp, wait: std::time::Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// `wait` from `at` with jitter.
pub(super) fn soon_jittered(at: Timestamp, wait: std::time::Duration) -> Timestamp {
    soon(at, jittered(wait))
}
