use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{Action, Entry};
use crate::PROCESS;
use crate::store::audit;

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
    /// Were PROPOSED about other amounts, and are OPEN again.
    pub withdrawn: &'a [Uuid],
    /// Were found before and no longer are: RESOLVED. Those that only waited are among them.
    pub resolved: &'a [Uuid],
}

/// Called in the transaction that makes a run final, after its differences were written: each step stands in the audit log.
pub async fn after_run(conn: &mut PgConnection, steps: &Steps<'_>) -> sqlx::Result<()> {
    let waived: HashSet<Uuid> = audit::last_waived(conn, steps.reopened).await?.into_iter().collect();
    let by = format!("runs/{}, {} of {}", steps.run_id, steps.day, steps.merchant);
    let entry =
        |discrepancy: Uuid, action, detail: String| Entry { actor: PROCESS.to_owned(), action, discrepancy, detail };
    let mut entries = Vec::new();
    entries.extend(steps.opened.iter().map(|id| entry(*id, Action::Opened, format!("found by {by}"))));
    entries.extend(steps.held.iter().map(|id| entry(*id, Action::Held, format!("missed by {by}; it may still come"))));
    entries.extend(steps.ripened.iter().map(|id| entry(*id, Action::Opened, format!("still missed by {by}"))));
    entries.extend(steps.reopened.iter().map(|id| {
        let action = if waived.contains(id) { Action::WaiverEnded } else { Action::Reopened };
        entry(*id, action, format!("found again by {by}"))
    }));
    entries.extend(
        steps
            .withdrawn
            .iter()
            .map(|id| entry(*id, Action::Rejected, format!("proposed about other amounts than those found by {by}"))),
    );
    entries.extend(steps.resolved.iter().map(|id| entry(*id, Action::Resolved, format!("no longer found by {by}"))));
    if !entries.is_empty() {
        audit::append(conn, &entries, steps.now).await?;
    }
    Ok(())
}
