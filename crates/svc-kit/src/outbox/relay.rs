//! The relay: takes what is committed, publishes it, deletes what the stream has acked.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use sqlx::postgres::PgRow;
use sqlx::{Acquire as _, PgConnection, PgPool, Row as _};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, Envelope, Message, PublishError, Publisher};
use crate::metrics::{Age, Metrics};
use crate::schedule::jittered;

/// Events in one transaction and one atomic batch.
const BATCH: usize = 64;

/// How long one step with the database may take. sqlx has no read timeout, so a black hole would hold us for ever.
const STEP_TIME: Duration = Duration::from_secs(5);

/// Between two looks when nobody wakes us: another process may have written, or died after writing.
const POLL: Duration = Duration::from_millis(500);

/// Longest pause while the database or the stream is away; it doubles from [`POLL`].
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The gauge of waiting events stops counting here, so that counting stays cheap.
const MAX_COUNTED: i64 = 10_000;

/// Publishes the outbox of one database. One per process; several processes share the work.
#[derive(Debug)]
pub struct Relay {
    pool: PgPool,
    publisher: Publisher,
    notify: Arc<Notify>,
    metrics: RelayMetrics,
}

/// Wakes the relay of this process: call it after a commit that wrote events. Clones wake the same relay.
#[derive(Clone, Debug)]
pub struct Waker {
    notify: Arc<Notify>,
}

impl Waker {
    /// There is something to publish. Never blocks; a relay that is at work looks once more.
    pub fn wake(&self) {
        self.notify.notify_one();
    }
}

#[derive(Clone, Debug)]
struct RelayMetrics {
    pending: Gauge,
    oldest: Age,
    published: Family<Outcome, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Why a round did not end well.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the outbox cannot be read or written")]
    Database(#[from] sqlx::Error),
    #[error("the database took longer than {STEP_TIME:?}")]
    Slow,
}

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Nothing waits, or others are at it.
    Idle,
    /// Everything that was taken is published.
    Published { taken: usize },
    /// Some events could not be published.
    Stuck,
}

impl Relay {
    /// A relay; call it once per process, because it registers metrics.
    pub fn new(pool: PgPool, bus: &Bus, metrics: &Metrics) -> Self {
        let metrics = RelayMetrics {
            pending: metrics.gauge("outbox_pending", "Committed events that are not published; counted up to 10000"),
            oldest: metrics.age("outbox_oldest_seconds", "Age of the oldest event that is not published"),
            published: metrics.counters("outbox_published", "Events that left the outbox, or could not, by outcome"),
        };
        Self { pool, publisher: Publisher::new(bus), notify: Arc::default(), metrics }
    }

    /// What wakes this relay.
    pub fn waker(&self) -> Waker {
        Waker { notify: Arc::clone(&self.notify) }
    }

    /// Publishes until `stop` fires, then finishes the round it is in. What is left is published by another replica, or
    /// after the next start.
    ///
    /// # Errors
    /// None: the result is what [`crate::process::Tasks::spawn`] wants. A database or a bus that is away is waited for.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut pause = POLL;
        while !stop.is_cancelled() {
            let round = self.round().await;
            self.measure().await;
            let wakes = match round {
                // There may be more behind a full batch.
                Ok(Round::Published { taken: BATCH }) => {
                    pause = POLL;
                    continue;
                }
                Ok(Round::Published { .. } | Round::Idle) => {
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
                () = self.notify.notified(), if wakes => {}
                () = tokio::time::sleep(jittered(pause)) => {}
            }
        }
        Ok(())
    }

    /// One transaction: take, publish, delete, commit. The rows stay locked while they are published, so that no other relay
    /// takes them; the server ends the transaction if we disappear.
    async fn round(&self) -> Result<Round, RelayError> {
        let mut connection = timely(self.pool.acquire()).await?;
        let round = self.round_on(&mut connection).await;
        if matches!(round, Err(RelayError::Slow)) {
            // It is in the middle of something; nobody else shall get it from the pool.
            drop(connection.detach());
        }
        round
    }

    async fn round_on(&self, connection: &mut PgConnection) -> Result<Round, RelayError> {
        // Most looks find nothing; they need no transaction.
        let waiting: bool =
            timely(sqlx::query_scalar("SELECT EXISTS (SELECT FROM outbox)").fetch_one(&mut *connection)).await?;
        if !waiting {
            return Ok(Round::Idle);
        }
        let mut tx = timely(connection.begin()).await?;
        let rows = timely(
            sqlx::query(
                "SELECT seq, event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload
                 FROM outbox ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED",
            )
            .bind(i64::try_from(BATCH).expect("a small number"))
            .fetch_all(&mut *tx),
        )
        .await?;
        let events = rows.iter().map(read).collect::<sqlx::Result<Vec<_>>>()?;
        let (seqs, messages): (Vec<i64>, Vec<Message>) = events.into_iter().unzip();
        if messages.is_empty() {
            return Ok(Round::Idle); // Others hold them all. Dropping the transaction rolls it back.
        }
        let mut published = Vec::with_capacity(seqs.len());
        let mut errors = Vec::new();
        for ((seq, message), verdict) in seqs.iter().zip(&messages).zip(self.publisher.publish_batch(&messages).await) {
            self.metrics.count(&verdict);
            match verdict {
                Ok(_) => published.push(*seq),
                Err(error) => errors.push((&message.id, error)),
            }
        }
        if let Some((id, error)) = errors.first() {
            let (failed, error) = (errors.len(), error as &dyn std::error::Error);
            tracing::warn!(failed, id, error, "events could not be published; they stay in the outbox");
        }
        if !published.is_empty() {
            timely(sqlx::query("DELETE FROM outbox WHERE seq = ANY($1)").bind(published).execute(&mut *tx)).await?;
            timely(tx.commit()).await?;
        }
        Ok(if errors.is_empty() { Round::Published { taken: messages.len() } } else { Round::Stuck })
    }

    /// Tells how much waits and for how long, by the database's clock. A failure is the next round's to tell.
    async fn measure(&self) {
        let measured = timely(
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

impl RelayMetrics {
    fn count<T>(&self, verdict: &Result<T, PublishError>) {
        let outcome = match verdict {
            Ok(_) => "published",
            Err(PublishError::NotConnected) => "not_connected",
            Err(PublishError::Unknown { .. }) => "unknown",
            Err(_) => "refused",
        };
        self.published.get_or_create(&Outcome { outcome }).inc();
    }
}

async fn timely<T>(step: impl Future<Output = sqlx::Result<T>>) -> Result<T, RelayError> {
    match timeout(STEP_TIME, step).await {
        Ok(done) => Ok(done?),
        Err(_elapsed) => Err(RelayError::Slow),
    }
}

fn read(row: &PgRow) -> sqlx::Result<(i64, Message)> {
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
    Ok((row.try_get("seq")?, envelope.into()))
}
