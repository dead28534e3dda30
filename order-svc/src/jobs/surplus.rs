//! Decides about money that no order can keep. The surplus itself is recorded with its fact; what is done with it is decided
//! here, from what the database says, so that no crash between the two can forget it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{gateway::Merchants, life::Life, store::timely};

/// How often to look. The index holds nothing that is decided, so looking costs nothing.
const EVERY: Duration = Duration::from_millis(500);
/// Payments in one look.
const BATCH: i64 = 100;

/// Works until told to stop.
pub async fn run(life: Life, merchants: Merchants, stop: CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        if let Err(error) = decide_all(&life, &merchants).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot decide about surplus payments");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

async fn decide_all(life: &Life, merchants: &Merchants) -> sqlx::Result<()> {
    let undecided = timely(async {
        let mut conn = life.pool.acquire().await?;
        // Those of a merchant that is not configured wait, and hold up nobody else's.
        crate::store::payments::undecided_surplus(&mut conn, &merchants.names(), BATCH).await
    });
    for (payment, order) in undecided.await? {
        if let Err(error) = timely(life.decide_surplus(order, payment, merchants)).await {
            let (number, error) = (payment.out_trade_no(), &error as &dyn std::error::Error);
            tracing::warn!(
                out_trade_no = number,
                error,
                "cannot decide about a surplus payment; it is looked at again"
            );
        }
    }
    Ok(())
}
