use std::time::Duration;

use svc_kit::inbox;
use tokio_util::sync::CancellationToken;

use crate::runs::Reconciler;

/// Between two rounds.
const EVERY: Duration = Duration::from_hours(1);

/// Forgets which facts were applied long ago.
pub async fn forget_old_facts(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        match inbox::prune(&reconciler.pool, inbox::KEEP).await {
            Ok(pruned) => tracing::debug!(pruned, "forgot {pruned} facts applied long ago"),
            Err(error) => tracing::warn!("old facts could not be forgotten: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
