use std::time::Duration;

use reconciliation::Code;
use tokio_util::sync::CancellationToken;

use crate::metrics::OpenOfCode;
use crate::runs::Reconciler;
use crate::store::gauges;

/// Between two looks; about as often as anyone scrapes.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Shows what is open and how long ago each merchant was reconciled.
pub async fn show_gauges(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        if let Err(error) = show(&reconciler).await {
            tracing::warn!("cannot read what the metrics show: {error}");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn show(reconciler: &Reconciler) -> sqlx::Result<()> {
    let now = reconciler.clock.now();
    let mut conn = reconciler.pool.acquire().await?;
    let open = gauges::open_by_code(&mut conn, now).await?;
    for code in Code::ALL {
        // A code without open differences is shown as nothing, not left at its last value.
        let of_code = open.iter().find(|(found, _)| *found == code).map_or_else(OpenOfCode::default, |(_, open)| *open);
        reconciler.metrics.open(code, of_code);
    }
    for (merchant, seconds) in gauges::since_last_run(&mut conn, now).await? {
        reconciler.metrics.since_run(merchant, seconds);
    }
    Ok(())
}
