use sqlx::PgConnection;
use svc_kit::outbox::enqueue_many;

use super::audit::{Action, Entry};
use super::told;
use crate::PROCESS;
use crate::runs::DiscrepancyState;
use crate::store::discrepancies::{self, FoundBy};
use crate::store::{audit, locks, subjects};

/// Differences read and told at once: one statement's worth of memory.
const BATCH: usize = 1000;

/// Opens what a version told and what has ended since, because its day came to the same once more; answers how many that were.
/// Whatever somebody is at stays what it is. Called in a transaction that holds the merchant and the claim.
pub async fn found_again(conn: &mut PgConnection, by: &FoundBy<'_>) -> sqlx::Result<usize> {
    let ids = discrepancies::ended(conn, by.run_id).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    locks::differences(conn, ids.clone()).await?;
    discrepancies::reopen(conn, by, &ids).await?;
    let detail = format!("found again by runs/{}, {} of {}", by.run_id, by.day, by.merchant);
    let mut again = Vec::with_capacity(ids.len());
    for batch in ids.chunks(BATCH) {
        again.extend(subjects::lock(conn, batch).await?);
    }
    let entry = |subject: &subjects::Subject| Entry {
        actor: PROCESS.to_owned(),
        action: if subject.state == DiscrepancyState::Held { Action::Held } else { Action::Reopened },
        discrepancy: subject.id,
        detail: detail.clone(),
    };
    let first = audit::append(conn, &again.iter().map(entry).collect::<Vec<_>>(), by.now).await?;
    // What only waits is told when its time is over.
    let open: Vec<_> =
        again.iter().zip(first..).filter(|(subject, _)| subject.state != DiscrepancyState::Held).collect();
    for batch in open.chunks(BATCH) {
        // Its version told it before, so this is said by the audit log.
        let events: Vec<_> = batch.iter().map(|(subject, sequence)| told::opened(subject, *sequence)).collect();
        enqueue_many(conn, &events, PROCESS).await?;
    }
    Ok(again.len())
}
