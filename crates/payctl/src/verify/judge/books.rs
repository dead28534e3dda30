//! The books of reconcile-svc hold what order-svc accepted and what the provider told, no more and no less.

use std::collections::BTreeSet;

use proto::bus::RECONCILE_SVC_PAY;

use super::{Found, Seen};
use crate::verify::{Rule, Taken, Told};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    let Some(books) = &seen.evidence.books else { return };
    if seen.evidence.applied {
        let succeeded: BTreeSet<Taken> = seen
            .evidence
            .payments
            .iter()
            .filter_map(|payment| {
                Some(Taken {
                    out_trade_no: payment.out_trade_no(),
                    transaction_id: payment.transaction_id.clone()?,
                    amount_fen: payment.amount_fen,
                    kept_as: if payment.surplus { "SURPLUS" } else { "PAID" }.to_owned(),
                })
            })
            .collect();
        let taken: BTreeSet<Taken> = books.taken.iter().cloned().collect();
        for entry in taken.difference(&succeeded) {
            let sentence = format!("the books hold as taken what order-svc did not take: {entry:?}");
            found.say(Rule::BooksDiffer, &entry.out_trade_no, sentence);
        }
        for entry in succeeded.difference(&taken) {
            let sentence = format!("the books do not hold as taken what order-svc took: {entry:?}");
            found.say(Rule::BooksDiffer, &entry.out_trade_no, sentence);
        }
    }
    let refused: BTreeSet<&str> = seen
        .evidence
        .dead
        .iter()
        .filter(|letter| letter.durable == RECONCILE_SVC_PAY)
        .map(|letter| letter.id.as_str())
        .collect();
    let facts = seen.paid_facts().filter(|(fact, _)| !refused.contains(fact.id.as_str()));
    let facts: BTreeSet<Told> = facts
        .map(|(_, paid)| Told {
            transaction_id: paid.transaction_id.clone(),
            out_trade_no: paid.out_trade_no.clone(),
            amount_fen: paid.amount_fen,
        })
        .collect();
    let told: BTreeSet<Told> = books.told.iter().cloned().collect();
    for entry in told.difference(&facts) {
        let sentence = format!("the books hold as told what the bus does not say: {entry:?}");
        found.say(Rule::BooksDiffer, &entry.out_trade_no, sentence);
    }
    for entry in facts.difference(&told) {
        let sentence = format!("the books do not hold as told what the bus says: {entry:?}");
        found.say(Rule::BooksDiffer, &entry.out_trade_no, sentence);
    }
}
