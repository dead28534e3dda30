//! The relay: takes what is committed out of the outbox, publishes it, and commits that when the stream has acked.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Row as _, Transaction};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Waker;
use super::express::Express;
use super::held::Leaving;
use super::metrics::RelayMetrics;
use super::resting::Resting;
use super::settling::Settling;
use super::statements::{BEGIN_SQL, DELETING, LOCK_SQL, LOOK_SQL, MOVING, Statements};
use crate::bus::{Ack, BATCH_DEADLINES, Bus, Envelope, MAX_BATCH_MESSAGES, Message, PublishError, Publisher};
use crate::crash;
use crate::metrics::Metrics;
use crate::postgres::{IDLE_IN_TRANSACTION_TIME, Kept};
use crate::process::DRAIN_TIME;
use crate::schedule::jittered;

/// Events in one transaction, at most: as many as one atomic batch may have.
const BATCH: usize = MAX_BATCH_MESSAGES;
const _: () = assert!(BATCH == 512, "the statements say so, for the sake of their plans");

/// How long taking events out of the database may take. sqlx has no read timeout, so a black hole would hold us for ever.
const TAKE_TIME: Duration = Duration::from_secs(4);

/// How long one ack may take. Until it comes the rows are locked and the transaction is idle.
pub(super) const ACK_TIME: Duration = Duration::from_secs(2);

/// How long publishing may take: one batch, and its messages one by one when it fails.
pub(super) const PUBLISH_TIME: Duration = Duration::from_secs(ACK_TIME.as_secs() * BATCH_DEADLINES);

/// How long committing may take, or putting back what was not published.
pub(super) const SETTLE_TIME: Duration = Duration::from_secs(4);

/// How long counting what waits may take.
const MEASURE_TIME: Duration = Duration::from_secs(2);

const _: () = assert!(
    PUBLISH_TIME.as_secs() + SETTLE_TIME.as_secs() < IDLE_IN_TRANSACTION_TIME.as_secs(),
    "the server does not end a transaction whose rows are being published"
);
const _: () = assert!(
    TAKE_TIME.as_secs() + PUBLISH_TIME.as_secs() + SETTLE_TIME.as_secs() + MEASURE_TIME.as_secs() + 5
        < DRAIN_TIME.as_secs(),
    "a round that has begun when the process stops ends well within the drain"
);

/// Between two looks when nobody wakes us: another process may have written, or died after writing.
pub(super) const POLL: Duration = Duration::from_millis(500);

/// Longest pause while the database or the stream is away; it doubles from [`POLL`].
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The gauge of waiting events stops counting here, so that counting stays cheap.
const MAX_COUNTED: i64 = 10_000;

/// What waits is counted this often at most: under load a count costs more than a round.
const MEASURE_EVERY: Duration = Duration::from_millis(500);

/// Publishes the outbox of one database: from memory what this process has written and holds, and from the table what is
/// anybody's. One per process; several processes share the work.
#[derive(Debug)]
pub struct Relay {
    rounds: Rounds,
    memory: mpsc::Receiver<Leaving>,
}

/// Publishes from the table, round by round.
#[derive(Debug)]
struct Rounds {
    pool: PgPool,
    kept: Arc<Kept>,
    publisher: Publisher,
    waker: Waker,
    metrics: RelayMetrics,
    resting: Resting,
    /// What is done with rows that are published.
    statements: &'static Statements,
    /// Something could not be published in the round before.
    careful: bool,
    /// When what waits was last counted.
    measured: Option<Instant>,
}

/// Why a round did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum RelayError {
    #[error("the outbox cannot be read or written")]
    Database(#[from] sqlx::Error),
    #[error("the database took too long")]
    Slow,
}

/// Why a round begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// Time has passed; most such looks find nothing.
    Look,
    /// Somebody has written, or the round before left some.
    Rows,
}

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// What was taken is published, or was refused and rests. Perhaps there is more.
    Done { more: bool },
    /// The stream cannot be reached, or refuses more than can rest.
    Stuck,
}

impl Relay {
    /// A relay; call it once per process, because it registers metrics.
    pub fn new(pool: PgPool, bus: &Bus, metrics: &Metrics) -> Self {
        let (waker, memory) = Waker::new();
        let rounds = Rounds {
            kept: Arc::new(Kept::of(pool.clone())),
            pool,
            publisher: Publisher::new(bus).with_deadline(ACK_TIME),
            waker,
            metrics: RelayMetrics::new(metrics),
            resting: Resting::default(),
            statements: &DELETING,
            careful: false,
            measured: None,
        };
        Self { rounds, memory }
    }

