//! Reads the numbers and ages of what is undecided, for the SRE.

use std::time::Duration;

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx as _;
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Merchants,
    life::Life,
    store::{asking, measures, timely},
};

/// How often the gauges move.
const EVERY: Duration = Duration::from_secs(5);
/// An attempt that waits this long for its turn waits for something.
const OVERDUE: SignedDuration = SignedDuration::from_secs(60);

/// Works until told to stop.
pub async fn run(life: Life, merchants: Merchants, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let read = timely(async {
            let mut conn = life.pool.acquire().await?;
            let now = life.clock.now();
            let overdue = now.checked_sub(OVERDUE).unwrap_or(now);
            let waiting = asking::waiting_merchants(&mut conn, overdue).await?;
            tell_unknown(&waiting, &merchants);
            measures::measure(&mut conn, now.to_sqlx()).await
        });
        match read.await {
            Ok(read) => {
                let gauges = &life.measured;
                gauges.unknown_payments.set(read.unknown_payments);
                gauges.unknown_oldest_seconds.set(read.unknown_oldest_s);
                gauges.open_payments.set(read.open_payments);
                gauges.asking_overdue_seconds.set(read.asking_overdue_s);
                gauges.disputed_payments.set(read.disputed_payments);
                gauges.reversing_payments.set(read.reversing_payments);
                gauges.reversing_oldest_seconds.set(read.reversing_oldest_s);
                gauges.overdue_orders.set(read.overdue_orders);
                gauges.unknown_refunds.set(read.unknown_refunds);
                gauges.unknown_refunds_oldest_seconds.set(read.unknown_refunds_oldest_s);
                gauges.processing_oldest_seconds.set(read.processing_oldest_s);
                gauges.refunds_waiting_configuration.set(read.refunds_waiting_configuration);
                gauges.surplus_undecided.set(read.surplus_undecided);
                gauges.open_refunds.set(read.open_refunds);
                gauges.refunds_waiting_balance.set(read.refunds_waiting_balance);
                gauges.abnormal_refunds.set(read.abnormal_refunds);
                gauges.refunds_overdue_seconds.set(read.refunds_overdue_s);
                gauges.surplus_held_fen.set(read.surplus_held_fen);
                gauges.repairs_waiting.set(read.repairs_waiting);
                gauges.repairs_oldest_seconds.set(read.repairs_oldest_s);
            }
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "nothing measured"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Attempts of a merchant that is no longer configured are asked about by nobody.
fn tell_unknown(waiting: &[String], merchants: &Merchants) {
    let known = merchants.names();
    for merchant in waiting.iter().filter(|merchant| !known.is_empty() && !known.contains(merchant)) {
        tracing::error!(merchant, "attempts or refunds wait for their turn, but pay-gateway lists no such merchant");
    }
}
