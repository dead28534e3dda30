//! Writes the orders that wait, together: one transaction, and one flush of the disk, for all calls that came meanwhile.

use std::collections::HashSet;

use sqlx::{Connection as _, PgConnection};
use svc_kit::{
    outbox::{self, Places, Waker},
    postgres::Kept,
};
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use super::{
    RPC, about_to_commit, commit, committed,
    queue::{Draft, Outcome, Queue, Waiting},
    told,
};
use crate::{
    api::refuse,
    domain::OrderId,
    life::Life,
    store::{
        creating::{self, Answered, New},
        timely,
    },
};

/// Most orders in one transaction. Larger batches gain nothing, and more of them fail when one does.
const MAX_BATCH: usize = 64;

/// Writes what waits in the [`Queue`] that came with it.
#[derive(Debug)]
pub struct Together {
    waiting: Mutex<mpsc::Receiver<Waiting>>,
    connections: Kept,
    relay: Waker,
}

impl Together {
    /// A queue that holds `length` orders, and what empties it.
    pub fn new(life: &Life, length: usize) -> (Queue, Self) {
        let (queue, waiting) = Queue::of(length);
        (
            queue,
            Self { waiting: Mutex::new(waiting), connections: Kept::of(life.lists.clone()), relay: life.relay.clone() },
        )
    }

    /// Writes until every clone of the queue is gone and everything that was queued has its answer. A lone call is written at
    /// once; what arrives while two batches are being committed goes with the next one.
    ///
    /// # Errors
    /// None: the result is what [`svc_kit::process::Tasks::spawn`] wants. Whoever waits learns what the database said.
    pub async fn run(self) -> anyhow::Result<()> {
        tokio::join!(self.empty(), self.empty());
        Ok(())
    }

    async fn empty(&self) {
        loop {
            let mut waiting = Vec::with_capacity(MAX_BATCH);
            let taken = self.waiting.lock().await.recv_many(&mut waiting, MAX_BATCH).await;
            if taken == 0 {
                return;
            }
            self.write(waiting).await;
        }
    }

    async fn write(&self, waiting: Vec<Waiting>) {
        let (first, again) = apart(waiting);
        let drafts: Vec<&Draft> = first.iter().map(|one| &*one.draft).collect();
        let written = match timely(self.create(&drafts)).await {
            Ok(created) => Ok(created),
            Err(error) if is_about_one(&error) => Ok(HashSet::new()),
            Err(error) => Err(refuse::database(&error)),
        };
        for Waiting { draft, answer } in first {
            // Whoever went away finds the order under the same request id.
            let _ = answer.send(match &written {
                Ok(created) if created.contains(&draft.order.id) => Outcome::Created,
                Ok(_) => Outcome::Alone,
                Err(status) => Outcome::Failed(status.clone()),
            });
        }
        for Waiting { answer, .. } in again {
            let _ = answer.send(Outcome::Alone);
        }
    }

    /// Writes drafts and gives the ids of the orders that it committed. The others share their request id or their `order_no` with
    /// what is there already, and left nothing.
    async fn create(&self, drafts: &[&Draft]) -> sqlx::Result<HashSet<OrderId>> {
        if drafts.is_empty() {
            return Ok(HashSet::new());
        }
        let mut connection = self.connections.take().await?;
        let new: Vec<_> = drafts.iter().copied().map(new).collect();
        let places = self.relay.places(new.len());
        about_to_commit();
        if let Some(rows) = creating::all(&mut connection, RPC, &new, Places::seconds(places.as_ref())).await? {
            committed();
            connection.keep();
            match places {
                Some(places) => places.leave(drafts.iter().map(|draft| &draft.event), rows),
                None => self.relay.wake(),
            }
            for draft in drafts {
                draft.span.in_scope(|| told(&draft.order));
            }
            return Ok(drafts.iter().map(|draft| draft.order.id).collect());
        }
        let created = self.create_new(&mut connection, drafts).await?;
        connection.keep();
        Ok(created)
    }

    /// Writes those of the drafts that share nothing with what is there, in one transaction.
    async fn create_new(&self, connection: &mut PgConnection, drafts: &[&Draft]) -> sqlx::Result<HashSet<OrderId>> {
        let mut tx = connection.begin().await?;
        let mut requests: Vec<_> = drafts.iter().map(|draft| answered(draft)).collect();
        requests.sort_unstable_by_key(|request| (request.app, request.request_id));
        let taken = creating::take(&mut tx, RPC, &requests).await?;
        let taken: HashSet<_> = taken.iter().map(|(app, request_id)| (app.as_str(), *request_id)).collect();

        let mut new: Vec<&Draft> =
            drafts.iter().copied().filter(|draft| taken.contains(&draft.named.request())).collect();
        new.sort_unstable_by_key(|draft| names(draft).1);
        let orders: Vec<_> = new.iter().map(|draft| (&draft.order, draft.named.content_sha256.as_slice())).collect();
        let created = if orders.is_empty() { HashSet::new() } else { creating::insert(&mut tx, &orders).await? };
        if created.is_empty() {
            tx.rollback().await?;
            return Ok(created);
        }
        let (new, known): (Vec<&Draft>, Vec<&Draft>) =
            new.into_iter().partition(|draft| created.contains(&draft.order.id));
        if !known.is_empty() {
            let known: Vec<_> = known.iter().map(|draft| draft.named.request()).collect();
            creating::give_back(&mut tx, &known).await?;
        }
        outbox::enqueue_sealed(&mut tx, new.iter().map(|draft| &draft.event)).await?;
        commit(tx).await?;
        self.relay.wake();
        for draft in new {
            draft.span.in_scope(|| told(&draft.order));
        }
        Ok(created)
    }
}

fn new(draft: &Draft) -> New<'_> {
    New { request: answered(draft), order: &draft.order, told: &draft.event }
}

fn answered(draft: &Draft) -> Answered<'_> {
    let (app, request_id) = draft.named.request();
    Answered { app, request_id, content_sha256: &draft.named.content_sha256, response: &draft.response }
}

/// Whether an error is about what one of them wants to write: alone, all the others are written.
fn is_about_one(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| match &*code {
            // Somebody holds it for long, or wants what we hold.
            "55P03" | "40P01" => true,
            // Data that is none, and a rule that is broken.
            code => matches!(code.get(..2), Some("22" | "23")),
        }),
        _ => false,
    }
}

/// Sets apart who shares a request id or an `order_no` with one before it, and must be looked at when that one is committed.
/// Whoever has gone already is left out: nothing was written.
fn apart(mut waiting: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    waiting.retain(|one| !one.answer.is_closed());
    let (mut requests, mut numbers) = (HashSet::new(), HashSet::new());
    let mut is_first = |draft| {
        let (request, number) = names(draft);
        let is_first = !requests.contains(&request) && !numbers.contains(&number);
        is_first && requests.insert(request) && numbers.insert(number)
    };
    let firsts: Vec<bool> = waiting.iter().map(|one| is_first(&one.draft)).collect();
    let (first, again): (Vec<_>, Vec<_>) = waiting.into_iter().zip(firsts).partition(|(_, is_first)| *is_first);
    let only = |pairs: Vec<(Waiting, bool)>| pairs.into_iter().map(|(one, _)| one).collect();
    (only(first), only(again))
}

/// What no two orders share: the request, and the team's own number.
fn names(draft: &Draft) -> ((&str, Uuid), (&str, &str)) {
    (draft.named.request(), (&draft.order.app, &draft.order.order_no))
}

#[cfg(test)]
mod tests;
