//! `pay.v1.payment.paid.*`: up to 256 facts together, acked after their commit.

use std::{iter::zip, sync::Arc};

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

/// What becomes of a fact that is applied at once.
const KEPT: settle::Verdict = settle::Verdict::Settled(Settled::Kept);

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

/// What is written by one statement: facts that pay their orders.
#[derive(Default)]
struct Share<'f, 'b> {
    facts: Vec<&'f Fact<'b>>,
    paying: Vec<Paying>,
}

impl PaidFacts {
    /// Applies them to the orders of `life`.
    pub fn new(life: Life) -> Self {
        Self { connections: Arc::new(Kept::of(life.lists.clone())), life }
    }

    /// Applies what needs no lock, and no order among facts. Gives the places of those that are left.
    async fn apply_at_once(&self, facts: &[Fact<'_>]) -> sqlx::Result<Vec<usize>> {
        let evidence: Vec<_> = facts.iter().map(|fact| events::evidence(&fact.paid).ok()).collect();
        let ids: Vec<_> = evidence.iter().flatten().map(|(id, _)| id.0).collect();
        let mut connection = self.connections.take().await?;
        let seen = at_once::see(&mut connection, &ids).await?;
        connection.keep();

        let (mut share, mut left) = (Share::default(), Vec::new());
        for (fact, way) in zip(facts, ways(seen, &evidence)?) {
            match way {
                Way::Pays(paying) => {
                    share.facts.push(fact);
                    share.paying.push(*paying);
                }
                Way::Locked => left.push(fact.place),
            }
        }
        if !self.write(&share).await? {
            left.extend(share.facts.iter().map(|fact| fact.place));
        }
        Ok(left)
    }

    /// Writes a share. False when something has changed since it was read: then nothing is written.
    async fn write(&self, share: &Share<'_, '_>) -> sqlx::Result<bool> {
        if share.facts.is_empty() {
            return Ok(true);
        }
        let applied: Vec<&str> = share.facts.iter().map(|fact| fact.delivery.id.as_str()).collect();
        let heard = told_by_others(share.facts.iter().copied());
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
        for fact in &share.facts {
            settle::tell(&fact.paid, &KEPT, &self.life.measured);
        }
        Ok(true)
    }

    /// Applies facts to orders that are locked meanwhile, in one transaction.
    async fn apply_locked(&self, facts: &[Fact<'_>]) -> sqlx::Result<Vec<settle::Verdict>> {
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
        archive::keep(&mut tx, &told_by_others(facts.iter())).await?;
        about_to_commit();
        tx.commit().await?;
        connection.keep();
        committed();
        self.life.relay.wake();
        for (fact, verdict) in zip(facts, &verdicts) {
            settle::tell(&fact.paid, verdict, &self.life.measured);
        }
        Ok(verdicts)
    }
}

impl Handler for PaidFacts {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let (facts, mut verdicts) = read(batch);
        for place in self.apply_at_once(&facts).await? {
            verdicts[place] = Verdict::InTurn;
        }
        Ok(Verdicts::Each(verdicts))
    }

    async fn handle_in_turn(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let (facts, mut verdicts) = read(batch);
        for (fact, verdict) in zip(&facts, self.apply_locked(&facts).await?) {
            if let settle::Verdict::Dead(dead) = verdict {
                verdicts[fact.place] = Verdict::Dead(dead.to_string());
            }
        }
        Ok(Verdicts::Each(verdicts))
    }
}

/// The facts of a batch, and what it says of every message when they are all applied.
fn read(batch: &[Delivery]) -> (Vec<Fact<'_>>, Vec<Verdict>) {
    let mut verdicts = vec![Verdict::Applied; batch.len()];
    let mut facts = Vec::with_capacity(batch.len());
    for (place, delivery) in batch.iter().enumerate() {
        match delivery.decode::<PaymentPaid>() {
            Ok(paid) => facts.push(Fact { place, delivery, paid }),
            // It never will be readable; the others must not wait for it.
            Err(error) => verdicts[place] = Verdict::Dead(error.to_string()),
        }
    }
    (facts, verdicts)
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