    /// The same, but what is published moves into the archive: a service with
    /// [`archive::ARCHIVE_MIGRATION_SQL`](super::archive::ARCHIVE_MIGRATION_SQL) among its migrations.
    #[must_use]
    pub fn with_archive(mut self) -> Self {
        self.rounds.statements = &MOVING;
        self
    }

    /// What wakes this relay, and gives it what leaves from memory.
    pub fn waker(&self) -> Waker {
        self.rounds.waker.clone()
    }

    /// Publishes until `stop` fires, then finishes the round it is in and what was left to it in memory. What is left in the table
    /// is published by another replica, or after the next start.
    ///
    /// # Errors
    /// None: the result is what [`crate::process::Tasks::spawn`] wants. A database or a bus that is away is waited for.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { rounds, memory } = self;
        let settling =
            Settling { kept: Arc::clone(&rounds.kept), statements: rounds.statements, waker: rounds.waker.clone() };
        let express = Express { publisher: rounds.publisher.clone(), metrics: rounds.metrics.clone(), settling };
        tokio::join!(rounds.run(stop.clone()), express.run(memory, stop));
        Ok(())
    }

    /// Publishes nothing until `stop` fires, and tells how much waits for others to publish it.
    ///
    /// # Errors
    /// None, as [`Relay::run`].
    pub async fn watch(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { rounds, memory } = self;
        // Nothing is held for whoever publishes nothing.
        drop(memory);
        while !stop.is_cancelled() {
            rounds.measure().await;
            let _ = tokio::time::timeout(jittered(MEASURE_EVERY), stop.cancelled()).await;
        }
        Ok(())
    }
}

impl Rounds {
    async fn run(mut self, stop: CancellationToken) {
        let mut pause = POLL;
        let mut reason = Reason::Look;
        while !stop.is_cancelled() {
            let round = self.round(reason).await;
            if self.measured.is_none_or(|measured| MEASURE_EVERY <= measured.elapsed()) {
                self.measure().await;
                self.measured = Some(Instant::now());
            }
            let wakes = match round {
                Ok(Round::Done { more: true }) => {
                    pause = POLL;
                    reason = Reason::Rows;
                    continue;
                }
                Ok(Round::Done { more: false }) => {
                    pause = POLL;
                    true
                }
                Ok(Round::Stuck) => {
                    pause = MAX_PAUSE.min(pause * 2);
                    false
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the outbox waits");
                    pause = MAX_PAUSE.min(pause * 2);
                    false
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                // While something is away, new events are no reason to try sooner.
                () = self.waker.woken(), if wakes => reason = Reason::Rows,
                () = tokio::time::sleep(jittered(pause)) => reason = Reason::Look,
            }
        }
    }

    /// One transaction: take, publish, commit. Taken rows have left the outbox, and come back unless the stream acks: no other
    /// relay takes them, and the server ends the transaction if we disappear.
    ///
    /// When something could not be published, all come back, and those that were published leave by themselves. The next
    /// round is careful: its rows are only locked until it is known which of them leave, so that during an outage the archive
    /// is not written in vain again and again.
    async fn round(&mut self, reason: Reason) -> Result<Round, RelayError> {
        let taking = Instant::now() + TAKE_TIME;
        let kept = Arc::clone(&self.kept);
        let mut connection = timely(taking, kept.take()).await?;
        let round = self.round_on(&mut connection, reason, taking).await;
        match round {
            Ok(_) => connection.keep(),
            // It is in the middle of something; nobody else shall get it from the pool.
            Err(RelayError::Slow) => connection.discard(),
            Err(RelayError::Database(_)) => {}
        }
        round
    }

    async fn round_on(
        &mut self,
        connection: &mut PgConnection,
        reason: Reason,
        taking: Instant,
    ) -> Result<Round, RelayError> {
        let resting = self.resting.rows(Instant::now());
        self.metrics.resting.set(i64::try_from(resting.len()).unwrap_or(i64::MAX));
        let Some((mut tx, rows)) = timely(taking, self.take(connection, reason, &resting)).await? else {
            return Ok(Round::Done { more: false });
        };
        crash::point("relay.taken");
        let (mut seqs, mut messages, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            match read(row)? {
                (seq, Ok(message)) => {
                    seqs.push(seq);
                    messages.push(message);
                }
                (seq, Err(error)) => verdicts.push((seq, Err(error))),
            }
        }
        // One batch of each stream in one transaction, so that the time until its end is known. What is left is the next round's.
        let answers = self.publisher.publish_first(&messages).await;
        let more = rows.len() == BATCH || answers.len() < messages.len();
        verdicts.extend(answers.into_iter().map(|(index, answer)| (seqs[index], answer)));
        let careful = std::mem::replace(&mut self.careful, verdicts.iter().any(|(_, verdict)| verdict.is_err()));
        let (published, stuck) = self.judge(verdicts);
        let settling = Instant::now() + SETTLE_TIME;
        if published.is_empty() {
            timely(settling, tx.rollback()).await?;
        } else {
            crash::point("relay.published");
            if careful {
                timely(settling, self.settle(&mut tx, &published)).await?;
                timely(settling, tx.commit()).await?;
            } else if published.len() == rows.len() {
                timely(settling, tx.commit()).await?;
            } else {
                timely(settling, tx.rollback()).await?;
                timely(settling, self.settle(connection, &published)).await?;
            }
            crash::point("relay.committed");
        }
        Ok(if stuck { Round::Stuck } else { Round::Done { more } })
    }

    /// The oldest rows that do not rest and that nobody else has, in a transaction; `None` when there are none.
    async fn take<'c>(
        &self,
        connection: &'c mut PgConnection,
        reason: Reason,
        resting: &[i64],
    ) -> sqlx::Result<Option<(Transaction<'c, Postgres>, Vec<PgRow>)>> {
        // What finds nothing needs no transaction.
        if reason == Reason::Look {
            let waiting: bool = sqlx::query_scalar(LOOK_SQL).bind(resting).fetch_one(&mut *connection).await?;
            if !waiting {
                return Ok(None);
            }
        }
        let mut tx = connection.begin_with(BEGIN_SQL).await?;
        let take = if self.careful { LOCK_SQL } else { self.statements.take };
        let rows = sqlx::query(take).bind(resting).fetch_all(&mut *tx).await?;
        if rows.is_empty() {
            // Others hold them all. The connection is kept, so it must not stay in a transaction.
            tx.rollback().await?;
            return Ok(None);
        }
        Ok(Some((tx, rows)))
    }

