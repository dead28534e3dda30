use std::time::Duration;

use jiff::ToSpan as _;
use svc_kit::inbox;
use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::runs::Reconciler;
use crate::store::bills;

/// Between two rounds.
const EVERY: Duration = Duration::from_hours(1);

/// Bills forgotten in one statement; each has up to some hundred pieces of a megabyte.
const BILLS_AT_ONCE: i64 = 1;

/// Forgets which facts were applied long ago, and bills of days that are more than `bill_keep_days` ago.
pub async fn forget_what_is_old(
    reconciler: Reconciler,
    bill_keep_days: u32,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        match inbox::prune(&reconciler.pool, inbox::KEEP).await {
            Ok(pruned) => tracing::debug!(pruned, "forgot {pruned} facts applied long ago"),
            Err(error) => tracing::warn!("old facts could not be forgotten: {error}"),
        }
        match forget_bills(&reconciler, bill_keep_days, &stop).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "forgot {forgotten} bills of long ago"),
            Err(error) => tracing::warn!("old bills could not be forgotten: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn forget_bills(reconciler: &Reconciler, keep_days: u32, stop: &CancellationToken) -> sqlx::Result<u64> {
    let today = wechat_pay::time::bill_date(reconciler.clock.now());
    let oldest = today.saturating_sub(i64::from(keep_days).days());
    let mut all = 0;
    while !stop.is_cancelled() {
        let forget =
            async { bills::forget_before(&mut *reconciler.pool.acquire().await?, oldest, BILLS_AT_ONCE).await };
        let forgotten = timely(forget).await?;
        all += forgotten;
        if forgotten == 0 {
            break;
        }
    }
    Ok(all)
}
