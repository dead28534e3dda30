//! Payments here and at the provider, which really has the money.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::event::PaymentPaid;
use sandbox::control::{
    AnswerClass, Callback, CallbackKind, Order as LedgerOrder, Payment as LedgerPayment, RefundState,
};

use super::{
    Found, Seen,
    seen::{is_reversed, sum},
};
use crate::verify::{PaymentRow, Rule};

/// The fault that signs another content rightly: whoever takes it was deceived by the key, not by us.
const REWRITTEN: &str = "rewrite";

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    let Some(ledger) = &seen.evidence.ledger else { return };
    for payment in &seen.evidence.payments {
        believed_without_money(seen, payment, found);
        still_payable(seen, payment, found);
    }
    for (fact, told) in seen.paid_facts() {
        if !seen.is_dead(&fact.id) && !agrees_with_fact(seen, told) {
            let sentence = format!("the bus says {}, which WeChat does not know: {told:?}", fact.id);
            found.say(Rule::FactBelied, &fact.id, sentence);
        }
    }
    for callback in &ledger.callbacks {
        answered(seen, callback, found);
    }
    if seen.evidence.applied {
        for order in &ledger.orders {
            if let Some(paid) = &order.payment {
                money_missing(seen, order, paid, found);
            }
        }
        conserved(seen, &ledger.orders, found);
    }
}

/// No SUCCEEDED without money that agrees in every field, and that the provider has not taken back.
fn believed_without_money(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let number = payment.out_trade_no();
    if payment.state != "SUCCEEDED" {
        return;
    }
    let Some((order, paid)) = seen.paid(&payment.merchant, &number) else {
        let sentence = format!("{number} is SUCCEEDED, but WeChat has no payment of it");
        found.say(Rule::PaidWithoutMoney, &number, sentence);
        return;
    };
    if is_reversed(order) {
        let sentence = format!("{number} is SUCCEEDED, but WeChat has taken its money back");
        found.say(Rule::PaidWithoutMoney, &number, sentence);
        return;
    }
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    let fields = [
        ("transaction_id", payment.transaction_id.clone().unwrap_or_default(), paid.transaction_id.clone()),
        ("amount_fen", payment.amount_fen.to_string(), paid.amount_fen.to_string()),
        ("app_id", payment.app_id.clone(), paid.app_id.clone()),
        ("mch_id", payment.mch_id.clone(), order.mch_id.clone()),
        ("paid_time", time(payment.paid_time.0), time(Some(paid.paid_at))),
        ("currency", "CNY".to_owned(), paid.fee_type.clone()),
    ];
    let differing: Vec<String> = fields
        .into_iter()
        .filter(|(_, here, there)| here != there)
        .map(|(name, here, there)| format!("{name} is {here} here and {there} at WeChat"))
        .collect();
    if !differing.is_empty() {
        let sentence = format!("{number} is SUCCEEDED with other content than WeChat's: {}", differing.join(", "));
        found.say(Rule::PaidWithoutMoney, &number, sentence);
    }
}

/// What is closed here cannot be paid there.
fn still_payable(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let number = payment.out_trade_no();
    let at_provider = seen.at_provider(&payment.merchant, &number);
    if payment.state == "CLOSED"
        && at_provider.is_some_and(|order| matches!(order.trade_state.as_str(), "NOTPAY" | "USERPAYING"))
    {
        let sentence = format!("{number} is CLOSED here, but WeChat would still take money for it");
        found.say(Rule::OpenAttempt, &number, sentence);
    }
}

/// No money without a SUCCEEDED payment, unless it is not what was asked for, or went back.
fn money_missing(seen: &Seen<'_>, order: &LedgerOrder, paid: &LedgerPayment, found: &mut Found) {
    let number = &order.out_trade_no;
    let Some(payment) = seen.numbered(number) else {
        let sentence = format!("WeChat has a payment of {number}, which was never written down here");
        found.say(Rule::MoneyUnlearned, number, sentence);
        return;
    };
    // What was taken back went to the payer, so nobody here has it; that is judged where somebody believes to.
    if seen.allowed.unsettled || is_reversed(order) {
        return;
    }
    if is_as_asked(payment, paid) {
        if payment.state != "SUCCEEDED" {
            let (transaction, state) = (&paid.transaction_id, &payment.state);
            let sentence = format!("{number} was paid at WeChat ({transaction}), but is {state} here");
            found.say(Rule::MoneyUnlearned, number, sentence);
        }
    } else if !is_refused(seen, payment, order, paid) {
        let sentence =
            format!("{number} was paid with other content than asked for, and there is no dead letter of it");
        found.say(Rule::MoneyUnlearned, number, sentence);
    }
}

fn is_as_asked(payment: &PaymentRow, paid: &LedgerPayment) -> bool {
    paid.amount_fen == payment.amount_fen && paid.app_id == payment.app_id && paid.fee_type == "CNY"
}

