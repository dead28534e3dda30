//! The inbox: which facts a consumer has applied, recorded in the transaction that applies them.
//!
//! The stream delivers at least once and its duplicate window is minutes long, while a provider repeats itself for a day.
//! With this record each fact is applied once per durable.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};

/// The inbox's table, to be copied into a migration of the service.
pub const MIGRATION_SQL: &str = "\
CREATE TABLE applied_events (
    durable    text NOT NULL,
    event_id   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (durable, event_id)
);
CREATE INDEX applied_events_by_age ON applied_events (applied_at);
";

/// How long a record is kept: far longer than any provider repeats itself and any backlog lasts. A repeat after that meets
/// the state machine, which says that nothing changes.
pub const KEEP: Duration = Duration::from_hours(40 * 24);

/// Rows deleted by one statement, so that no statement holds its locks for long.
const PRUNE_ROWS: u32 = 1_000;

/// Statements of one call of [`prune`]; what is left waits for the next call.
const PRUNE_STATEMENTS: u32 = 100;

/// How long one statement of [`prune`] may take.
const PRUNE_TIME: Duration = Duration::from_secs(10);

/// Records facts as applied by `durable` and returns those that were not recorded before: apply these, and only these, in
/// the same transaction.
///
/// Two transactions that record the same fact wait for each other: the second sees it as recorded when the first commits,
/// and as new when the first rolls back. Ids are recorded in their own order, so that two batches cannot deadlock.
///
/// # Errors
/// The database's.
pub async fn record<I: AsRef<str>>(
    connection: &mut PgConnection,
    durable: &str,
    ids: &[I],
) -> sqlx::Result<HashSet<String>> {
    let mut ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    ids.sort_unstable();
    ids.dedup();
    let new: Vec<String> = sqlx::query_scalar(
        "INSERT INTO applied_events (durable, event_id)
         SELECT $1, event_id FROM UNNEST($2::text[]) WITH ORDINALITY AS id (event_id, position) ORDER BY position
         ON CONFLICT (durable, event_id) DO NOTHING
         RETURNING event_id",
    )
    .bind(durable)
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().collect())
}

/// Forgets records older than `keep` (usually [`KEEP`]), oldest first, at most 100,000 per call, by the database's clock.
/// Returns how many. Call it now and then; several processes may.
///
/// # Errors
/// The database's; a statement that takes longer than 10 s is [`sqlx::Error::Io`].
pub async fn prune(pool: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    let keep_seconds = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
    let mut pruned = 0;
    for _ in 0..PRUNE_STATEMENTS {
        let statement = sqlx::query(
            "DELETE FROM applied_events WHERE (durable, event_id) IN (
                 SELECT durable, event_id FROM applied_events
                 WHERE applied_at < now() - $1 * interval '1 second'
                 ORDER BY applied_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        )
        .bind(keep_seconds)
        .bind(i64::from(PRUNE_ROWS))
        .execute(pool);
        let done = tokio::time::timeout(PRUNE_TIME, statement)
            .await
            .map_err(|elapsed| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed)))??;
        pruned += done.rows_affected();
        if done.rows_affected() < u64::from(PRUNE_ROWS) {
            break;
        }
    }
    Ok(pruned)
}
