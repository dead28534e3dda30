//! The statements by which rows leave the outbox.
//!
//! `ctid` is where a row stands. Its lock keeps it there until the statement ends, so that it is looked up once. A row that
//! somebody has changed at that very moment stands elsewhere: it is left alone, and is there for the next statement.

/// Begins a round. The plans of a round's statements are kept, whatever the table was like when they were made: one made for an
/// empty table would read and sort all of a full one.
pub(super) const BEGIN_SQL: &str = "BEGIN; SET LOCAL enable_seqscan = off";

/// Whether there is a row that is not among `$1` and that no process holds for itself. A hold that would end later than any that begins
/// now was written by a clock that has been put back since, and is none.
pub(super) const LOOK_SQL: &str = "\
SELECT EXISTS (SELECT FROM outbox WHERE seq <> ALL($1)
      AND (held_until IS NULL OR held_until NOT BETWEEN now() AND now() + interval '1 minute'))";

/// Locks the oldest such rows that no other relay has. They stay.
pub(super) const LOCK_SQL: &str = "\
SELECT seq, event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload
FROM outbox WHERE seq <> ALL($1)
      AND (held_until IS NULL OR held_until NOT BETWEEN now() AND now() + interval '1 minute')
ORDER BY seq LIMIT 512 FOR UPDATE SKIP LOCKED";

/// Lets the rows `$1` be anybody's, except for those that a relay has.
pub(super) const RELEASE_SQL: &str = "\
UPDATE outbox SET held_until = NULL WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM outbox WHERE seq = ANY($1) ORDER BY seq FOR UPDATE SKIP LOCKED))";

/// What is done with rows that are published.
#[derive(Debug)]
pub(super) struct Statements {
    /// Lets those rows leave that [`LOCK_SQL`] would lock, and answers with the same columns.
    pub(super) take: &'static str,
    /// Lets the rows `$1` leave, held or not, except for those that another relay has: they are its to publish.
    pub(super) settle: &'static str,
}

/// Published rows are deleted.
pub(super) const DELETING: Statements = Statements {
    take: "\
WITH gone AS (
    DELETE FROM outbox WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM outbox WHERE seq <> ALL($1)
      AND (held_until IS NULL OR held_until NOT BETWEEN now() AND now() + interval '1 minute')
        ORDER BY seq LIMIT 512 FOR UPDATE SKIP LOCKED))
    RETURNING *)
SELECT seq, event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload FROM gone ORDER BY seq",
    settle: "\
DELETE FROM outbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM outbox WHERE seq = ANY($1) ORDER BY seq FOR UPDATE SKIP LOCKED))",
};

/// Published rows move into the archive. What stands there already is left as it is. They are written in the order of their ids, as
/// everybody writes there, so that two cannot wait for each other.
pub(super) const MOVING: Statements = Statements {
    take: "\
WITH gone AS (
    DELETE FROM outbox WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM outbox WHERE seq <> ALL($1)
      AND (held_until IS NULL OR held_until NOT BETWEEN now() AND now() + interval '1 minute')
        ORDER BY seq LIMIT 512 FOR UPDATE SKIP LOCKED))
    RETURNING *),
kept AS (
    INSERT INTO outbox_archive
        (event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at)
    SELECT event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at FROM gone
    ORDER BY event_id COLLATE \"C\"
    ON CONFLICT (event_id) DO NOTHING)
SELECT seq, event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload FROM gone ORDER BY seq",
    settle: "\
WITH gone AS (
    DELETE FROM outbox WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM outbox WHERE seq = ANY($1) ORDER BY seq FOR UPDATE SKIP LOCKED))
    RETURNING *)
INSERT INTO outbox_archive
    (event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at)
SELECT event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at FROM gone
ORDER BY event_id COLLATE \"C\"
ON CONFLICT (event_id) DO NOTHING",
};
