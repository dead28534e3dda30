use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use notify::{
    Event, EventKind, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{LoadError, Merchant, MerchantName, directory::Snapshot, read};

/// The directory is read this often even when no change was announced: network file systems announce nothing, and a
/// directory that is itself a swapped symbolic link is announced to nobody.
const POLL: Duration = Duration::from_secs(5);

/// A change is read when the directory looks the same twice, this far apart, so that a file is not read half written.
const SETTLE: Duration = Duration::from_millis(100);

/// A directory that never settles is left to the next look.
const MAX_SETTLE_ROUNDS: u32 = 20;

/// The merchants in force. Clones are cheap and see the same version.
#[derive(Clone)]
pub struct Merchants(Arc<Shared>);

struct Shared {
    dir: PathBuf,
    current: ArcSwap<BTreeMap<MerchantName, Arc<Merchant>>>,
    /// Digest of what was last looked at, good or broken, so that the same state is judged once.
    judged: ArcSwap<[u8; 32]>,
    last_error: ArcSwapOption<LoadError>,
    loaded: Gauge,
    broken: Gauge,
    reloaded: Counter,
    reload_failed: Counter,
}

impl Merchants {
    /// Reads the directory; every service does this once before it serves.
    ///
    /// # Errors
    /// [`LoadError`] with every mistake at once.
    pub fn load(dir: impl AsRef<Path>) -> Result<Merchants, LoadError> {
        let dir = dir.as_ref().to_owned();
        let snapshot = Snapshot::take(&dir)?;
        let merchants = read::merchants(&snapshot)?;
        let loaded = Gauge::default();
        loaded.set(i64::try_from(merchants.len()).unwrap_or(i64::MAX));
        Ok(Merchants(Arc::new(Shared {
            dir,
            current: ArcSwap::from_pointee(merchants),
            judged: ArcSwap::from_pointee(snapshot.digest()),
            last_error: ArcSwapOption::empty(),
            loaded,
            broken: Gauge::default(),
            reloaded: Counter::default(),
            reload_failed: Counter::default(),
        })))
    }

    /// The merchant of this name, as of now. Hold the answer for one request, not longer: keys change.
    pub fn get(&self, name: &MerchantName) -> Option<Arc<Merchant>> {
        self.0.current.load().get(name).cloned()
    }

    /// Every merchant, in the order of their names.
    pub fn list(&self) -> Vec<Arc<Merchant>> {
        self.0.current.load().values().cloned().collect()
    }

    /// Follows changes of the directory until `stop` fires. A good change takes force at once; a broken change leaves
    /// the last good version in force, is logged, and shows in [`Merchants::last_error`] and the metrics.
    pub async fn watch(&self, stop: CancellationToken) {
        let changed = Arc::new(Notify::new());
        // Kept alive here: dropping the watcher ends its announcements.
        let _watcher = self.announce_to(&changed);
        loop {
            // The first look comes before the first wait: the directory may have changed since it was loaded.
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = changed.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// How many changes were refused since the start.
    pub fn reload_failed(&self) -> u64 {
        self.0.reload_failed.get()
    }

    /// Why the directory's present state is not in force; `None` when it is.
    pub fn last_error(&self) -> Option<Arc<LoadError>> {
        self.0.last_error.load_full()
    }

    /// Adds `merchants_loaded`, `merchants_broken` (1 while the directory holds a mistake), `merchants_reloaded_total`
    /// and `merchants_reload_failed_total`.
    pub fn register(&self, registry: &mut Registry) {
        let shared = &self.0;
        registry.register("merchants_loaded", "Merchants in force", shared.loaded.clone());
        registry.register(
            "merchants_broken",
            "1 while the merchants directory holds a mistake and an older version is in force",
            shared.broken.clone(),
        );
        registry.register("merchants_reloaded", "Changes of the merchants directory taken", shared.reloaded.clone());
        registry.register(
            "merchants_reload_failed",
            "Changes of the merchants directory refused",
            shared.reload_failed.clone(),
        );
    }

    fn announce_to(&self, changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
        let changed = Arc::clone(changed);
        let announce = move |event: notify::Result<Event>| {
            // Our own reading is announced too, and answering it would go round for ever. Everything else counts, also an
            // error such as a lost event: looking once too often costs little.
            let only_read = event.is_ok_and(|event| match event.kind {
                EventKind::Access(access) => access != AccessKind::Close(AccessMode::Write),
                _ => false,
            });
            if !only_read {
                changed.notify_one();
            }
        };
        let watcher = notify::recommended_watcher(announce).and_then(|mut watcher| {
            watcher.watch(&self.0.dir, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    poll_s = POLL.as_secs(),
                    "changes of the merchants directory are not announced; it is read every {} s instead",
                    POLL.as_secs()
                );
                None
            }
        }
    }

    /// Reads the directory and takes it into force when it changed and is good.
    async fn look(&self) {
        let mut before = None;
        for _ in 0..MAX_SETTLE_ROUNDS {
            let dir = self.0.dir.clone();
            let Ok(taken) = tokio::task::spawn_blocking(move || Snapshot::take(&dir)).await else { return };
            let digest = taken.as_ref().map_or([0; 32], Snapshot::digest);
            if **self.0.judged.load() == digest {
                return;
            }
            if before == Some(digest) {
                self.judge(digest, taken.and_then(|snapshot| read::merchants(&snapshot)));
                return;
            }
            before = Some(digest);
            tokio::time::sleep(SETTLE).await;
        }
    }

    fn judge(&self, digest: [u8; 32], outcome: Result<BTreeMap<MerchantName, Arc<Merchant>>, LoadError>) {
        let shared = &self.0;
        match outcome {
            Ok(merchants) => {
                let count = merchants.len();
                shared.current.store(Arc::new(merchants));
                shared.loaded.set(i64::try_from(count).unwrap_or(i64::MAX));
                shared.broken.set(0);
                shared.reloaded.inc();
                shared.last_error.store(None);
                tracing::info!(merchants = count, "merchants directory reloaded: {count} in force");
            }
            Err(error) => {
                shared.broken.set(1);
                shared.reload_failed.inc();
                tracing::error!(
                    mistakes = error.mistakes().len(),
                    "merchants directory changed but the last good version stays in force: {error}"
                );
                shared.last_error.store(Some(Arc::new(error)));
            }
        }
        shared.judged.store(Arc::new(digest));
    }
}

impl fmt::Debug for Merchants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchants").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}
