use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::runs::Reconciler;
use crate::store::claims;

/// Between two looks; a lease has 60 s, so a dead process's day is taken up within 70 s.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a run may still be worked on after a stop: it fits into the drain.
const LAST_WORK_TIME: Duration = Duration::from_secs(10);

/// Days taken up per look.
const MAX_DAYS: i64 = 10;

/// Takes up runs that another process left behind.
pub async fn take_up_interrupted(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let left = async { claims::left_behind(&mut *reconciler.pool.acquire().await?, MAX_DAYS).await };
        // A database that went silent in the middle of an answer must not hold up a stop.
        let Some(left) = stop.run_until_cancelled(left).await else { return Ok(()) };
        match left {
            Ok(days) => {
                for (merchant, day) in days {
                    if stop.is_cancelled() {
                        return Ok(());
                    }
                    let taken_up = tokio::select! {
                        taken_up = reconciler.reconcile(&merchant, day) => taken_up,
                        // Whoever comes next takes it up again, as after a crash.
                        () = cut_off(&stop) => return Ok(()),
                    };
                    if let Err(error) = taken_up {
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

/// Returns when a run that was begun before a stop may no longer be worked on.
async fn cut_off(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_WORK_TIME).await;
}
