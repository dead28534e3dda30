//! `pay.v1.payment.paid.*`: up to 256 facts together, acked after their commit.

use std::{iter::zip, sync::Arc};

use futures::future::join_all;
use proto::{
    bus::{ORDER_SVC_PAY, header},
    event::PaymentPaid,
};
use sqlx::Connection as _;
use svc_kit::{
    bus::{Delivery, Failure, Handler, Verdict, Verdicts},
    inbox,
    outbox::{Places, archive},
    postgres::Kept,
};

use crate::{
    config::PROCESS,
    domain::settle::Settled,
    events,
    life::{
        Life,
        settle::{
            self,
            at_once::{Way, ways},
            settle_all,
        },
    },
    store::settling::at_once::{self, Paying, Written},
};

/// Facts that can be applied at once go two ways when there are this many of them, so that the database works on both.
const TWO_WAYS: usize = 64;

/// Applies paid facts.
#[derive(Clone, Debug)]
pub struct PaidFacts {
    life: Life,
    connections: Arc<Kept>,
}

/// A fact that can be read, with its place in the batch.
struct Fact<'b> {
    place: usize,
    delivery: &'b Delivery,
    paid: PaymentPaid,
}

/// What is written by one statement: facts that were applied before, and those that pay their orders.
#[derive(Default)]
struct Share<'f, 'b> {
    facts: Vec<(&'f Fact<'b>, Settled)>,
    paying: Vec<Paying>,
}

impl PaidFacts {
    /// Applies them to the orders of `life`.
    pub fn new(life: Life) -> Self {
        Self { connections: Arc::new(Kept::of(life.lists.clone())), life }
    }

    /// Applies what needs no lock. Gives what became of it, by its place, and the facts that are left, in their order.
    async fn apply_at_once<'f, 'b>(
        &self,
        facts: &'f [Fact<'b>],
    ) -> sqlx::Result<(Vec<(usize, settle::Verdict)>, Vec<&'f Fact<'b>>)> {
        let evidence: Vec<_> = facts.iter().map(|fact| events::evidence(&fact.paid).ok()).collect();
        let ids: Vec<_> = evidence.iter().flatten().map(|(id, _)| id.0).collect();
        let mut connection = self.connections.take().await?;
        let seen = at_once::see(&mut connection, &ids).await?;
        connection.keep();

        let (mut shares, mut left) = ([Share::default(), Share::default()], Vec::new());
        let two_ways = TWO_WAYS <= facts.len();
        for (fact, way) in zip(facts, ways(seen, &evidence)?) {
            // All shares are written before the next batch is read, so that the facts of an order are applied in their order.
            let share = &mut shares[usize::from(two_ways && fact.place % 2 == 1)];
            match way {
                Way::Pays(paying) => {
                    share.facts.push((fact, Settled::Kept));
                    share.paying.push(*paying);
                }
                Way::Known => share.facts.push((fact, Settled::Unchanged)),
                Way::Locked => left.push(fact),
            }
        }
        let mut verdicts = Vec::with_capacity(facts.len());
        let written = join_all(shares.iter().map(|share| self.write(share))).await;
        for (share, written) in zip(&shares, written) {
            // When one fails the others are applied, and come again as facts that are known.
            if written? {
                verdicts.extend(share.facts.iter().map(|(fact, did)| (fact.place, settle::Verdict::Settled(*did))));
            } else {
                left.extend(share.facts.iter().map(|(fact, _)| *fact));
            }
        }
        left.sort_unstable_by_key(|fact| fact.place);
        Ok((verdicts, left))
    }

    /// Writes a share. False when something has changed since it was read: then nothing is written.
    async fn write(&self, share: &Share<'_, '_>) -> sqlx::Result<bool> {
        if share.facts.is_empty() {
            return Ok(true);
        }
        let applied: Vec<&str> = share.facts.iter().map(|(fact, _)| fact.delivery.id.as_str()).collect();
        let heard = told_by_others(share.facts.iter().map(|(fact, _)| *fact));
        let mut connection = self.connections.take().await?;
        let places = self.life.relay.places(share.paying.len());
        let hold = Places::seconds(places.as_ref());
        about_to_commit();
        let written = at_once::write(&mut connection, &share.paying, ORDER_SVC_PAY, &applied, &heard, hold).await?;
        connection.keep();
        let Written::All(rows) = written else { return Ok(false) };
        committed();
        match places {
            Some(places) => places.leave(share.paying.iter().map(|paying| &paying.told), rows),
            None => self.life.relay.wake(),
        }
        for (fact, did) in &share.facts {
            settle::tell(&fact.paid, &settle::Verdict::Settled(*did), &self.life.measured);
        }
        Ok(true)
    }

    /// Applies facts to orders that are locked meanwhile, in one transaction.
    async fn apply_locked(&self, facts: &[&Fact<'_>]) -> sqlx::Result<Vec<(usize, settle::Verdict)>> {
        self.life.measured.locked(facts.len());
        let mut connection = self.connections.take().await?;
        let mut tx = connection.begin().await?;
        let paid = facts.iter().map(|fact| &fact.paid);
        let verdicts = settle_all(&mut tx, paid, self.life.clock.now(), false).await?;
        // Only what was applied counts as applied: a dead letter that could not be written must come again.
        let applied: Vec<&str> = zip(facts, &verdicts)
            .filter(|(_, verdict)| matches!(verdict, settle::Verdict::Settled(_)))
            .map(|(fact, _)| fact.delivery.id.as_str())
            .collect();
        inbox::record(&mut tx, ORDER_SVC_PAY, &applied).await?;
        archive::keep(&mut tx, &told_by_others(facts.iter().copied())).await?;
        about_to_commit();
        tx.commit().await?;
        connection.keep();
        committed();
        self.life.relay.wake();
        for (fact, verdict) in zip(facts, &verdicts) {
            settle::tell(&fact.paid, verdict, &self.life.measured);
        }
        Ok(zip(facts, verdicts).map(|(fact, verdict)| (fact.place, verdict)).collect())
    }
}

impl Handler for PaidFacts {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let mut verdicts = vec![Verdict::Applied; batch.len()];
        let mut facts = Vec::with_capacity(batch.len());
        for (place, delivery) in batch.iter().enumerate() {
            match delivery.decode::<PaymentPaid>() {
                Ok(paid) => facts.push(Fact { place, delivery, paid }),
                // It never will be readable; the others must not wait for it.
                Err(error) => verdicts[place] = Verdict::Dead(error.to_string()),
            }
        }
        let (mut settled, left) = self.apply_at_once(&facts).await?;
        if !left.is_empty() {
            settled.extend(self.apply_locked(&left).await?);
        }
        for (place, verdict) in settled {
            if let settle::Verdict::Dead(dead) = verdict {
                verdicts[place] = Verdict::Dead(dead.to_string());
            }
        }
        Ok(Verdicts::Each(verdicts))
    }
}

/// Both ways pass here.
fn about_to_commit() {
    svc_kit::crash::point("order.paid.before_commit");
}

/// And here.
fn committed() {
    svc_kit::crash::point("order.paid.committed");
}

/// What we told ourselves the relay keeps. What names no attempt of ours is kept too: reconciliation must know of it.
fn told_by_others<'f, 'b: 'f>(facts: impl Iterator<Item = &'f Fact<'b>>) -> Vec<&'b Delivery> {
    facts
        .map(|fact| fact.delivery)
        .filter(|delivery| delivery.header(header::SOURCE).is_some_and(|source| source != PROCESS))
        .collect()
}
