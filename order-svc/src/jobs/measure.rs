//! Reads the numbers and ages of what is undecided, for the SRE.

use std::time::Duration;

use jiff_sqlx::ToSqlx as _;
use tokio_util::sync::CancellationToken;

use crate::{life::Life, store::measures};

/// How often the gauges move.
const EVERY: Duration = Duration::from_secs(5);

/// Works until told to stop.
pub async fn run(life: Life, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let read = async {
            let mut conn = life.pool.acquire().await?;
            measures::measure(&mut conn, life.clock.now().to_sqlx()).await
        };
        match read.await {
            Ok(read) => {
                let gauges = &life.measured;
                gauges.unknown_payments.set(read.unknown_payments);
                gauges.unknown_oldest_seconds.set(read.unknown_oldest_s);
                gauges.open_payments.set(read.open_payments);
                gauges.asking_overdue_seconds.set(read.asking_overdue_s);
                gauges.disputed_payments.set(read.disputed_payments);
                gauges.overdue_orders.set(read.overdue_orders);
            }
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "nothing measured"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}
