//! Who is watching which order. One query per moment asks about all of them, so a thousand watchers cost what one does,
//! and no commit has to notify anybody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{domain::OrderId, store::orders};

/// How soon a change is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Watched orders of one process.
const MAX_WATCHED: usize = 10_000;
/// Ids in one query.
const BATCH: usize = 1_000;

/// The watched orders and their versions. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Watchers {
    watched: Arc<Mutex<HashMap<Uuid, watch::Sender<i64>>>>,
}

impl Watchers {
    /// Follows the version of an order. `None` when this process watches as many as it can.
    pub fn follow(&self, order: OrderId) -> Option<watch::Receiver<i64>> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(&order.0) {
            return Some(sender.subscribe());
        }
        if MAX_WATCHED <= watched.len() {
            return None;
        }
        let (sender, receiver) = watch::channel(0);
        watched.insert(order.0, sender);
        Some(receiver)
    }

    /// Looks at the watched orders until told to stop.
    pub async fn look(self, pool: PgPool, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => {
                    // Every stream ends with the process; its caller asks another replica.
                    self.watched.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    return Ok(());
                }
            }
            let ids: Vec<Uuid> = {
                let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
                watched.retain(|_, sender| !sender.is_closed());
                watched.keys().copied().collect()
            };
            for ids in ids.chunks(BATCH) {
                match self.look_at(&pool, ids).await {
                    Ok(()) => {}
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, "watched orders not read");
                    }
                }
            }
        }
    }

    async fn look_at(&self, pool: &PgPool, ids: &[Uuid]) -> sqlx::Result<()> {
        let versions = {
            let mut conn = pool.acquire().await?;
            orders::versions(&mut conn, ids).await?
        };
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, version) in versions {
            if let Some(sender) = watched.get(&id) {
                sender.send_if_modified(|known| std::mem::replace(known, version) != version);
            }
        }
        Ok(())
    }
}
