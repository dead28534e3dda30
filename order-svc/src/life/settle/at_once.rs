//! Most paid facts are alone with their order: one attempt, one fact, nobody else at work. They need no lock; whether that is so is
//! seen when they are written.

use std::collections::HashMap;

use svc_kit::outbox::Sealed;

use crate::{
    config::PROCESS,
    domain::{
        OrderId, PaymentId, payment,
        settle::{Paid, Settled, settle},
    },
    events,
    store::settling::at_once::{Paying, Seen},
};

/// How a fact is applied.
#[derive(Clone, Debug)]
pub enum Way {
    /// It pays its order, unless that has changed since it was read.
    Pays(Box<Paying>),
    /// Under a lock, because it was applied before, because other facts or attempts matter, or because it is not as it should be.
    Locked,
}

/// Sorts facts by what was read. One way for each; facts that are no evidence, and are missing here, go the last one.
pub fn ways(seen: Vec<Seen>, facts: &[Option<(PaymentId, Paid)>]) -> sqlx::Result<Vec<Way>> {
    let mut seen: HashMap<PaymentId, Seen> = seen.into_iter().map(|seen| (seen.payment.id, seen)).collect();
    let mut facts_of = HashMap::<OrderId, u32>::new();
    for (id, _) in facts.iter().flatten() {
        if let Some(seen) = seen.get(id) {
            *facts_of.entry(seen.order.id).or_default() += 1;
        }
    }
    let sorted = facts.iter().map(|fact| {
        let Some((id, paid)) = fact else { return Ok(Way::Locked) };
        match seen.remove(id) {
            Some(seen) if facts_of.get(&seen.order.id) == Some(&1) => way(seen, paid),
            _ => Ok(Way::Locked),
        }
    });
    sorted.collect()
}

fn way(seen: Seen, paid: &Paid) -> sqlx::Result<Way> {
    let Seen { mut payment, mut order, attempts } = seen;
    let (was, version) = (payment.state.word(), order.version);
    match settle(&mut order, &mut payment, paid) {
        // Other attempts are to be closed soon.
        Ok(Settled::Kept) if attempts == 1 => {
            let payment::State::Succeeded { transaction_id, at, .. } = &payment.state else { return Ok(Way::Locked) };
            let told = Sealed::of(&events::order_paid(&order, &payment, transaction_id, *at), PROCESS)?;
            Ok(Way::Pays(Box::new(Paying {
                payment: payment.id,
                was,
                transaction_id: transaction_id.clone(),
                paid_time: *at,
                order: order.id,
                version,
                told,
            })))
        }
        Ok(Settled::Unchanged | Settled::Kept | Settled::Surplus | Settled::Reversing) | Err(_) => Ok(Way::Locked),
    }
}
