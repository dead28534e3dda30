//! Who is watching which order. One query per moment asks about all of them, so a thousand watchers cost what one does,
//! and no commit has to notify anybody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::OrderId,
    store::{orders, timely},
};

/// How soon a change is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Streams of one process.
const MAX_STREAMS: usize = 10_000;
/// Ids in one query.
const BATCH: usize = 1_000;

type Versions = HashMap<Uuid, watch::Sender<i64>>;

/// The watched orders and their versions. Clones share them.
#[derive(Clone, Debug)]
pub struct Watchers {
    /// Nothing any more once the process stops, so that no late stream waits for a change that nobody looks for.
    watched: Arc<Mutex<Option<Versions>>>,
    streams: Arc<Semaphore>,
}

impl Default for Watchers {
    fn default() -> Self {
        Self::new()
    }
}

/// One stream that follows an order.
#[derive(Debug)]
pub struct Following {
    /// The order's version; it ends when the process stops.
    pub versions: watch::Receiver<i64>,
    _place: OwnedSemaphorePermit,
}

impl Watchers {
    /// Nobody watches yet.
    pub fn new() -> Self {
        let streams = Arc::new(Semaphore::new(MAX_STREAMS));
        Self { watched: Arc::new(Mutex::new(Some(HashMap::new()))), streams }
    }

    /// Follows the version of an order. `None` when this process has as many streams as it takes, or stops.
    pub fn follow(&self, order: OrderId) -> Option<Following> {
        let place = Arc::clone(&self.streams).try_acquire_owned().ok()?;
        let mut watched = self.watched();
        let versions = watched.as_mut()?.entry(order.0).or_insert_with(|| watch::Sender::new(0)).subscribe();
        Some(Following { versions, _place: place })
    }

    fn watched(&self) -> MutexGuard<'_, Option<Versions>> {
        // Nothing panics while it is held.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the watched orders until told to stop.
    pub async fn look(self, pool: PgPool, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => {
                    // Every stream ends with the process; its caller asks another replica.
                    *self.watched() = None;
                    return Ok(());
                }
            }
            let ids: Vec<Uuid> = {
                let mut watched = self.watched();
                let Some(watched) = watched.as_mut() else { continue };
                watched.retain(|_, sender| !sender.is_closed());
                watched.keys().copied().collect()
            };
            for ids in ids.chunks(BATCH) {
                match timely(self.look_at(&pool, ids)).await {
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
        let watched = self.watched();
        for (id, version) in versions {
            if let Some(sender) = watched.as_ref().and_then(|watched| watched.get(&id)) {
                sender.send_if_modified(|known| std::mem::replace(known, version) != version);
            }
        }
        Ok(())
    }
}
