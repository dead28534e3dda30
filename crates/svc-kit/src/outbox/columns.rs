//! Events as the lists that one statement takes.

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

impl<'e> Columns<'e> {
    /// The columns of these events, in their order.
    pub fn of(events: impl IntoIterator<Item = &'e Sealed>) -> Self {
        let mut columns = Self::default();
        for Sealed(envelope) in events {
            columns.event_id.push(&envelope.id);
            columns.subject.push(&envelope.subject);
            columns.ce_type.push(&envelope.event_type);
            columns.ce_source.push(&envelope.source);
            columns.ce_subject.push(&envelope.about);
            columns.ce_time.push(&envelope.time);
            columns.traceparent.push(envelope.traceparent.as_deref());
            columns.payload.push(&envelope.payload);
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
