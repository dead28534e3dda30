use jiff::civil::Date;
use svc_kit::outbox::enqueue_many;

use super::audit::{Action, Entry};
use super::told;
use crate::PROCESS;
use crate::runs::Reconciler;
use crate::store::{audit, subjects};

/// Differences opened again in one transaction.
const BATCH: i64 = 256;

/// Opens differences again that somebody lived with until `today`, and answers how many; there may be more when it is not 0.
pub async fn end_waivers(reconciler: &Reconciler, today: Date) -> sqlx::Result<usize> {
    let now = reconciler.clock.now();
    let mut tx = reconciler.pool.begin().await?;
    let ids = subjects::lock_waived_until(&mut tx, today, BATCH).await?;
    let ended = subjects::lock(&mut tx, &ids).await?;
    if ended.is_empty() {
        return Ok(0);
    }
    subjects::waivers_ended(&mut tx, &ids).await?;
    let entry = |subject: &subjects::Subject| Entry {
        actor: PROCESS.to_owned(),
        action: Action::WaiverEnded,
        discrepancy: subject.id,
        detail: format!("its day, {today}, has come"),
    };
    let first = audit::append(&mut tx, &ended.iter().map(entry).collect::<Vec<_>>(), now).await?;
    let opened: Vec<_> = ended.iter().zip(first..).map(|(subject, sequence)| told::opened(subject, sequence)).collect();
    enqueue_many(&mut tx, &opened, PROCESS).await?;
    tx.commit().await?;
    reconciler.relay.wake();
    tracing::info!(count = ended.len(), "{} waivers have ended", ended.len());
    Ok(ended.len())
}
