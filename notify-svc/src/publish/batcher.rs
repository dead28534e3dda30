//! Publishes what waits, together: one flush of the stream's disk serves every callback that arrived meanwhile.

use std::collections::HashMap;

use svc_kit::bus::MAX_BATCH_MESSAGES;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::metrics::PublishMetrics;
use crate::outcome::Outcome;
use crate::publish::queue::Waiting;

/// Most facts in one publish: as many as go into one atomic batch.
pub(crate) const MAX_BATCH: usize = MAX_BATCH_MESSAGES;

/// Publishes until the queue is closed and empty. A lone fact goes at once; what arrives while a publish is under way goes
/// with the next one, at most [`MAX_BATCH`] at a time.
///
/// `publish` gets different facts and gives one outcome for each, in their order.
pub(crate) async fn run<T, P, F>(mut queue: mpsc::Receiver<Waiting<T>>, metrics: PublishMetrics, publish: P)
where
    P: Fn(Vec<T>) -> F,
    F: Future<Output = Vec<Outcome>>,
{
    let mut waiting = Vec::with_capacity(MAX_BATCH);
    loop {
        let taken = queue.recv_many(&mut waiting, MAX_BATCH).await;
        if taken == 0 {
            return;
        }
        metrics.waiting.dec_by(i64::try_from(taken).unwrap_or(i64::MAX));
        let Some(batch) = Batch::of(waiting.drain(..), Instant::now()) else { continue };
        let (size, answers) = (batch.facts.len(), batch.answers);
        let callers = answers.iter().map(Vec::len).sum::<usize>();
        metrics.collapsed.inc_by(u64::try_from(callers.saturating_sub(size)).unwrap_or(u64::MAX));
        metrics.batch_size.observe(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
        metrics.under_way.set(i64::try_from(size).unwrap_or(i64::MAX));
        let outcomes = timeout_at(batch.deadline, publish(batch.facts)).await;
        metrics.under_way.set(0);
        // Without an outcome it is unknown whether a fact was stored; the provider comes again and the id stays the same.
        let mut outcomes = outcomes.unwrap_or_default().into_iter();
        for callers in answers {
            let outcome = outcomes.next().unwrap_or(Outcome::Unacknowledged);
            for answer in callers {
                // Whoever went away has answered "come again" already.
                let _ = answer.send(outcome);
            }
        }
    }
}

/// Different facts, each with everyone who waits for it.
struct Batch<T> {
    facts: Vec<T>,
    answers: Vec<Vec<oneshot::Sender<Outcome>>>,
    /// The latest deadline: after it nobody waits.
    deadline: Instant,
}

impl<T> Batch<T> {
    /// `None` when nobody waits any more.
    fn of(waiting: impl Iterator<Item = Waiting<T>>, now: Instant) -> Option<Self> {
        let mut batch = Self { facts: Vec::new(), answers: Vec::new(), deadline: now };
        let mut places = HashMap::new();
        for one in waiting.filter(|one| now < one.deadline) {
            batch.deadline = batch.deadline.max(one.deadline);
            let place = *places.entry(one.same).or_insert(batch.facts.len());
            if place == batch.facts.len() {
                batch.facts.push(one.fact);
                batch.answers.push(Vec::new());
            }
            batch.answers[place].push(one.answer);
        }
        if batch.facts.is_empty() { None } else { Some(batch) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use svc_kit::metrics::Metrics;

    use super::*;
    use crate::publish::queue::Same;

    /// Longer than any test runs.
    const LONG: Duration = Duration::from_hours(1);

    fn waiting(id: &str, deadline: Instant) -> (Waiting<String>, oneshot::Receiver<Outcome>) {
        let (answer, answered) = oneshot::channel();
        let same = Same { id: id.to_owned(), subject: "pay.v1.payment.paid.acme".to_owned(), payload: "{}".into() };
        (Waiting { same, fact: id.to_owned(), deadline, answer }, answered)
    }

    /// Runs the given facts, all waiting at once, and gives the batches that were published.
    async fn publish_all(all: Vec<Waiting<String>>, outcome: fn(&str) -> Outcome) -> Vec<Vec<String>> {
        let (sender, queue) = mpsc::channel(all.len().max(1));
        for one in all {
            sender.try_send(one).expect("there is room for all");
        }
        drop(sender);
        let published = Mutex::new(Vec::new());
        run(queue, PublishMetrics::register(&Metrics::new()), |facts| {
            let outcomes = facts.iter().map(|fact| outcome(fact)).collect();
            published.lock().expect("nobody panicked").push(facts);
            async { outcomes }
        })
        .await;
        published.into_inner().expect("nobody panicked")
    }

    #[tokio::test]
    async fn what_waits_is_published_together_and_never_more_than_a_batch() {
        let deadline = Instant::now() + LONG;
        let (all, answers): (Vec<_>, Vec<_>) =
            (0..2 * MAX_BATCH + 50).map(|n| waiting(&n.to_string(), deadline)).unzip();
        let batches = publish_all(all, |_| Outcome::Recorded).await;
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [MAX_BATCH, MAX_BATCH, 50]);
        for answer in answers {
            assert_eq!(answer.await, Ok(Outcome::Recorded));
        }
    }

    #[tokio::test]
    async fn equal_facts_are_published_once_and_everyone_is_answered() {
        let deadline = Instant::now() + LONG;
        let (all, answers): (Vec<_>, Vec<_>) = ["a", "b", "a", "a"].map(|id| waiting(id, deadline)).into_iter().unzip();
        let outcome = |fact: &str| if fact == "a" { Outcome::Recorded } else { Outcome::Unacknowledged };
        assert_eq!(publish_all(all, outcome).await, [["a", "b"]]);
        let mut given = Vec::new();
        for answer in answers {
            given.push(answer.await.expect("an answer"));
        }
        let (kept, lost) = (Outcome::Recorded, Outcome::Unacknowledged);
        assert_eq!(given, [kept, lost, kept, kept]);
    }

    #[tokio::test]
    async fn facts_of_one_id_but_another_subject_or_content_are_published_by_themselves() {
        let deadline = Instant::now() + LONG;
        let changed = |change: fn(&mut Same), fact: &str| {
            let (mut one, answered) = waiting("a", deadline);
            change(&mut one.same);
            (Waiting { fact: fact.to_owned(), ..one }, answered)
        };
        let (all, answers): (Vec<_>, Vec<_>) = [
            waiting("a", deadline),
            changed(|same| same.subject.push_str("-other"), "other subject"),
            changed(|same| same.payload = "{\"amountFen\":\"1\"}".into(), "other content"),
        ]
        .into_iter()
        .unzip();
        let outcome = |fact: &str| if fact == "a" { Outcome::Recorded } else { Outcome::BusRefused };
        assert_eq!(publish_all(all, outcome).await, [["a", "other subject", "other content"]]);
        let mut given = Vec::new();
        for answer in answers {
            given.push(answer.await.expect("an answer"));
        }
        assert_eq!(given, [Outcome::Recorded, Outcome::BusRefused, Outcome::BusRefused]);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_published() {
        let now = Instant::now();
        let (late, answer) = waiting("late", now);
        let (fresh, _kept) = waiting("fresh", now + LONG);
        assert_eq!(publish_all(vec![late, fresh], |_| Outcome::Recorded).await, [["fresh"]]);
        assert!(answer.await.is_err(), "its caller has long given up");
    }

    #[tokio::test]
    async fn a_fact_without_an_outcome_is_never_said_to_be_recorded() {
        let (all, answers): (Vec<_>, Vec<_>) =
            ["a", "b"].map(|id| waiting(id, Instant::now() + LONG)).into_iter().unzip();
        let (sender, queue) = mpsc::channel(2);
        for one in all {
            sender.try_send(one).expect("there is room for both");
        }
        drop(sender);
        run(queue, PublishMetrics::register(&Metrics::new()), |_| async { vec![Outcome::Recorded] }).await;
        let mut given = Vec::new();
        for answer in answers {
            given.push(answer.await.expect("an answer"));
        }
        assert_eq!(given, [Outcome::Recorded, Outcome::Unacknowledged]);
    }
}
