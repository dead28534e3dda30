//! Closing an attempt at the provider: query, close, query. A payment that wins the race pays the order.

use jiff::Timestamp;
use proto::gateway::v1::not_done;

use super::{
    Life,
    ask::{Status, soon_jittered},
    budget::Kind,
    decide::Word,
};
use crate::{domain::payment::Payment, gateway::Asked};

/// How soon an attempt is looked at again that the provider does not close yet.
const TOO_EARLY_AGAIN: std::time::Duration = std::time::Duration::from_secs(30);

/// How far a closing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The attempt is final: closed, paid or failed.
    Ended,
    /// The provider does not close it before then.
    NotYet(Timestamp),
    /// A prepay may be on its way; closing now could close nothing.
    Sending,
    /// No definite answer; try again.
    Again,
}

impl Life {
    /// Tries to end one open attempt.
    pub(super) async fn close(&self, payment: &Payment) -> sqlx::Result<Closing> {
        if self.is_sending(payment).await? {
            return Ok(Closing::Sending);
        }
        // Ask first: closing what is paid is refused, and what is closed needs no closing.
        match self.ask(payment).await? {
            Status::Ended => return Ok(Closing::Ended),
            Status::Paying | Status::Reversing | Status::Nothing => return Ok(Closing::Again),
            Status::Open | Status::NotFound => {}
        }
        let (now, closable_at) = (self.clock.now(), self.closable_at(payment));
        if now < closable_at {
            return Ok(Closing::NotYet(closable_at));
        }
        if self.stop.is_cancelled() {
            return Ok(Closing::Again);
        }
        if self.budgets.take(&payment.merchant, Kind::Close).await.is_err() {
            self.measured.closed("NO_BUDGET");
            return Ok(Closing::Again);
        }
        let asked = self.gateway.close(payment).await;
        svc_kit::crash::point("order.closing.answered");
        match asked {
            Asked::Done(()) => self.measured.closed("DONE"),
            Asked::NotDone(no) => {
                self.measured.closed(no.kind().as_str_name());
                match no.kind() {
                    not_done::Kind::AlreadyPaid | not_done::Kind::AlreadyClosed => {}
                    not_done::Kind::TooEarly => return Ok(Closing::NotYet(soon_jittered(now, TOO_EARLY_AGAIN))),
                    kind => {
                        if kind == not_done::Kind::RateLimited {
                            self.budgets.limited(&payment.merchant, Kind::Close);
                        }
                        tracing::warn!(
                            out_trade_no = payment.id.out_trade_no(),
                            provider_code = no.provider_code,
                            kind = kind.as_str_name(),
                            "the provider does not close"
                        );
                        return Ok(Closing::Again);
                    }
                }
            }
            Asked::Unknown { why, .. } | Asked::NotSent { why, .. } => {
                self.measured.closed("UNKNOWN");
                tracing::debug!(out_trade_no = payment.id.out_trade_no(), why, "closing without an answer");
                return Ok(Closing::Again);
            }
        }
        // A yes proves nothing about the time before it, so ask once more.
        let asked_at = self.clock.now();
        match self.ask(payment).await? {
            Status::Ended => Ok(Closing::Ended),
            // WeChat says yes to numbers that it never saw. That ends the attempt only when no prepay can still arrive.
            Status::NotFound => {
                let word = Word::NeverArrived { sends: payment.sends, closing: true, asked_at };
                let ended = self.decide(payment.order_id, payment.id, word).await?;
                Ok(if ended { Closing::Ended } else { Closing::Again })
            }
            Status::Open | Status::Paying | Status::Reversing | Status::Nothing => Ok(Closing::Again),
        }
    }
}