fn is_refused(seen: &Seen<'_>, payment: &PaymentRow, order: &LedgerOrder, paid: &LedgerPayment) -> bool {
    seen.is_dead(&format!("paid:{}:{}:{}", payment.provider, order.mch_id, paid.transaction_id))
}

fn agrees_with_fact(seen: &Seen<'_>, told: &PaymentPaid) -> bool {
    seen.paid(&told.merchant, &told.out_trade_no).is_some_and(|(order, paid)| {
        told.transaction_id == paid.transaction_id
            && told.amount_fen == paid.amount_fen
            && told.currency == paid.fee_type
            && told.app_id == paid.app_id
            && told.mch_id == order.mch_id
    })
}

/// Success was answered to genuine attempts only, and what was answered with success is on the bus.
fn answered(seen: &Seen<'_>, callback: &Callback, found: &mut Found) {
    let number = &callback.out_trade_no;
    for attempt in callback.attempts.iter().filter(|attempt| attempt.answer == AnswerClass::Accepted) {
        let fault = attempt.fault.as_deref().unwrap_or("none");
        // What tells of a refund is no evidence for anything, so success may be answered to a false one, too.
        let is_evidence = callback.kind == CallbackKind::Payment;
        if is_evidence && !attempt.genuine && fault != REWRITTEN {
            let sentence = format!("a callback of {number} was believed that is not WeChat's (fault: {fault})");
            found.say(Rule::ForgeryBelieved, number, sentence);
        }
        if let Some(fact) = fact_of(seen, callback)
            && attempt.genuine
            && !seen.is_told(&fact)
        {
            let sentence = format!("a callback of {number} was answered with success, and {fact} is not on the bus");
            found.say(Rule::SuccessUnpublished, &fact, sentence);
        }
    }
}

/// The fact that a callback tells; of a hint, which ends in a digest of what was said, all before that. Providers of the sandbox are all WeChat v2.
fn fact_of(seen: &Seen<'_>, callback: &Callback) -> Option<String> {
    let order = seen.at_provider(&callback.merchant, &callback.out_trade_no)?;
    let mch_id = &order.mch_id;
    Some(match &callback.kind {
        CallbackKind::Payment => format!("paid:wechat-v2:{mch_id}:{}", callback.transaction_id),
        CallbackKind::Refund { out_refund_no, state } => {
            let (_, refund) = seen.refund_at_provider(&callback.merchant, out_refund_no)?;
            format!("refund-noticed:wechat-v2:{mch_id}:{out_refund_no}:{}:{}", refund.refund_id, state.as_str())
        }
    })
}

/// Payments minus refunds are the same sum here and there, whatever single payments say. What is excused one by one, because
/// somebody refused it aloud or because it may be unsettled, does not count there.
fn conserved(seen: &Seen<'_>, orders: &[LedgerOrder], found: &mut Found) {
    let (mut here, mut there): (BTreeMap<&str, i128>, BTreeMap<&str, i128>) = (BTreeMap::new(), BTreeMap::new());
    for payment in seen.evidence.payments.iter().filter(|payment| payment.state == "SUCCEEDED") {
        *here.entry(&payment.merchant).or_default() += i128::from(payment.amount_fen);
    }
    for refund in seen.all_refunds().filter(|refund| refund.state == "SUCCEEDED") {
        *here.entry(&refund.merchant).or_default() -= i128::from(refund.amount_fen);
    }
    for order in orders {
        let Some(paid) = &order.payment else { continue };
        let payment = seen.numbered(&order.out_trade_no);
        let is_excused = payment.is_none_or(|payment| {
            payment.state != "SUCCEEDED"
                && (seen.allowed.unsettled || (!is_as_asked(payment, paid) && is_refused(seen, payment, order, paid)))
        });
        let refunds = order.refunds.iter().filter(|refund| seen.is_to_be_known(refund));
        let refunds = refunds.filter(|refund| refund.state == RefundState::Success);
        let refunds = refunds.filter(|refund| {
            let known = seen.refund_numbered(&refund.out_refund_no);
            !seen.allowed.unsettled || known.is_some_and(|refund| refund.state == "SUCCEEDED")
        });
        let money = if is_excused || is_reversed(order) { 0 } else { i128::from(paid.amount_fen) };
        *there.entry(&order.merchant).or_default() += money - sum(refunds.map(|refund| refund.amount_fen));
    }
    let merchants: BTreeSet<&str> = here.keys().chain(there.keys()).copied().collect();
    for merchant in merchants {
        let sum = |sums: &BTreeMap<&str, i128>| sums.get(merchant).copied().unwrap_or_default();
        let (here, there) = (sum(&here), sum(&there));
        if here != there {
            let sentence = format!(
                "payments minus refunds of {merchant} are {here} fen here and {there} fen at WeChat: {} fen apart",
                (here - there).abs()
            );
            found.say(Rule::Conservation, merchant, sentence);
        }
    }
}
