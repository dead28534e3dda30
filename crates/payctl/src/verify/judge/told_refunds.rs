//! What became of refunds was told, with the right content, and nothing else was.

use proto::event::{OrderRefunded, RefundAccepted, RefundFailed};
use uuid::Uuid;

use super::{Found, Seen};
use crate::verify::{News, RefundRow, Rule};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    for refund in seen.all_refunds() {
        created(seen, refund, found);
        accepted(seen, refund, found);
        refunded(seen, refund, found);
        failed(seen, refund, found);
    }
    if seen.evidence.refunds.is_none() {
        return;
    }
    for fact in &seen.evidence.order {
        let name = match &fact.news {
            News::OrderRefunded(told) => &told.refund,
            News::RefundCreated(told) => &told.refund,
            News::RefundAccepted(told) => &told.refund,
            News::RefundFailed(told) => &told.refund,
            _ => continue,
        };
        let refund = name.rsplit('/').next().and_then(|id| seen.refunds.get(&Uuid::try_parse(id).ok()?));
        let is_so = refund.is_some_and(|refund| match &fact.news {
            News::OrderRefunded(_) => refund.state == "SUCCEEDED",
            News::RefundFailed(told) => has_failed_so(seen, refund, told),
            News::RefundAccepted(told) => was_accepted_so(refund, told),
            _ => true,
        });
        if !is_so {
            let here = refund.map_or("not here", |refund| refund.state.as_str());
            let sentence = format!("the bus says {} about a refund that is {here}", fact.id);
            found.say(Rule::ToldFalsely, &fact.id, sentence);
        }
    }
}

fn created(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    let number = refund.out_refund_no();
    match seen.order_fact(&format!("refund-created:{}", refund.refund_id)) {
        None => found.say(Rule::Untold, &number, format!("nobody was told that refund {number} was written")),
        Some(News::RefundCreated(told))
            if told.out_refund_no == number
                && told.amount_fen == refund.amount_fen
                && told.merchant == refund.merchant
                && told.mch_id == refund.mch_id
                && told.cause == refund.cause => {}
        Some(told) => {
            let sentence = format!("refund {number} was told as written with other content: {told:?}");
            found.say(Rule::ToldFalsely, &number, sentence);
        }
    }
}

/// Who counts by days must hear on which the provider took it; of what was made in its console, too.
fn accepted(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    if matches!(refund.state.as_str(), "CREATED" | "REJECTED") {
        return;
    }
    let number = refund.out_refund_no();
    match seen.order_fact(&format!("refund-accepted:{}", refund.refund_id)) {
        None => found.say(Rule::Untold, &number, format!("refund {number} was accepted, and nobody was told")),
        Some(News::RefundAccepted(told)) if was_accepted_so(refund, told) => {}
        Some(told) => {
            let sentence = format!("refund {number} was told as accepted with other content: {told:?}");
            found.say(Rule::ToldFalsely, &number, sentence);
        }
    }
}

/// Whatever became of it later, the provider had taken it.
fn was_accepted_so(refund: &RefundRow, told: &RefundAccepted) -> bool {
    told.out_refund_no == refund.out_refund_no()
        && told.amount_fen == refund.amount_fen
        && told.merchant == refund.merchant
        && told.mch_id == refund.mch_id
        && told.transaction_id == refund.transaction_id
        && told.cause == refund.cause
        && Some(&told.refund_id) == refund.provider_refund_id.as_ref()
        && !matches!(refund.state.as_str(), "CREATED" | "REJECTED")
}

fn refunded(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    if refund.state != "SUCCEEDED" {
        return;
    }
    let number = refund.out_refund_no();
    match seen.order_fact(&format!("refunded:{}:{}", refund.order_id, refund.refund_id)) {
        None => found.say(Rule::Untold, &number, format!("refund {number} is SUCCEEDED, and nobody was told")),
        Some(News::OrderRefunded(told)) if agrees(seen, refund, told) => {}
        Some(told) => {
            let sentence = format!("refund {number} was told as SUCCEEDED with other content: {told:?}");
            found.say(Rule::ToldFalsely, &number, sentence);
        }
    }
}

/// What was back of the kept payment after this refund lies between itself and what is back now.
fn agrees(seen: &Seen<'_>, refund: &RefundRow, told: &OrderRefunded) -> bool {
    let kept = seen.kept_by(refund.order_id);
    let back = kept.map_or(0, |payment| payment.refunded_fen);
    let is_kept = kept.is_some_and(|payment| payment.payment_id == refund.payment_id);
    let at_least = if is_kept { refund.amount_fen } else { 0 };
    told.out_refund_no == refund.out_refund_no()
        && told.amount_fen == refund.amount_fen
        && told.merchant == refund.merchant
        && told.cause == refund.cause
        && Some(&told.refund_id) == refund.provider_refund_id.as_ref()
        && (at_least..=back).contains(&told.refunded_fen)
}

fn failed(seen: &Seen<'_>, refund: &RefundRow, found: &mut Found) {
    let number = refund.out_refund_no();
    let ended = Some(refund.state.as_str()).filter(|state| matches!(*state, "REJECTED" | "CLOSED"));
    let bounced = seen.has_bounced(refund).then_some("ABNORMAL");
    for state in ended.into_iter().chain(bounced) {
        match seen.order_fact(&format!("refund-failed:{}:{state}", refund.refund_id)) {
            None => {
                found.say(Rule::Untold, &number, format!("refund {number} was {state}, and nobody was told"));
            }
            Some(News::RefundFailed(told))
                if told.amount_fen == refund.amount_fen && told.merchant == refund.merchant => {}
            Some(told) => {
                let sentence = format!("refund {number} was told as {state} with other content: {told:?}");
                found.say(Rule::ToldFalsely, &number, sentence);
            }
        }
    }
}

/// Money that bounced may have gone back since, or been given up.
fn has_failed_so(seen: &Seen<'_>, refund: &RefundRow, told: &RefundFailed) -> bool {
    match told.state.as_str() {
        "ABNORMAL" => match seen.evidence.journal {
            Some(_) => seen.has_bounced(refund),
            None => matches!(refund.state.as_str(), "ABNORMAL" | "SUCCEEDED" | "CLOSED"),
        },
        state => refund.state == state,
    }
}
