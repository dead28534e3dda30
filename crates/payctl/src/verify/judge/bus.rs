//! The streams by themselves, and what became of the provider's facts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proto::{bus, event::PaymentPaid, time::from_wire};
use svc_kit::inbox;

use super::{Found, Seen};
use crate::verify::{Fact, News, PaymentRow, Rule};

/// Records of applied facts are kept for so long; what is nearly as old may be gone.
const RECORD_MARGIN: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    told_twice(seen, found);
    for fact in seen.evidence.pay.iter().chain(&seen.evidence.order) {
        if let News::Nonsense(why) = &fact.news
            && !seen.is_dead_message(fact)
        {
            let sentence = format!("{} (message {} on {}) is no fact: {why}", fact.id, fact.sequence, fact.subject);
            found.say(Rule::ToldFalsely, &fact.id, sentence);
        }
    }
    if seen.evidence.applied {
        for payment in seen.evidence.payments.iter().filter(|payment| payment.state == "SUCCEEDED") {
            has_its_fact(seen, payment, found);
        }
        for (fact, told) in seen.paid_facts() {
            is_believed(seen, fact, told, found);
        }
    }
    unapplied(seen, found);
    let (dead, expected) = (&seen.evidence.dead, seen.allowed.dead_letters);
    if dead.len() != expected {
        // A person looks at all of them anyway, so a few are enough to know what it is about.
        let letters: Vec<_> = dead.iter().rev().take(10).map(ToString::to_string).collect();
        let sentence = format!("{} dead letters instead of {expected}; the latest: {letters:?}", dead.len());
        found.say(Rule::DeadLetters, "DEAD", sentence);
    }
}

/// One fact, one message within the duplicate window; after it, the same content.
fn told_twice(seen: &Seen<'_>, found: &mut Found) {
    for (stream, facts) in [("PAY", &seen.evidence.pay), ("ORDER", &seen.evidence.order)] {
        let window = bus::stream(stream).map_or(SignedDuration::ZERO, |stream| {
            SignedDuration::try_from(stream.duplicate_window).unwrap_or(SignedDuration::ZERO)
        });
        let mut by_id: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
        for fact in facts.iter().filter(|fact| !matches!(fact.news, News::Nonsense(_))) {
            by_id.entry(&fact.id).or_default().push(fact);
        }
        for (id, same) in by_id.into_iter().filter(|(_, same)| 1 < same.len()) {
            let places: Vec<u64> = same.iter().map(|fact| fact.sequence).collect();
            let soon = same.windows(2).any(|pair| pair[1].published.duration_since(pair[0].published) < window);
            if soon {
                let count = same.len();
                found.say(Rule::ToldTwice, id, format!("{id} is {count} times on the bus: {stream} {places:?}"));
            }
            if same.iter().any(|fact| !same[0].news.says_the_same(&fact.news)) && !seen.is_dead(id) {
                let sentence =
                    format!("{id} is on the bus with two contents, and nobody refused one: {stream} {places:?}");
                found.say(Rule::ToldTwice, id, sentence);
            }
        }
    }
}

/// No SUCCEEDED without the provider's word.
fn has_its_fact(seen: &Seen<'_>, payment: &PaymentRow, found: &mut Found) {
    let (number, known) = (payment.out_trade_no(), payment.transaction_id.as_deref().unwrap_or_default());
    let id = format!("paid:{}:{}:{known}", payment.provider, payment.mch_id);
    let facts = seen.pay_facts(&id);
    let agrees = |fact: &&Fact| match &fact.news {
        News::PaymentPaid(told) => agrees(payment, told),
        _ => false,
    };
    if facts.is_empty() {
        let sentence = format!("{number} is {}, and its fact is not on the bus: {id}", payment.state);
        found.say(Rule::PaidWithoutFact, &number, sentence);
    } else if !facts.iter().any(agrees) {
        let sentence =
            format!("{number} is {}, and its fact says something else: {payment:?}, {facts:?}", payment.state);
        found.say(Rule::PaidWithoutFact, &number, sentence);
    }
}

fn agrees(payment: &PaymentRow, told: &PaymentPaid) -> bool {
    let paid_time: Option<Timestamp> = told.paid_time.as_ref().and_then(from_wire);
    told.out_trade_no == payment.out_trade_no()
        && told.merchant == payment.merchant
        && told.provider == payment.provider
        && told.mch_id == payment.mch_id
        // A payment under a service provider's own app may name any app of the sub-merchant, too.
        && [&told.app_id, &told.service_provider_app_id].contains(&&payment.app_id)
        && Some(&told.transaction_id) == payment.transaction_id.as_ref()
        && told.amount_fen == payment.amount_fen
        && told.currency == "CNY"
        && paid_time == payment.paid_time.0
}

/// A paid fact made its payment SUCCEEDED, unless somebody refused it aloud, or the provider takes that money back: while that
/// goes on it is asked about, and afterwards only the provider's own word tells that the money went.
fn is_believed(seen: &Seen<'_>, fact: &Fact, told: &PaymentPaid, found: &mut Found) {
    if seen.is_dead_message(fact) {
        return;
    }
    let (id, number) = (&fact.id, &told.out_trade_no);
    match seen.numbered(number) {
        None => {
            let sentence = format!("the bus says {id} about {number}, which was never written down here");
            found.say(Rule::FactUnbelieved, id, sentence);
        }
        Some(payment) if payment.is_being_taken_back() => {}
        // It was said while it was so, and went back.
        Some(payment) if payment.was_taken_back() && seen.is_reversed(payment) => {}
        Some(payment) if payment.transaction_id.as_ref() != Some(&told.transaction_id) => {
            let known = payment.transaction_id.as_deref().unwrap_or("no transaction");
            let sentence = format!("the bus says {id} about {number}, which is {} with {known} here", payment.state);
            found.say(Rule::FactUnbelieved, id, sentence);
        }
        Some(_) => {}
    }
}

/// Every consumer has recorded every fact, or refused it aloud. Records are forgotten after a while.
fn unapplied(seen: &Seen<'_>, found: &mut Found) {
    let kept = SignedDuration::try_from(inbox::KEEP).unwrap_or(SignedDuration::ZERO) - RECORD_MARGIN;
    for fact in &seen.evidence.unapplied {
        let is_forgotten = kept < seen.evidence.looked_at.duration_since(fact.published);
        let is_dead = seen.evidence.dead.iter().any(|letter| {
            letter.durable == fact.durable
                && (letter.id == fact.id || (letter.subject == fact.subject && letter.sequence == fact.sequence))
        });
        if !is_forgotten && !is_dead {
            let sentence = format!(
                "{} has not recorded {} as applied (message {} on {})",
                fact.durable, fact.id, fact.sequence, fact.subject
            );
            found.say(Rule::Unapplied, format!("{}:{}", fact.durable, fact.id), sentence);
        }
    }
}
