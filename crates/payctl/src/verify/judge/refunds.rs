//! Refunds and what they take from their payments, and what the provider told about them.

use proto::event::{RefundChanged, refund_changed::State};

use super::{Found, Seen, seen::sum};
use crate::verify::{News, PaymentRow, RefundRow, Rule};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    if seen.evidence.refunds.is_none() {
        return;
    }
    for payment in &seen.evidence.payments {
        adds_up(seen, payment, found);
        surplus_goes_back(seen, payment, found);
    }
    for refund in seen.all_refunds() {
        belongs_to_its_payment(seen, refund, found);
        if seen.evidence.applied {
            has_its_fact(seen, refund, found);
        }
    }
    for fact in &seen.evidence.pay {
        if let News::RefundChanged(told) = &fact.news
            && seen.evidence.applied
            && !seen.is_dead_message(fact)
        {
            is_so(seen, &fact.id, told, found);
        }
    }
}

/// What a payment says is on its way back and back is what its refunds say, and never more than it was.
fn adds_up(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let number = payment.out_trade_no();
    let of = |states: &[&str]| {
        let refunds = seen.refunds_of(payment.payment_id).iter();
        sum(refunds.filter(|refund| states.contains(&refund.state.as_str())).map(|refund| refund.amount_fen))
    };
    let (refunded, refunding) = (of(&["SUCCEEDED"]), of(&["CREATED", "PROCESSING", "ABNORMAL"]));
    let amount = payment.amount_fen;
    if i128::from(amount) < refunded + refunding {
        let sentence = format!("{refunded} fen of {number} are back and {refunding} on their way, but it was {amount}");
        found.say(Rule::RefundedTooMuch, &number, sentence);
    }
    let said = (i128::from(payment.refunded_fen), i128::from(payment.refunding_fen));
    if said != (refunded, refunding) {
        let sentence = format!(
            "{number} says that {} fen are back and {} on their way, its refunds say {refunded} and {refunding}",
            said.0, said.1
        );
        found.say(Rule::RefundedTooMuch, &number, sentence);
    }
}

/// Surplus money does not stay.
fn surplus_goes_back(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let refunds = seen.refunds_of(payment.payment_id).iter();
    let goes_back = |refund: &&&RefundRow| !matches!(refund.state.as_str(), "CLOSED" | "REJECTED");
    let back = sum(refunds.filter(goes_back).map(|refund| refund.amount_fen));
    if payment.surplus && !payment.surplus_held && back != i128::from(payment.amount_fen) {
        let (number, amount) = (payment.out_trade_no(), payment.amount_fen);
        let sentence = format!("{number} is a surplus of {amount} fen; {back} fen go back, and nobody holds it");
        found.say(Rule::SurplusUncovered, &number, sentence);
    }
}

/// Only money that came can go back, to where it came from.
fn belongs_to_its_payment(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    let number = refund.out_refund_no();
    let agrees = seen.payments.get(&refund.payment_id).is_some_and(|payment| {
        payment.state == "SUCCEEDED"
            && payment.order_id == refund.order_id
            && payment.merchant == refund.merchant
            && payment.provider == refund.provider
            && payment.mch_id == refund.mch_id
            && payment.transaction_id.as_ref() == Some(&refund.transaction_id)
            && payment.amount_fen == refund.total_fen
            && (payment.surplus || refund.cause != "SURPLUS")
    });
    if !agrees {
        let sentence = format!("refund {number} is of no payment that agrees with it: {refund:?}");
        found.say(Rule::RefundedTooMuch, &number, sentence);
    }
}

/// No SUCCEEDED without the provider's word.
fn has_its_fact(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    if refund.state != "SUCCEEDED" {
        return;
    }
    let (number, known) = (refund.out_refund_no(), refund.provider_refund_id.as_deref().unwrap_or_default());
    let id = format!("refund:{}:{}:{known}:succeeded", refund.provider, refund.mch_id);
    let agrees = seen.pay_facts(&id).iter().any(|fact| match &fact.news {
        News::RefundChanged(told) => agrees(refund, told),
        _ => false,
    });
    if !agrees {
        let sentence = format!("refund {number} is SUCCEEDED, and no fact that agrees with it is on the bus: {id}");
        found.say(Rule::RefundFact, &number, sentence);
    }
}

fn agrees(refund: &RefundRow, told: &RefundChanged) -> bool {
    told.out_refund_no == refund.out_refund_no()
        && told.out_trade_no == refund.payment_id.simple().to_string()
        && told.transaction_id == refund.transaction_id
        && told.amount_fen == refund.amount_fen
        && told.merchant == refund.merchant
        && told.mch_id == refund.mch_id
}

/// What the provider told about a refund became its state. Money that bounced may have gone back since.
fn is_so(seen: &Seen<'_>, id: &str, told: &RefundChanged, found: &mut Found) {
    let Some(refund) = seen.refund_numbered(&told.out_refund_no) else {
        let sentence =
            format!("the bus says {id} about a refund {}, which was never written down here", told.out_refund_no);
        found.say(Rule::RefundFact, id, sentence);
        return;
    };
    let expected: &[&str] = match told.state() {
        State::Succeeded => &["SUCCEEDED"],
        State::Closed => &["CLOSED"],
        State::Abnormal => &["ABNORMAL", "SUCCEEDED", "CLOSED"],
        State::Unspecified => &[],
    };
    if !expected.contains(&refund.state.as_str()) || !agrees(refund, told) {
        let sentence = format!("the bus says {id}, and refund {} is otherwise here: {refund:?}", told.out_refund_no);
        found.say(Rule::RefundFact, id, sentence);
    }
}
