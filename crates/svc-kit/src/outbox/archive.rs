//! What was told, kept: a stream that is gone can be told again, each fact under its own id.

use std::time::Duration;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use proto::bus::header;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};

use super::Columns;
use crate::bus::{Delivery, Message, PublishError};

/// The archive's table, to be copied into a migration of a service whose relay keeps what it publishes. The columns are the
/// outbox's; each fact stands once, whoever told it.
pub const ARCHIVE_MIGRATION_SQL: &str = "\
CREATE TABLE outbox_archive (
    event_id     text PRIMARY KEY,
    seq          bigint NOT NULL,
    subject      text NOT NULL,
    ce_type      text NOT NULL,
    ce_source    text NOT NULL,
    ce_subject   text NOT NULL,
    ce_time      text NOT NULL,
    traceparent  text,
    payload      bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_archive_by_age ON outbox_archive (created_at, seq);
";

/// Rows deleted by one statement, so that no statement holds its locks for long.
const PRUNE_ROWS: u32 = 1_000;

/// Statements of one call of [`prune`]; what is left waits for the next call.
const PRUNE_STATEMENTS: u32 = 100;

/// How long one statement of [`prune`] may take.
const PRUNE_TIME: Duration = Duration::from_secs(10);

/// Keeps facts that were heard. The sequence is looked up in a query of its own: once, not once per fact.
const KEEP_SQL: &str = "\
INSERT INTO outbox_archive
    (event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at)
SELECT event_id, nextval((SELECT pg_get_serial_sequence('outbox', 'seq')::regclass)), subject, ce_type, ce_source,
       ce_subject, ce_time, traceparent, payload, now()
FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
     AS event (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload)
ON CONFLICT (event_id) DO NOTHING";

/// A fact of the archive.
#[derive(Clone, Debug)]
pub struct Archived {
    /// Where it stands: [`archived`] goes on behind it.
    pub place: Place,
    /// Its own id, subject, headers and body. An error is a row that somebody else wrote.
    pub message: Result<Message, PublishError>,
}

/// A place in the archive, in the order in which facts were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was written, by the database's clock.
    pub created_at: Timestamp,
    /// The outbox's own order.
    pub seq: i64,
}

impl Place {
    /// The place of the first fact that was written at `since` or later.
    pub const fn at(since: Timestamp) -> Self {
        Self { created_at: since, seq: i64::MIN }
    }
}

/// Keeps facts that others told and we have heard, in the transaction that applies them. What is kept already is left as it is.
///
/// # Errors
/// The database's.
pub async fn keep(connection: &mut PgConnection, heard: &[&Delivery]) -> sqlx::Result<()> {
    if heard.is_empty() {
        return Ok(());
    }
    Columns::heard(heard).query(KEEP_SQL).execute(connection).await?;
    Ok(())
}

impl<'e> Columns<'e> {
    /// The columns of facts that were heard, in the order of their ids, so that two batches that keep them cannot deadlock.
    pub fn heard(heard: &[&'e Delivery]) -> Self {
        let mut heard = heard.to_vec();
        heard.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut columns = Self::default();
        for delivery in heard {
            let header = |name| delivery.header(name).unwrap_or_default();
            columns.event_id.push(&delivery.id);
            columns.subject.push(&delivery.subject);
            columns.ce_type.push(header(header::TYPE));
            columns.ce_source.push(header(header::SOURCE));
            columns.ce_subject.push(header(header::SUBJECT));
            columns.ce_time.push(header(header::TIME));
            columns.traceparent.push(delivery.header(header::TRACEPARENT));
            columns.payload.push(&delivery.payload);
        }
        columns
    }
}

/// At most `limit` facts behind `after`, in the order in which they were written, of subjects that begin with one of `roots`
/// (`order.v1.`).
///
/// # Errors
/// The database's; an archive that is not there is one of them.
pub async fn archived(
    connection: &mut PgConnection,
    roots: &[&str],
    after: Place,
    limit: u16,
) -> sqlx::Result<Vec<Archived>> {
    let rows = sqlx::query(
        "SELECT event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at
         FROM outbox_archive
         WHERE (created_at, seq) > ($1, $2) AND EXISTS (SELECT FROM UNNEST($3::text[]) root WHERE starts_with(subject, root))
         ORDER BY created_at, seq LIMIT $4",
    )
    .bind(after.created_at.to_sqlx())
    .bind(after.seq)
    .bind(roots)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> sqlx::Result<Archived> {
    let created_at: jiff_sqlx::Timestamp = row.try_get("created_at")?;
    let (seq, message) = super::relay::read(row)?;
    Ok(Archived { place: Place { created_at: created_at.to_jiff(), seq }, message })
}

/// Forgets facts older than `keep`, at most 100,000 per call, by the database's clock. Returns how many. Call it now and then;
/// several processes may.
///
/// # Errors
/// The database's; a statement that takes longer than 10 s is [`sqlx::Error::Io`].
pub async fn prune(pool: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    let keep_seconds = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
    let mut pruned = 0;
    for _ in 0..PRUNE_STATEMENTS {
        let statement = sqlx::query(
            "DELETE FROM outbox_archive WHERE event_id IN (
                 SELECT event_id FROM outbox_archive WHERE created_at < now() - $1 * interval '1 second'
                 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
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
