//! Settling: what has left from memory leaves the outbox, many at one time, while publishing goes on.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Waker;
use super::relay::{MAX_PAUSE, POLL, RelayError, SETTLE_TIME, timely};
use super::statements::{BEGIN_SQL, RELEASE_SQL, Statements};
use crate::bus::MAX_BATCH_MESSAGES;
use crate::postgres::Kept;
use crate::schedule::jittered;

/// Rows settled in one transaction, at most.
const BATCH: usize = MAX_BATCH_MESSAGES;

/// How long the first of a batch waits for others. It is the part of the hold that a published row spends for nothing, and twenty
/// transactions a second are few.
const GATHER_TIME: Duration = Duration::from_millis(50);

/// What became of an event that was to leave from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The stream has acked it.
    Published,
    /// It stays in the outbox, and is anybody's from now on.
    GivenBack,
}

#[derive(Debug)]
pub(super) struct Settling {
    pub(super) kept: Arc<Kept>,
    pub(super) statements: &'static Statements,
    /// Of the relay that takes what is given back.
    pub(super) waker: Waker,
}

impl Settling {
    /// Settles what comes until no more can come. While the database is away it keeps what it has and tries again, until `stop` fires:
    /// then the rows are left to their holds.
    pub(super) async fn run(&self, mut ended: mpsc::Receiver<(i64, End)>, stop: &CancellationToken) {
        let mut ends = Vec::with_capacity(BATCH);
        while 0 < ended.recv_many(&mut ends, BATCH).await {
            gather(&mut ended, &mut ends).await;
            let seqs = |end| ends.iter().filter(|(_, of)| *of == end).map(|(seq, _)| *seq).collect::<Vec<_>>();
            let (published, given_back) = (seqs(End::Published), seqs(End::GivenBack));
            let mut pause = POLL;
            while let Err(error) = self.settle(&published, &given_back).await {
                tracing::warn!(
                    rows = ends.len(),
                    error = &error as &dyn std::error::Error,
                    "what has left from memory waits to leave the outbox"
                );
                if stop.is_cancelled() {
                    return;
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(jittered(pause)) => {}
                }
                pause = MAX_PAUSE.min(pause * 2);
            }
            if !given_back.is_empty() {
                self.waker.wake();
            }
            ends.clear();
        }
    }

    async fn settle(&self, published: &[i64], given_back: &[i64]) -> Result<(), RelayError> {
        let deadline = Instant::now() + SETTLE_TIME;
        let mut connection = timely(deadline, self.kept.take()).await?;
        let settled = timely(deadline, self.settle_on(&mut connection, published, given_back)).await;
        match settled {
            Ok(()) => connection.keep(),
            Err(RelayError::Slow) => connection.discard(),
            Err(RelayError::Database(_)) => {}
        }
        settled
    }

    /// A row that somebody else has taken meanwhile is its to settle.
    async fn settle_on(
        &self,
        connection: &mut PgConnection,
        published: &[i64],
        given_back: &[i64],
    ) -> sqlx::Result<()> {
        let mut tx = connection.begin_with(BEGIN_SQL).await?;
        for (statement, seqs) in [(self.statements.settle, published), (RELEASE_SQL, given_back)] {
            if !seqs.is_empty() {
                sqlx::query(statement).bind(seqs).execute(&mut *tx).await?;
            }
        }
        tx.commit().await
    }
}

/// Adds what comes until the batch is full or has waited long enough.
async fn gather(ended: &mut mpsc::Receiver<(i64, End)>, ends: &mut Vec<(i64, End)>) {
    let deadline = Instant::now() + GATHER_TIME;
    while ends.len() < BATCH {
        match timeout_at(deadline, ended.recv_many(ends, BATCH - ends.len())).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
