use std::time::Duration;

use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::runs::Reconciler;
use crate::store::claims;

/// Between two looks; a lease has 60 s, so a dead process's day is taken up within 70 s.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Days taken up per look.
const MAX_DAYS: i64 = 10;

/// Takes up runs that another process left behind.
pub async fn take_up_interrupted(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let left = timely(async { claims::left_behind(&mut *reconciler.pool.acquire().await?, MAX_DAYS).await });
        match left.await {
            Ok(days) => {
                for (merchant, day) in days {
                    if stop.is_cancelled() {
                        return Ok(());
                    }
                    if let Err(error) = reconciler.reconcile(&merchant, day).await {
                        tracing::warn!(merchant, %day, "an interrupted run could not be taken up: {error}");
                    }
                }
            }
            Err(error) => tracing::warn!("cannot look for interrupted runs: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
