//! Removes answers, applied event ids and archived events that nobody will ask for any more.

use std::time::Duration;

use svc_kit::{inbox, outbox::archive};
use tokio_util::sync::CancellationToken;

use crate::{
    life::Life,
    store::{requests, timely},
};

/// How often to look.
const EVERY: Duration = Duration::from_mins(10);
/// Callers retry for minutes; finance asks about a request after weeks.
const REQUEST_DAYS: i32 = 100;
/// Rows in one statement.
const BATCH: i64 = 1_000;
/// Statements in one go; what is left waits for the next.
const STATEMENTS: u32 = 1_000;

/// Works until told to stop. Archived events are kept for `archive_keep`.
pub async fn run(life: Life, archive_keep: Duration, stop: CancellationToken) -> anyhow::Result<()> {
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
            drop(conn);
            let events = inbox::prune(&life.pool, inbox::KEEP).await?;
            let archived = archive::prune(&life.pool, archive_keep).await?;
            Ok::<_, sqlx::Error>((requests, events, archived))
        };
        match pruned.await {
            Ok((requests, events, archived)) => tracing::debug!(requests, events, archived, "pruned"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot prune"),
        }
    }
}
