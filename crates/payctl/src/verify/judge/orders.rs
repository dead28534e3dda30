//! Orders and their payments, as order-svc's database has them.

use super::{Found, Seen};
use crate::verify::{OrderRow, PaymentRow, Rule};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    for order in &seen.evidence.orders {
        kept_payment(seen, order, found);
        for payment in seen.payments_of(order.order_id) {
            open_attempt(order, payment, found);
        }
    }
    for payment in &seen.evidence.payments {
        if !seen.orders.contains_key(&payment.order_id) {
            let number = payment.out_trade_no();
            found.say(Rule::OpenAttempt, &number, format!("{number} has no order"));
        }
    }
    for (payment, count) in &seen.evidence.requests.shared {
        let number = payment.simple();
        found.say(Rule::OneAnswer, number, format!("{number} was written by {count} request ids"));
    }
    for (app, id) in &seen.evidence.requests.answered_twice {
        found.say(Rule::OneAnswer, id, format!("request {id} of {app} has an answer and a refusal"));
    }
}

/// Whether an order's state says that it was paid, whatever went back later.
pub(super) fn is_paid(state: &str) -> bool {
    matches!(state, "PAID" | "PARTIALLY_REFUNDED" | "REFUNDED")
}

fn kept_payment(seen: &Seen<'_>, order: &OrderRow, found: &mut Found) {
    let (id, state) = (order.order_id, order.state.as_str());
    let kept: Vec<_> = seen.payments_of(id).iter().filter(|payment| payment.is_kept()).collect();
    match (is_paid(state), kept.as_slice()) {
        (true, [kept]) => {
            if order.paid_payment_id != Some(kept.payment_id) || kept.amount_fen != order.amount_fen {
                let sentence =
                    format!("order {id} is {state}, but not by the payment that it keeps ({})", kept.out_trade_no());
                found.say(Rule::KeptPayment, id, sentence);
            }
            if seen.evidence.refunds.is_some() {
                refund_state(order, kept, found);
            }
        }
        (false, []) => {}
        (_, kept) => {
            let numbers: Vec<_> = kept.iter().map(|payment| payment.out_trade_no()).collect();
            let sentence = format!("order {id} is {state} and keeps {} payments {numbers:?}", kept.len());
            found.say(Rule::KeptPayment, id, sentence);
        }
    }
}

fn refund_state(order: &OrderRow, kept: &PaymentRow, found: &mut Found) {
    let expected = match kept.refunded_fen {
        0 => "PAID",
        refunded if refunded == kept.amount_fen => "REFUNDED",
        _ => "PARTIALLY_REFUNDED",
    };
    if order.state != expected {
        let (id, state, refunded, amount) = (order.order_id, &order.state, kept.refunded_fen, kept.amount_fen);
        let sentence =
            format!("order {id} is {state}, but {refunded} of its {amount} fen are back, so it is {expected}");
        found.say(Rule::RefundState, id, sentence);
    }
}

fn open_attempt(order: &OrderRow, payment: &PaymentRow, found: &mut Found) {
    let open = matches!(payment.state.as_str(), "CREATED" | "PENDING") && !payment.disputed;
    if order.state == "CLOSED" && open {
        let (id, number) = (order.order_id, payment.out_trade_no());
        let sentence = format!("order {id} is CLOSED, but its attempt {number} is {}", payment.state);
        found.say(Rule::OpenAttempt, &number, sentence);
    }
}
