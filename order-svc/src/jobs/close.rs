//! Closes orders whose time is over and whose attempts are all final.

use std::time::Duration;

use svc_kit::outbox;
use tokio_util::sync::CancellationToken;

use crate::{
    config::PROCESS,
    domain::settle::close,
    events,
    life::{Life, settle},
    store::{orders, payments, timely},
};

/// How often to look.
const EVERY: Duration = Duration::from_millis(500);
/// Orders in one transaction.
const BATCH: i64 = 100;

/// Works until told to stop.
pub async fn run(life: Life, stop: CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        match timely(close_batch(&life)).await {
            Ok(closed) if closed == BATCH => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot close expired orders"),
        }
        tokio::select! {
            () = life.clock.changed() => {}
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

async fn close_batch(life: &Life) -> sqlx::Result<i64> {
    let now = life.clock.now();
    let mut tx = life.pool.begin().await?;
    let ids = orders::lock_closable(&mut tx, now, BATCH).await?;
    let mut locked = orders::lock(&mut tx, &ids).await?;
    let attempts = payments::of_orders(&mut tx, &ids).await?;
    for order in &mut locked {
        let own: Vec<_> = attempts.iter().filter(|payment| payment.order_id == order.id).cloned().collect();
        if let Some(reason) = close(order, &own, now) {
            orders::update(&mut tx, order).await?;
            outbox::enqueue(&mut tx, &events::order_closed(order, now, reason), PROCESS).await?;
        }
    }
    let closed = locked.iter().any(settle::is_over);
    if closed {
        svc_kit::crash::point("order.expire.before_commit");
    }
    tx.commit().await?;
    if closed {
        svc_kit::crash::point("order.expire.committed");
    }
    life.relay.wake();
    for order in locked.iter().filter(|order| settle::is_over(order)) {
        tracing::info!(order.name = %order.id, "order closed");
    }
    Ok(i64::try_from(ids.len()).unwrap_or(BATCH))
}
