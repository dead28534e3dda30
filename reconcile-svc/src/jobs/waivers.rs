use std::time::Duration;

use jiff::Timestamp;
use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::resolution;
use crate::runs::Reconciler;

/// After a look that failed.
const TRY_AGAIN: Duration = Duration::from_mins(1);

/// Opens differences again on the day until which somebody lived with them: soon after midnight in Beijing.
pub async fn end_waivers_of_the_day(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let today = wechat_pay::time::bill_date(reconciler.clock.now());
        let failed = loop {
            match timely(resolution::end_waivers(&reconciler, today)).await {
                Ok(0) => break false,
                Ok(_) if stop.is_cancelled() => break false,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!("waivers that have ended could not be seen: {error}");
                    break true;
                }
            }
        };
        let midnight = today.tomorrow().ok().and_then(wechat_pay::time::day_start).unwrap_or(Timestamp::MAX);
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = reconciler.clock.sleep_until(midnight), if !failed => {}
            () = tokio::time::sleep(TRY_AGAIN), if failed => {}
        }
    }
}
