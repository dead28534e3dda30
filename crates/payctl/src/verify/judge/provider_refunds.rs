//! Refunds here and at the provider, where the money really goes back.

use sandbox::control::{Order as LedgerOrder, Refund as LedgerRefund, RefundState};

use super::{Found, Seen, seen::sum};
use crate::verify::{RefundRow, Rule};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    let (Some(ledger), Some(refunds)) = (&seen.evidence.ledger, &seen.evidence.refunds) else { return };
    for order in &ledger.orders {
        never_too_much(order, found);
        for refund in order.refunds.iter().filter(|refund| seen.is_to_be_known(refund)) {
            is_known(seen, order, refund, found);
        }
    }
    for refund in refunds.iter().filter(|refund| refund.state == "SUCCEEDED") {
        believed_without_money(seen, refund, found);
    }
}

/// Refunds are never more than the payment.
fn never_too_much(order: &LedgerOrder, found: &mut Found) {
    let live = order.refunds.iter().filter(|refund| refund.state != RefundState::RefundClose);
    let back = sum(live.map(|refund| refund.amount_fen));
    let paid = order.payment.as_ref().map_or(0, |payment| payment.amount_fen);
    if i128::from(paid) < back {
        let number = &order.out_trade_no;
        let sentence = format!("WeChat gives {back} fen of {number} back, of which {paid} were paid");
        found.say(Rule::RefundWithoutMoney, number, sentence);
    }
}

/// What the provider does about a refund was asked for here, and its end is known here.
fn is_known(seen: &Seen<'_>, order: &LedgerOrder, refund: &LedgerRefund, found: &mut Found) {
    let (number, there) = (&refund.out_refund_no, refund.state);
    let Some(known) = seen.refund_numbered(number) else {
        let sentence =
            format!("WeChat has a refund {number} of {}, which was never written down here", order.out_trade_no);
        found.say(Rule::RefundWithoutMoney, number, sentence);
        return;
    };
    if known.amount_fen != refund.amount_fen || known.payment_id.simple().to_string() != order.out_trade_no {
        let sentence = format!("WeChat has refund {number} with other content: {refund:?}, here it is {known:?}");
        found.say(Rule::RefundWithoutMoney, number, sentence);
    }
    let here = known.state.as_str();
    let is_settled = match there {
        RefundState::Success => here == "SUCCEEDED",
        RefundState::RefundClose => here == "CLOSED",
        RefundState::Change => here == "ABNORMAL",
        // Nobody here may have given it up.
        RefundState::Processing => !matches!(here, "REJECTED" | "CLOSED" | "SUCCEEDED"),
    };
    let is_under_way = matches!(here, "CREATED" | "PROCESSING" | "ABNORMAL");
    let is_excused = is_under_way && (seen.allowed.unsettled || !seen.evidence.applied);
    if !is_settled && !is_excused {
        let sentence = format!("refund {number} is {} at WeChat, but {here} here", there.as_str());
        found.say(Rule::RefundUnlearned, number, sentence);
    }
}

/// No SUCCEEDED without money that went back.
fn believed_without_money(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    let number = refund.out_refund_no();
    let agrees = seen.refund_at_provider(&refund.merchant, &number).is_some_and(|(order, there)| {
        there.state == RefundState::Success
            && there.amount_fen == refund.amount_fen
            && Some(&there.refund_id) == refund.provider_refund_id.as_ref()
            && order.mch_id == refund.mch_id
    });
    if !agrees {
        let sentence = format!("refund {number} is SUCCEEDED, but WeChat has given no such money back: {refund:?}");
        found.say(Rule::RefundWithoutMoney, &number, sentence);
    }
}
