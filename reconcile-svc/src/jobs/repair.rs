use std::time::Duration;

use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::resolution;
use crate::runs::Reconciler;

/// Between two looks when no run rings.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Asks order-svc about differences that a question to the provider may end, and gives up what it does not answer. order-svc asks,
/// applies what the provider says on the normal road, and tells what came of it; the bill itself proves nothing.
pub async fn ask_for_repairs(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let more = match look(&reconciler).await {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!("order-svc could not be asked about differences: {error}");
                false
            }
        };
        if stop.is_cancelled() {
            return Ok(());
        }
        if more {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = reconciler.to_ask.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Whether there may be more to ask about.
async fn look(reconciler: &Reconciler) -> sqlx::Result<bool> {
    let asked = timely(resolution::ask_about_due(reconciler)).await?;
    reconciler.metrics.repaired("requested", asked.count);
    let given_up = timely(resolution::give_up_unanswered(reconciler)).await?;
    reconciler.metrics.repaired("unanswered", given_up);
    Ok(asked.more)
}
