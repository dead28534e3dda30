//! Changes of state: only legal ones, none left out, and the last one is where things are.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Found, Seen};
use crate::verify::{ChangeRow, Rule};

/// What may follow what; a change that is not here is illegal. An order has a row for each version, also when its state stays.
const LEGAL: [(&str, &str, &[&str]); 11] = [
    ("order", "PENDING", &["PENDING", "PAID", "CLOSED"]),
    ("order", "PAID", &["PAID", "PARTIALLY_REFUNDED", "REFUNDED"]),
    ("order", "PARTIALLY_REFUNDED", &["PARTIALLY_REFUNDED", "REFUNDED"]),
    ("order", "REFUNDED", &["REFUNDED"]),
    ("order", "CLOSED", &["CLOSED"]),
    ("payment", "CREATED", &["PENDING", "SUCCEEDED", "CLOSED", "FAILED"]),
    ("payment", "PENDING", &["SUCCEEDED", "CLOSED", "FAILED"]),
    // The payer can win every race, and that money is real.
    ("payment", "CLOSED", &["SUCCEEDED"]),
    ("payment", "FAILED", &["SUCCEEDED"]),
    ("refund", "CREATED", &["PROCESSING", "SUCCEEDED", "ABNORMAL", "CLOSED", "REJECTED"]),
    ("refund", "PROCESSING", &["SUCCEEDED", "ABNORMAL", "CLOSED"]),
];

/// Money that bounced, and a person sent it again or gave it up.
const LEGAL_LATER: (&str, &str, &[&str]) = ("refund", "ABNORMAL", &["SUCCEEDED", "CLOSED"]);

/// How each begins.
const FIRST: [(&str, &str); 3] = [("order", "PENDING"), ("payment", "CREATED"), ("refund", "CREATED")];

fn is_legal(entity: &str, from: Option<&str>, to: &str) -> bool {
    match from {
        None => FIRST.contains(&(entity, to)),
        Some(from) => LEGAL
            .iter()
            .chain([&LEGAL_LATER])
            .any(|(of, before, after)| (*of, *before) == (entity, from) && after.contains(&to)),
    }
}

/// One thing with a state.
struct Subject<'a> {
    entity: &'static str,
    id: Uuid,
    order: Uuid,
    state: &'a str,
    version: Option<i64>,
}

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    let Some(journal) = &seen.evidence.journal else { return };
    let mut chains: BTreeMap<(&str, Uuid), Vec<&ChangeRow>> = BTreeMap::new();
    for change in &journal.changes {
        chains.entry((change.entity.as_str(), change.id)).or_default().push(change);
    }
    let orders = seen.evidence.orders.iter().map(|order| Subject {
        entity: "order",
        id: order.order_id,
        order: order.order_id,
        state: &order.state,
        version: Some(order.version),
    });
    let payments = seen.evidence.payments.iter().map(|payment| Subject {
        entity: "payment",
        id: payment.payment_id,
        order: payment.order_id,
        state: &payment.state,
        version: None,
    });
    let refunds = seen.all_refunds().map(|refund| Subject {
        entity: "refund",
        id: refund.refund_id,
        order: refund.order_id,
        state: &refund.state,
        version: None,
    });
    for subject in orders.chain(payments).chain(refunds) {
        let chain = chains.remove(&(subject.entity, subject.id)).unwrap_or_default();
        let created = seen.orders.get(&subject.order).and_then(|order| order.create_time.0);
        // What is older than the journal began without it.
        let is_whole = created.zip(journal.begun).is_none_or(|(created, begun)| begun <= created);
        walk(&subject, &chain, is_whole, found);
    }
    for ((entity, id), chain) in chains {
        let sentence = format!("the journal has {} changes of {entity} {id}, which is not here", chain.len());
        found.say(Rule::Transition, id, sentence);
    }
}

fn walk(subject: &Subject<'_>, chain: &[&ChangeRow], is_whole: bool, found: &mut Found) {
    let (entity, id) = (subject.entity, subject.id);
    let Some(last) = chain.last() else {
        if is_whole {
            found.say(Rule::Transition, id, format!("the journal knows nothing of {entity} {id}"));
        }
        return;
    };
    // What is older than the journal stands in it as it was when the journal began.
    let (mut before, rest) = if is_whole { (None, chain) } else { (Some(chain[0].to_state.as_str()), &chain[1..]) };
    for change in rest {
        let (from, to, place) = (change.from_state.as_deref(), change.to_state.as_str(), change.seq);
        let said = from.unwrap_or("nothing");
        if from != before {
            let really = before.unwrap_or("nothing");
            let sentence = format!("{entity} {id} went from {said} to {to} (change {place}), but it was {really}");
            found.say(Rule::Transition, id, sentence);
        }
        if !is_legal(entity, from, to) {
            let sentence = format!("{entity} {id} went from {said} to {to} (change {place}), which is illegal");
            found.say(Rule::Transition, id, sentence);
        }
        before = Some(to);
    }
    if last.to_state != subject.state {
        let sentence = format!("{entity} {id} is {}, but its last change made it {}", subject.state, last.to_state);
        found.say(Rule::Transition, id, sentence);
    }
    if let Some(version) = subject.version {
        versions(id, version, chain, is_whole, found);
    }
}

/// Versions count 1, 2, 3, …
fn versions(order: Uuid, version: i64, chain: &[&ChangeRow], is_whole: bool, found: &mut Found) {
    let mut expected = if is_whole { 1 } else { chain[0].version.unwrap_or(1) };
    for change in chain {
        if change.version != Some(expected) {
            let (there, place) = (change.version, change.seq);
            let sentence = format!("order {order} has version {there:?} where {expected} was due (change {place})");
            found.say(Rule::Sequence, order, sentence);
            return;
        }
        expected += 1;
    }
    if expected - 1 != version {
        let sentence = format!("order {order} has version {version}, but its last change was version {}", expected - 1);
        found.say(Rule::Sequence, order, sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::is_legal;

    #[test]
    fn what_was_paid_is_never_unpaid_and_what_ended_never_begins_again() {
        let states = |entity: &str| match entity {
            "order" => vec!["PENDING", "PAID", "PARTIALLY_REFUNDED", "REFUNDED", "CLOSED"],
            "payment" => vec!["CREATED", "PENDING", "SUCCEEDED", "CLOSED", "FAILED"],
            _ => vec!["CREATED", "PROCESSING", "SUCCEEDED", "ABNORMAL", "CLOSED", "REJECTED"],
        };
        let legal = ["order", "payment", "refund"].map(|entity| {
            let states = states(entity);
            let pairs = states.iter().flat_map(|from| states.iter().map(move |to| (*from, *to)));
            pairs.filter(|(from, to)| from != to && is_legal(entity, Some(from), to)).collect::<Vec<_>>()
        });
        assert_eq!(legal.each_ref().map(Vec::len), [5, 9, 10]);
        for (entity, legal) in ["order", "payment", "refund"].into_iter().zip(&legal) {
            let beginning = states(entity)[0];
            assert!(legal.iter().all(|(from, to)| *to != beginning && !["SUCCEEDED", "REFUNDED"].contains(from)));
        }
    }
}
