use std::time::Duration;

use jiff::ToSpan as _;
use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::resolution::{DayToLookAt, days_to_look_at, look_later, looked_at};
use crate::runs::Reconciler;

/// For so long a provider's bills can be had. Source: WeChat Pay v2 docs, "Download transaction bill", read 2026-08.
const KEPT_MONTHS: i64 = 3;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Runs days again whose differences order-svc may have ended, so that people do not wait half an hour to see it.
pub async fn look_again_after_repairs(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let due = timely(async { days_to_look_at(&mut *reconciler.pool.acquire().await?).await });
        match due.await {
            Ok(days) => {
                for day in days {
                    if stop.is_cancelled() {
                        return Ok(());
                    }
                    if let Err(error) = look(&reconciler, &day).await {
                        tracing::warn!("a day that was looked at again could not be noted: {error}");
                    }
                }
            }
            Err(error) => tracing::warn!("cannot see which days are to be looked at again: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn look(reconciler: &Reconciler, day: &DayToLookAt) -> sqlx::Result<()> {
    let today = wechat_pay::time::bill_date(reconciler.clock.now());
    if day.bill_date < today.saturating_sub(KEPT_MONTHS.months()) {
        // What is known of it now is on the page of the payment or refund; its bill can never be compared again.
        tracing::info!(merchant = day.merchant, day = %day.bill_date, "not looked at again: its bill is no longer to be had");
        return timely(async { looked_at(&mut *reconciler.pool.acquire().await?, day).await }).await;
    }
    let ran = reconciler.reconcile(&day.merchant, day.bill_date).await;
    timely(async {
        let mut conn = reconciler.pool.acquire().await?;
        match ran {
            Ok(_) => looked_at(&mut conn, day).await,
            Err(error) => {
                tracing::warn!(merchant = day.merchant, day = %day.bill_date, "not looked at again, trying in half an hour: {error}");
                look_later(&mut conn, day).await
            }
        }
    })
    .await
}
