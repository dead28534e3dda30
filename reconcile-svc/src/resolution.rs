//! The life of a difference after a run has found it: who is told, who is asked, who decided.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

/// What one run did to the differences of its merchant. No id stands in two of the lists.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// The run.
    pub run_id: Uuid,
    /// Merchant account.
    pub merchant: &'a str,
    /// The run's day. What it resolved may be of another one: a payment about midnight.
    pub day: Date,
    /// When.
    pub now: Timestamp,
    /// Never seen before, and OPEN.
    pub opened: &'a [Uuid],
    /// Never seen before or RESOLVED, and HELD.
    pub held: &'a [Uuid],
    /// Were HELD, have waited long enough, and are OPEN.
    pub ripened: &'a [Uuid],
    /// Were RESOLVED, or WAIVED until now, and are OPEN again.
    pub reopened: &'a [Uuid],
    /// Were found before and no longer are: RESOLVED. Those that only waited are among them.
    pub resolved: &'a [Uuid],
}

/// Called in the transaction that makes a run final, after its differences were written.
pub async fn after_run(_conn: &mut PgConnection, _steps: &Steps<'_>) -> sqlx::Result<()> {
    Ok(())
}
