//! What each witness says, and how it is asked without disturbing anybody.

pub(super) mod applied;
pub(super) mod bus;
pub(super) mod facts;
pub(super) mod orders;
pub(super) mod reconcile;
pub(super) mod strangers;

/// One moment of a database, and no way to change it.
const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Events of an outbox that are looked at; the oldest.
const OUTBOX_ROWS: i64 = 1_000;

/// Ids in one question to a database.
const IDS_AT_ONCE: usize = 1_000;
