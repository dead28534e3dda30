//! Attending to one charge (pay code, face): nobody calls back, so it is asked about every few seconds, and taken back when the
//! payer has not finished in time or its order is over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto::gateway::v1::PaymentStatus;

use super::{
    Life,
    ask::{Status, soon, soon_jittered},
    decide::{NOT_YET, Word},
    settle,
};
use crate::{
    domain::{order::Order, payment::Payment},
    store::{interval, payments, timely},
};

/// How soon a charge is asked about of which nothing is known.
const UNKNOWN_AGAIN: Duration = Duration::from_secs(5);

/// When an attempt is to be looked at next, and whether something was heard.
pub(super) type Next = (Timestamp, bool);

impl Life {
    /// Asks about a charge, and takes it back when nobody shall finish it any more.
    pub(super) async fn attend_charge(&self, payment: &Payment, order: &Order) -> sqlx::Result<Next> {
        // Before the question: what is sent while its answer is on its way may arrive.
        let quiet = self.is_charge_quiet(payment).await?;
        let status = self.ask(payment).await?;
        let now = self.clock.now();
        match status {
            Status::Ended => Ok((now, true)), // It is final and keeps no turn.
            Status::NotFound => {
                if quiet {
                    let word = Word::NeverCharged { reverses: payment.reverses() };
                    self.decide(payment.order_id, payment.id, word).await?;
                }
                // A reversal of a number that the provider does not know does nothing, so there is only to wait.
                Ok((soon_jittered(now, UNKNOWN_AGAIN), true))
            }
            Status::Open | Status::Paying | Status::Reversing | Status::Nothing => {
                let heard = status != Status::Nothing;
                if self.is_to_be_reversed(payment, order, now) {
                    return self.reverse(payment, heard).await;
                }
                let again = if heard { self.pay_code_ask } else { UNKNOWN_AGAIN };
                Ok((soon_jittered(now, again).min(self.pay_code_deadline(payment)), heard))
            }
        }
    }

    /// Whether the payer's time is over, or that of the order.
    fn is_to_be_reversed(&self, payment: &Payment, order: &Order, now: Timestamp) -> bool {
        payment.reversing.is_some()
            || self.pay_code_deadline(payment) <= now
            || settle::is_over(order)
            || order.to_close(now).is_some()
    }

    /// What the payer has not finished by then is taken back.
    fn pay_code_deadline(&self, payment: &Payment) -> Timestamp {
        soon(payment.create_time, self.pay_code_time).min(payment.expire_time)
    }

    /// Records what the provider has answered to a charge.
    ///
    /// # Errors
    /// The database's.
    pub async fn heard_of_charge(&self, payment: &Payment, status: &PaymentStatus) -> sqlx::Result<()> {
        self.heard(payment, status).await.map(|_: Status| ())
    }

    /// When a charge that was just written is first asked about, should nobody hear its answer.
    pub fn first_ask_of_charge(&self, now: Timestamp) -> Timestamp {
        soon_jittered(now, UNKNOWN_AGAIN)
    }

    /// When a charge is asked about whose payer is entering a password.
    pub fn next_ask_of_charge(&self, now: Timestamp) -> Timestamp {
        soon_jittered(now, self.pay_code_ask)
    }

    async fn is_charge_quiet(&self, payment: &Payment) -> sqlx::Result<bool> {
        timely(async {
            let mut conn = self.pool.acquire().await?;
            let (id, reverses) = (payment.id, payment.reverses());
            payments::is_charge_quiet(&mut conn, id, reverses, self.ahead(), interval(NOT_YET)).await
        })
        .await
    }

    /// How far the clock of development is ahead of the machine's; nothing, elsewhere.
    pub(crate) fn ahead(&self) -> sqlx::postgres::types::PgInterval {
        interval(SignedDuration::from_millis(self.clock.offset_ms()))
    }
}
