//! Removes answers, applied event ids, archived events and answered repairs that nobody will ask for any more.

use std::time::Duration;

use svc_kit::{inbox, outbox::archive};
use tokio_util::sync::CancellationToken;

use crate::{
    life::Life,
    store::{repairs, requests, timely},
};

/// How often to look.
const EVERY: Duration = Duration::from_mins(10);
/// Callers retry for minutes; finance asks about a request after weeks.
const REQUEST_DAYS: i32 = 100;
/// Repairs are not forgotten before the streams forget what was told of them: `payctl promises` compares the two.
const REPAIR_DAYS: i32 = 101;
/// Rows in one statement.
const BATCH: i64 = 1_000;
/// Statements in one go; what is left waits for the next.
const STATEMENTS: u32 = 1_000;

/// Works until told to stop. Archived events and answered repairs are kept for `archive_keep_days`.
pub async fn run(life: Life, archive_keep_days: u32, stop: CancellationToken) -> anyhow::Result<()> {
    let archive_keep = Duration::from_hours(u64::from(archive_keep_days) * 24);
    let repair_days = i32::try_from(archive_keep_days).unwrap_or(i32::MAX).max(REPAIR_DAYS);
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
        let pruned = async {
            let mut conn = life.pool.acquire().await?;
            let mut requests = 0;
            for _ in 0..STATEMENTS {
                let removed = timely(requests::prune(&mut conn, REQUEST_DAYS, BATCH)).await?;
                requests += removed;
                if removed == 0 || stop.is_cancelled() {
                    break;
                }
            }
            let mut repairs = 0;
            for _ in 0..STATEMENTS {
                let removed = timely(repairs::prune(&mut conn, repair_days, BATCH)).await?;
                repairs += removed;
                if removed == 0 || stop.is_cancelled() {
                    break;
                }
            }
            drop(conn);
            let events = inbox::prune(&life.pool, inbox::KEEP).await?;
            let archived = archive::prune(&life.pool, archive_keep).await?;
            Ok::<_, sqlx::Error>((requests, repairs, events, archived))
        };
        match pruned.await {
            Ok((requests, repairs, events, archived)) => tracing::debug!(requests, repairs, events, archived, "pruned"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot prune"),
        }
    }
}
