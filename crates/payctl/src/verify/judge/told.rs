//! What became of orders and payments was told, with the right content, and nothing else was.

use super::{Found, Seen, orders::is_paid};
use crate::verify::{News, OrderRow, PaymentRow, Rule};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    for order in &seen.evidence.orders {
        created(seen, order, found);
        paid(seen, order, found);
        closed(seen, order, found);
    }
    for payment in &seen.evidence.payments {
        payment_created(seen, payment, found);
        surplus(seen, payment, found);
    }
    for fact in &seen.evidence.order {
        if matches!(fact.news, News::RepairAnswered(_)) {
            continue; // Of a repair, and no order.
        }
        let is_about_us = fact.news.order().is_some_and(|order| seen.orders.contains_key(&order));
        if !is_about_us && !matches!(fact.news, News::Nonsense(_)) && !seen.is_dead_message(fact) {
            let sentence = format!("the bus says {} about an order that is not here", fact.id);
            found.say(Rule::ToldFalsely, &fact.id, sentence);
        }
    }
}

fn created(seen: &Seen<'_>, order: &OrderRow, found: &mut Found) {
    let id = order.order_id;
    match seen.order_fact(&format!("created:{id}")) {
        None => found.say(Rule::Untold, id, format!("nobody was told that order {id} was created")),
        Some(News::OrderCreated(told)) if told.merchant == order.merchant && told.amount_fen == order.amount_fen => {}
        Some(told) => {
            found.say(Rule::ToldFalsely, id, format!("order {id} was told as created with other content: {told:?}"));
        }
    }
}

fn paid(seen: &Seen<'_>, order: &OrderRow, found: &mut Found) {
    let (id, state) = (order.order_id, &order.state);
    match (is_paid(state), seen.order_fact(&format!("paid:{id}"))) {
        (true, None) => found.say(Rule::Untold, id, format!("order {id} is {state}, and nobody was told")),
        (false, Some(_)) => {
            found.say(Rule::ToldFalsely, id, format!("order {id} was told as paid, and is {state}"));
        }
        (true, Some(told)) => {
            let payment = order.paid_payment_id.and_then(|id| seen.payments.get(&id));
            let agrees = match (told, payment) {
                (News::OrderPaid(told), Some(payment)) => {
                    told.out_trade_no == payment.out_trade_no()
                        && Some(&told.transaction_id) == payment.transaction_id.as_ref()
                        && told.amount_fen == payment.amount_fen
                        && told.merchant == order.merchant
                }
                _ => false,
            };
            if !agrees {
                let sentence = format!("order {id} was told as paid with other content: {told:?}");
                found.say(Rule::ToldFalsely, id, sentence);
            }
        }
        (false, None) => {}
    }
}

fn closed(seen: &Seen<'_>, order: &OrderRow, found: &mut Found) {
    let (id, state) = (order.order_id, &order.state);
    match (state == "CLOSED", seen.order_fact(&format!("closed:{id}"))) {
        (true, None) => found.say(Rule::Untold, id, format!("order {id} is CLOSED, and nobody was told")),
        (false, Some(_)) => {
            found.say(Rule::ToldFalsely, id, format!("order {id} was told as closed, and is {state}"));
        }
        (true, Some(News::OrderClosed(told))) if told.amount_fen == order.amount_fen => {}
        (true, Some(told)) => {
            found.say(Rule::ToldFalsely, id, format!("order {id} was told as closed with other content: {told:?}"));
        }
        (false, None) => {}
    }
}

fn payment_created(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let number = payment.out_trade_no();
    match seen.order_fact(&format!("payment-created:{}", payment.payment_id)) {
        None => found.say(Rule::Untold, &number, format!("nobody was told that {number} was written")),
        Some(News::PaymentCreated(told))
            if told.out_trade_no == number
                && told.amount_fen == payment.amount_fen
                && told.mch_id == payment.mch_id => {}
        Some(told) => {
            let sentence = format!("{number} was told as written with other content: {told:?}");
            found.say(Rule::ToldFalsely, &number, sentence);
        }
    }
}

fn surplus(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let number = payment.out_trade_no();
    match (payment.surplus, seen.order_fact(&format!("surplus:{}", payment.payment_id))) {
        (true, None) => found.say(Rule::Untold, &number, format!("{number} is a surplus, and nobody was told")),
        (false, Some(_)) => {
            found.say(Rule::ToldFalsely, &number, format!("{number} was told as a surplus, and is none"));
        }
        (true, Some(News::PaymentSurplus(told)))
            if told.amount_fen == payment.amount_fen
                && Some(&told.transaction_id) == payment.transaction_id.as_ref() => {}
        (true, Some(told)) => {
            let sentence = format!("{number} was told as a surplus with other content: {told:?}");
            found.say(Rule::ToldFalsely, &number, sentence);
        }
        (false, None) => {}
    }
}
