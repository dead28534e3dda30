//! Where new orders wait to be written, bounded in number and in time.

use std::{sync::Arc, time::Duration};

use svc_kit::outbox::Sealed;
use tokio::sync::{
    Semaphore, SemaphorePermit,
    mpsc::{self, error::TrySendError},
    oneshot,
};
use tonic::Status;
use tracing::Span;

use crate::{
    api::{refuse, replay::Named},
    domain::order::Order,
    store::STEP_TIME,
};

/// How long a call waits for what becomes of its order: one batch that was under way, and its own.
const ANSWER_TIME: Duration = Duration::from_secs(2 * STEP_TIME.as_secs());
/// Calls that write for themselves at once, so that repeats cannot keep all connections from those who wait together.
const ALONE_AT_ONCE: usize = 8;

/// An order that its call would like to write, with everything that is written with it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) named: Named,
    pub(super) order: Order,
    /// The encoded answer, when the order is new.
    pub(super) response: Vec<u8>,
    pub(super) event: Sealed,
    /// Of the call: the log line of the order belongs there.
    pub(super) span: Span,
}

/// What became of a draft.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Written and committed.
    Created,
    /// Not written: it shares its request id or its `order_no` with another, or the database does not take it. Its own
    /// transaction tells.
    Alone,
    /// The database failed: written or not.
    Failed(Status),
}

/// A draft and whoever waits for what becomes of it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) draft: Arc<Draft>,
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// Puts drafts into the queue of [`Together`](super::Together); clones share it.
#[derive(Clone, Debug)]
pub struct Queue {
    waiting: mpsc::Sender<Waiting>,
    alone: Arc<Semaphore>,
}

impl Queue {
    /// A queue that holds `length` drafts, and its other end.
    pub(super) fn of(length: usize) -> (Self, mpsc::Receiver<Waiting>) {
        let (waiting, other_end) = mpsc::channel(length);
        (Self { waiting, alone: Arc::new(Semaphore::new(ALONE_AT_ONCE)) }, other_end)
    }

    /// Waits for what becomes of a draft. When the queue is full the refusal is there at once.
    pub(super) async fn put(&self, draft: Arc<Draft>) -> Result<Outcome, Status> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(Waiting { draft, answer }).map_err(|refused| match refused {
            TrySendError::Full(_) => refuse::overloaded(),
            TrySendError::Closed(_) => refuse::ending(),
        })?;
        match tokio::time::timeout(ANSWER_TIME, answered).await {
            Ok(Ok(outcome)) => Ok(outcome),
            // Nobody said what became of it, so it may be written or not.
            Ok(Err(_)) | Err(_) => Err(refuse::store_away()),
        }
    }

    /// A place among those that write alone, for as long as it is kept.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, Status> {
        match tokio::time::timeout(STEP_TIME, self.alone.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            // Nothing was written, and nobody closes it.
            Ok(Err(_)) | Err(_) => Err(refuse::store_away()),
        }
    }
}
