//! The transactional outbox: state and event commit together, or not at all.
//!
//! A service copies [`MIGRATION_SQL`] into its own migration, calls [`enqueue`] in the transaction that changes its state,
//! and runs one [`Relay`] per process, which publishes what is committed. An event is published at least once: a crash
//! between the stream's ack and the relay's commit sends it again, with the same id, which consumers expect.
//!
//! What [`enqueue_held`] writes leaves from memory: the row belongs to its process for [`HOLD`], which publishes it without reading
//! it and deletes it afterwards. Whatever goes wrong, it is an event as any other when its hold ends.
//!
//! Events leave in the order of `seq`, except that a refused one rests while later ones go, that several relays (one per
//! replica) take different rows at the same time, and that what leaves from memory waits for none of them. Consumers must not rely on the order.

pub mod archive;
mod columns;
mod express;
mod held;
mod metrics;
mod relay;
mod resting;
mod settling;
mod statements;
mod waker;

pub use columns::{Columns, Values};
pub use held::{HOLD, HOLD_SECONDS, Held, enqueue_held};
pub use relay::Relay;
pub use waker::{Places, Waker};

use proto::event::Event;
use sqlx::PgConnection;

use crate::bus::Envelope;

/// The outbox's table, to be copied into a migration of the service. `payload` is the body as it goes out; the `ce_…` columns
/// are the headers of the same names. `held_until` is until when the row belongs to the process that wrote it; null: to nobody.
pub const MIGRATION_SQL: &str = "\
CREATE TABLE outbox (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text NOT NULL UNIQUE,
    subject     text NOT NULL,
    ce_type     text NOT NULL,
    ce_source   text NOT NULL,
    ce_subject  text NOT NULL,
    ce_time     text NOT NULL,
    traceparent text,
    payload     bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    held_until  timestamptz
);
";

/// Writes an event in the caller's transaction. `source` is the name of the process. Wake the relay after the commit, or let
/// it find the event within a second.
///
/// The same event again, before the first was published, is written once; while the first is being published, this waits.
///
/// # Errors
/// The database's. An event that no message can carry is [`sqlx::Error::Encode`]: only a bug makes one.
pub async fn enqueue<E: Event>(connection: &mut PgConnection, event: &E, source: &str) -> sqlx::Result<()> {
    enqueue_many(connection, std::slice::from_ref(event), source).await
}

/// Writes events in their order, in one statement. See [`enqueue`].
///
/// # Errors
/// As [`enqueue`]; then none is written.
pub async fn enqueue_many<E: Event>(connection: &mut PgConnection, events: &[E], source: &str) -> sqlx::Result<()> {
    let sealed = events.iter().map(|event| Sealed::of(event, source)).collect::<sqlx::Result<Vec<_>>>()?;
    enqueue_sealed(connection, &sealed).await
}

/// An event as it will be written, with the trace of whoever made it: events of several calls go together, and each stays in
/// the trace of its own call.
#[derive(Clone, Debug)]
pub struct Sealed(Envelope);

impl Sealed {
    /// Seals an event in the current span. `source` is the name of the process.
    ///
    /// # Errors
    /// [`sqlx::Error::Encode`] for an event that no message can carry: only a bug makes one.
    pub fn of<E: Event>(event: &E, source: &str) -> sqlx::Result<Self> {
        Envelope::of(event, source).map(Self).map_err(|error| sqlx::Error::Encode(error.into()))
    }
}

/// Writes events in their order; nobody holds them.
const INSERT_SQL: &str = "\
INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload)
SELECT event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload
FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
     WITH ORDINALITY
     AS event (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, position)
ORDER BY position
ON CONFLICT (event_id) DO NOTHING";

/// Writes sealed events in their order, in one statement. See [`enqueue`].
///
/// # Errors
/// The database's; then none is written.
pub async fn enqueue_sealed(
    connection: &mut PgConnection,
    events: impl IntoIterator<Item = &Sealed>,
) -> sqlx::Result<()> {
    let columns = Columns::of(events);
    if !columns.is_empty() {
        columns.query(INSERT_SQL).execute(connection).await?;
    }
    Ok(())
}
