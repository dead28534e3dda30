//! What is still on its way. A quiet system finishes it by itself; what stays is stuck.

use sandbox::control::CallbackState;

use super::{Found, Seen};
use crate::verify::{Rule, Waiting};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    callbacks(seen, found);
    for waiting in &seen.evidence.waiting {
        match waiting {
            Waiting::Outbox { service, event_id } => {
                found.say(Rule::Outbox, event_id, format!("{event_id} waits in the outbox of {service}"));
            }
            Waiting::Backlog { durable, pending, unacked, acked_up_to } => {
                // Without counts, which grow under load: a durable that works moves its place.
                let what = match (*pending, *unacked) {
                    (_, 1..) => "messages that it has not acked",
                    _ => "messages that it has not fetched",
                };
                let sentence = format!("{durable} has {what}, after message {acked_up_to}");
                found.say(Rule::Backlog, durable, sentence);
            }
            Waiting::NoDurable { durable } => {
                found.say(Rule::Backlog, durable, format!("there is no durable {durable}"));
            }
        }
    }
    if !seen.allowed.unknown {
        unknown(seen, found);
    }
}

/// An attempt that failed comes again much later; that is not under way.
fn callbacks(seen: &Seen<'_>, found: &mut Found) {
    let Some(ledger) = &seen.evidence.ledger else { return };
    for callback in &ledger.callbacks {
        let is_due = callback.next_attempt_at.is_some_and(|next| next <= ledger.clock.now);
        let is_under_way = match callback.state {
            CallbackState::Sending => true,
            CallbackState::Waiting => is_due,
            CallbackState::Delivered | CallbackState::GivenUp => false,
        };
        if is_under_way {
            let number = &callback.out_trade_no;
            found.say(Rule::CallbackUnderWay, number, format!("a callback of {number} is under way"));
        }
    }
}

/// Sent, and nobody knows what the provider did with it.
fn unknown(seen: &Seen<'_>, found: &mut Found) {
    for payment in &seen.evidence.payments {
        if payment.state == "CREATED" && 0 < payment.sends && !payment.disputed {
            let number = payment.out_trade_no();
            found.say(Rule::Unknown, &number, format!("nobody knows whether WeChat has accepted {number}"));
        }
        if payment.state == "PENDING" && payment.reversing && !payment.disputed {
            let number = payment.out_trade_no();
            found.say(
                Rule::Unknown,
                &number,
                format!("{number} is being taken back, and WeChat has told no end of it"),
            );
        }
    }
    for refund in seen.all_refunds() {
        // Other words for waiting say that the provider has refused it for now, which is an answer.
        let waits_for_an_answer = refund.waiting.as_deref().is_none_or(|waiting| waiting == "ANSWER");
        if refund.state == "CREATED" && 0 < refund.sends && waits_for_an_answer {
            let number = refund.out_refund_no();
            found.say(Rule::Unknown, &number, format!("nobody knows whether WeChat has accepted refund {number}"));
        }
    }
}
