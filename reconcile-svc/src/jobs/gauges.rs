use std::time::Duration;

use jiff::ToSpan as _;
use reconciliation::Code;
use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::metrics::{MerchantDays, OpenOfCode};
use crate::runs::Reconciler;
use crate::store::gauges;

/// Between two looks; about as often as anyone scrapes.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Shows what is open and how far each merchant's days are.
pub async fn show_gauges(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    let mut merchants = Vec::new();
    loop {
        // Merchants that are configured: a retired one shall not be missed for ever. While the gateway is away, those of before.
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            listed = reconciler.gateway.merchants() => match listed {
                Ok(configured) => merchants = configured.into_keys().collect(),
                Err(error) => tracing::debug!("the metrics show the merchants of before: {error}"),
            }
        }
        if let Err(error) = timely(show(&reconciler, &merchants)).await {
            tracing::warn!("cannot read what the metrics show: {error}");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn show(reconciler: &Reconciler, merchants: &[String]) -> sqlx::Result<()> {
    let now = reconciler.clock.now();
    let mut conn = reconciler.pool.acquire().await?;
    // All of it is read before any of it is shown, so that nothing old stands beside what is new when a statement fails.
    let open = gauges::open_by_code(&mut conn, now).await?;
    let today = wechat_pay::time::bill_date(now);
    let since = gauges::since_last_run(&mut conn, now).await?;
    let compared = gauges::compared(&mut conn, today.saturating_sub(1.day())).await?;
    let refused = gauges::refused_days(&mut conn, today).await?;
    let unanswered = gauges::oldest_unanswered(&mut conn).await?;
    for code in Code::ALL {
        // A code without open differences is shown as nothing, not left at its last value.
        let of_code = open.iter().find(|(found, _)| *found == code).map_or_else(OpenOfCode::default, |(_, open)| *open);
        reconciler.metrics.open(code, of_code);
    }
    let days = |merchant: &String| MerchantDays {
        merchant: merchant.clone(),
        since_run_seconds: since.get(merchant).copied(),
        yesterday_uncompared: !compared.contains(merchant),
        control_failed: refused.get(merchant).copied().unwrap_or_default(),
    };
    reconciler.metrics.merchants(&merchants.iter().map(days).collect::<Vec<_>>());
    reconciler.metrics.unanswered(unanswered);
    Ok(())
}
