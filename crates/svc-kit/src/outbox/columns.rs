//! Events as the values that one statement takes.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use super::Sealed;

/// Sealed events as columns of the outbox, one value of each per event, in their order: for a statement that writes events
/// together with something else, such as `INSERT INTO outbox (…) SELECT … FROM UNNEST($1::text[], …, $8::bytea[]) …`. The names are
/// the table's.
#[derive(Clone, Debug, Default)]
pub struct Columns<'e> {
    /// Ids of the facts; `text[]`.
    pub event_id: Vec<&'e str>,
    /// Subjects they are published on; `text[]`.
    pub subject: Vec<&'e str>,
    /// The header `ce-type`; `text[]`.
    pub ce_type: Vec<&'e str>,
    /// The header `ce-source`; `text[]`.
    pub ce_source: Vec<&'e str>,
    /// The header `ce-subject`; `text[]`.
    pub ce_subject: Vec<&'e str>,
    /// The header `ce-time`, as text; `text[]`.
    pub ce_time: Vec<&'e str>,
    /// The header `traceparent` of whoever made it; `text[]` with nulls.
    pub traceparent: Vec<Option<&'e str>>,
    /// Bodies as they go out; `bytea[]`.
    pub payload: Vec<&'e [u8]>,
}

/// One sealed event as a row of the outbox: for a statement that writes it together with something else and takes no lists. The names
/// are the table's; see [`Columns`].
#[derive(Clone, Copy, Debug)]
pub struct Values<'e> {
    /// The fact's id.
    pub event_id: &'e str,
    /// The subject it is published on.
    pub subject: &'e str,
    /// The header `ce-type`.
    pub ce_type: &'e str,
    /// The header `ce-source`.
    pub ce_source: &'e str,
    /// The header `ce-subject`.
    pub ce_subject: &'e str,
    /// The header `ce-time`, as text.
    pub ce_time: &'e str,
    /// The header `traceparent` of whoever made it.
    pub traceparent: Option<&'e str>,
    /// The body as it goes out.
    pub payload: &'e [u8],
}

impl Sealed {
    /// It as a row of the outbox.
    pub fn values(&self) -> Values<'_> {
        let Self(envelope) = self;
        Values {
            event_id: &envelope.id,
            subject: &envelope.subject,
            ce_type: &envelope.event_type,
            ce_source: &envelope.source,
            ce_subject: &envelope.about,
            ce_time: &envelope.time,
            traceparent: envelope.traceparent.as_deref(),
            payload: &envelope.payload,
        }
    }
}

impl<'e> Columns<'e> {
    /// The columns of these events, in their order.
    pub fn of(events: impl IntoIterator<Item = &'e Sealed>) -> Self {
        let mut columns = Self::default();
        for event in events {
            let values = event.values();
            columns.event_id.push(values.event_id);
            columns.subject.push(values.subject);
            columns.ce_type.push(values.ce_type);
            columns.ce_source.push(values.ce_source);
            columns.ce_subject.push(values.ce_subject);
            columns.ce_time.push(values.ce_time);
            columns.traceparent.push(values.traceparent);
            columns.payload.push(values.payload);
        }
        columns
    }

    /// Of no events.
    pub fn is_empty(&self) -> bool {
        self.event_id.is_empty()
    }

    /// A statement with these as `$1` to `$8`.
    pub(super) fn query(self, sql: &'static str) -> Query<'e, Postgres, PgArguments> {
        sqlx::query(sql)
            .bind(self.event_id)
            .bind(self.subject)
            .bind(self.ce_type)
            .bind(self.ce_source)
            .bind(self.ce_subject)
            .bind(self.ce_time)
            .bind(self.traceparent)
            .bind(self.payload)
    }
}