    /// Lets published rows leave.
    async fn settle(&self, connection: &mut PgConnection, published: &[i64]) -> sqlx::Result<()> {
        sqlx::query(self.statements.settle).bind(published).execute(connection).await?;
        Ok(())
    }

    /// Sorts the verdicts: returns the rows that were published, and whether publishing as such does not work now. A row that
    /// was refused rests, and is no reason to stop.
    fn judge(&mut self, verdicts: Vec<(i64, Result<Ack, PublishError>)>) -> (Vec<i64>, bool) {
        let (mut published, mut failed, mut stuck) = (Vec::new(), Vec::new(), false);
        for (seq, verdict) in verdicts {
            self.metrics.count(&verdict);
            let Err(error) = verdict else {
                self.resting.published(seq);
                published.push(seq);
                continue;
            };
            stuck |= match &error {
                PublishError::NotConnected | PublishError::Unknown { .. } => true,
                PublishError::Refused { .. }
                | PublishError::NoStream { .. }
                | PublishError::WrongStream { .. }
                | PublishError::Invalid { .. } => !self.resting.refused(seq, Instant::now()),
            };
            failed.push((seq, error));
        }
        if let Some((seq, error)) = failed.first() {
            let (failed, error) = (failed.len(), error as &dyn std::error::Error);
            tracing::warn!(failed, seq, error, "events could not be published; they stay in the outbox");
        }
        (published, stuck)
    }

    /// Tells how much waits and for how long, by the database's clock. A failure is the next round's to tell.
    async fn measure(&self) {
        let measured = timely(
            Instant::now() + MEASURE_TIME,
            sqlx::query_as::<_, (i64, Option<i64>)>(
                "SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS counted),
                        (SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000)::bigint
                         FROM outbox ORDER BY seq LIMIT 1)",
            )
            .bind(MAX_COUNTED)
            .fetch_one(&self.pool),
        )
        .await;
        if let Ok((pending, oldest_ms)) = measured {
            self.metrics.pending.set(pending);
            let oldest = oldest_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
            self.metrics.oldest.set(oldest);
        }
    }
}

pub(super) async fn timely<T>(deadline: Instant, step: impl Future<Output = sqlx::Result<T>>) -> Result<T, RelayError> {
    match timeout_at(deadline, step).await {
        Ok(done) => Ok(done?),
        Err(_elapsed) => Err(RelayError::Slow),
    }
}

pub(super) fn read(row: &PgRow) -> sqlx::Result<(i64, Result<Message, PublishError>)> {
    let envelope = Envelope {
        id: row.try_get("event_id")?,
        subject: row.try_get("subject")?,
        event_type: row.try_get("ce_type")?,
        source: row.try_get("ce_source")?,
        about: row.try_get("ce_subject")?,
        time: row.try_get("ce_time")?,
        traceparent: row.try_get("traceparent")?,
        payload: row.try_get("payload")?,
    };
    Ok((row.try_get("seq")?, envelope.into_checked()))
}
