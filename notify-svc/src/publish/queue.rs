//! Where facts wait for the bus, bounded in number and in time.

use hyper::body::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::metrics::PublishMetrics;
use crate::outcome::Outcome;

/// What makes two facts one: everything that consumers see. Equal ids alone are not enough, because whoever waits for one
/// content must not be told that another was stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Same {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) payload: Bytes,
}

/// A fact and whoever waits for its ack.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub(super) same: Same,
    pub(super) fact: T,
    /// When nobody waits any more.
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// Puts facts into the queue; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Queue<T> {
    waiting: mpsc::Sender<Waiting<T>>,
    metrics: PublishMetrics,
}

impl<T> Queue<T> {
    /// A queue that holds `length` facts, and its other end.
    pub(super) fn of(length: usize, metrics: PublishMetrics) -> (Self, mpsc::Receiver<Waiting<T>>) {
        let (waiting, other_end) = mpsc::channel(length);
        (Self { waiting, metrics }, other_end)
    }

    /// Waits for what becomes of a fact, not longer than until `deadline`. When the queue is full the answer is there at
    /// once.
    pub(super) async fn put(&self, same: Same, fact: T, deadline: Instant) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.metrics.waiting.inc();
        if let Err(refused) = self.waiting.try_send(Waiting { same, fact, deadline, answer }) {
            self.metrics.waiting.dec();
            return match refused {
                TrySendError::Full(_) => Outcome::Overloaded,
                TrySendError::Closed(_) => Outcome::BusDown,
            };
        }
        match timeout_at(deadline, answered).await {
            Ok(Ok(outcome)) => outcome,
            // Nobody said what became of it, so it may be stored or not.
            Ok(Err(_)) | Err(_) => Outcome::Unacknowledged,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use svc_kit::metrics::Metrics;

    use super::*;

    /// Longer than any test runs.
    const LONG: Duration = Duration::from_hours(1);

    fn same(id: &str) -> Same {
        Same { id: id.to_owned(), subject: String::new(), payload: Bytes::new() }
    }

    fn queue(length: usize) -> (Queue<()>, mpsc::Receiver<Waiting<()>>) {
        Queue::of(length, PublishMetrics::register(&Metrics::new()))
    }

    #[tokio::test]
    async fn a_fact_that_got_no_answer_in_time_is_not_said_to_be_recorded() {
        let (queue, _other_end) = queue(1);
        assert_eq!(queue.put(same("a"), (), Instant::now()).await, Outcome::Unacknowledged);
    }

    #[tokio::test]
    async fn a_fact_whose_publisher_broke_down_is_not_said_to_be_recorded() {
        let (queue, mut other_end) = queue(1);
        let drop_it = async { drop(other_end.recv().await) };
        let put = queue.put(same("a"), (), Instant::now() + LONG);
        assert_eq!(tokio::join!(put, drop_it).0, Outcome::Unacknowledged);
    }

    #[tokio::test]
    async fn a_full_queue_answers_at_once_and_counts_only_what_waits() {
        let (queue, _other_end) = queue(1);
        queue.put(same("a"), (), Instant::now()).await;
        assert_eq!(queue.put(same("b"), (), Instant::now() + LONG).await, Outcome::Overloaded);
        assert_eq!(queue.metrics.waiting.get(), 1);
    }

    #[tokio::test]
    async fn a_closed_queue_answers_at_once() {
        let (queue, other_end) = queue(1);
        drop(other_end);
        assert_eq!(queue.put(same("a"), (), Instant::now() + LONG).await, Outcome::BusDown);
    }
}
