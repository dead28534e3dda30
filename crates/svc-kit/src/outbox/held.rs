//! Events that belong for a while to the process that wrote them: it publishes them from its memory, and nobody reads them.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::{PgConnection, Row as _};
use tokio::time::Instant;

use super::{Columns, Sealed};
use crate::bus::Message;

/// How long a row belongs to the process that wrote it, by the database's clock: `held_until = clock_timestamp() + HOLD`. Until
/// then no relay takes it.
///
/// It is as long as one ack may take, and a second more: to wait in memory, and to leave the outbox when the ack is there. So a
/// row that is published in time is published once. Longer than that only adds to what others wait when its process has died.
pub const HOLD: Duration = Duration::from_secs(3);

/// [`HOLD`] for a statement: `clock_timestamp() + $1::bigint * interval '1 second'`.
pub const HOLD_SECONDS: i64 = HOLD.as_secs().cast_signed();

/// Writes events in their order, held, and says which rows they are. What stands there already says nothing.
const INSERT_HELD_SQL: &str = "\
INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, held_until)
SELECT event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload,
       clock_timestamp() + $9::bigint * interval '1 second'
FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
     WITH ORDINALITY
     AS event (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, position)
ORDER BY position
ON CONFLICT (event_id) DO NOTHING
RETURNING seq, event_id";

/// Rows that this process holds, with their messages. After the commit they go to [`Waker::leave`](super::Waker::leave); after a
/// rollback, or when it is not known whether the commit succeeded, they are dropped.
///
/// Nothing is lost when they are dropped: a committed row is anybody's when its hold ends.
#[derive(Debug, Default)]
#[must_use = "committed rows that are not left to the relay wait until their hold ends"]
pub struct Held {
    pub(super) events: Vec<Leaving>,
}

/// An event on its way from memory.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) seq: i64,
    pub(super) message: Message,
    /// Not later than the beginning of its hold, as far as this process knows.
    pub(super) since: Instant,
}

impl Held {
    /// What a statement of the caller's own has written of `events`, held: it returned `(seq, event_id)` of each new row. `since` is
    /// an instant before it was sent, so that what we take for the end of the hold is never after it.
    pub fn of<'e>(since: Instant, events: impl IntoIterator<Item = &'e Sealed>, rows: Vec<(i64, String)>) -> Self {
        let mut seqs: HashMap<String, i64> = rows.into_iter().map(|(seq, event_id)| (event_id, seq)).collect();
        let leaving = |Sealed(envelope): &Sealed| {
            // The same event may stand among them twice; its row is one.
            let seq = seqs.remove(&envelope.id)?;
            Some(Leaving { seq, message: envelope.clone().into(), since })
        };
        Self { events: events.into_iter().filter_map(leaving).collect() }
    }

    /// Of no rows: somebody else had written all of them.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// Writes sealed events in their order, in one statement, and holds them for [`HOLD`]. Hand over what is returned when the
/// transaction is committed. See [`enqueue`](super::enqueue).
///
/// An event that stands in the outbox already stays as it is, and is not handed over: it is published by whoever has it.
///
/// # Errors
/// The database's; then none is written.
pub async fn enqueue_held<'e>(
    connection: &mut PgConnection,
    events: impl IntoIterator<Item = &'e Sealed> + Clone,
) -> sqlx::Result<Held> {
    let columns = Columns::of(events.clone());
    if columns.is_empty() {
        return Ok(Held::default());
    }
    // Before the database looks at its clock, so that what we take for the end of the hold is never after it.
    let since = Instant::now();
    let written = columns.query(INSERT_HELD_SQL).bind(HOLD_SECONDS).fetch_all(connection).await?;
    let rows = written.iter().map(|row| Ok((row.try_get("seq")?, row.try_get("event_id")?)));
    Ok(Held::of(since, events, rows.collect::<sqlx::Result<_>>()?))
}
