use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use super::{Options, Plan, World};
use crate::{checker, process::last_lines, programs};

/// Worlds at one time: each is seven processes, and machines that run tests have few cores.
const WORLDS_AT_ONCE: u32 = 3;

/// Lines of each log that are shown when a story fails.
const SHOWN_LINES: usize = 40;

/// Tells one story in a world of its own, then lets the checker look at everything, then ends the world.
///
/// # Panics
/// When the story does, when the checker finds a fault, or when a part does not end well. The last lines of every log are
/// printed then, and the world's folder is kept.
pub fn story(options: Options, tell: impl AsyncFnOnce(&mut World)) {
    let _place = Place::take();
    let folder = new_folder();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be started");
    let told = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut world = World::begin(Plan::temporary(&folder, options)).await;
            tell(&mut world).await;
            checker::check(&mut world).await;
            world.end();
        });
    }));
    match told {
        Ok(()) => fs::remove_dir_all(&folder).expect("the world's folder is ours"),
        Err(panic) => {
            show_logs(&folder);
            resume_unwind(panic);
        }
    }
}

/// Leave to have a world.
pub(crate) struct Place;

static TAKEN: Mutex<u32> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

impl Place {
    pub(crate) fn take() -> Self {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken =
            FREED.wait_while(taken, |taken| *taken == WORLDS_AT_ONCE).unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        FREED.notify_one();
    }
}

/// `target/tongbao-test/worlds/<test>-<process>-<n>`.
pub(crate) fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let test = thread::current().name().unwrap_or("story").replace("::", "-");
    let (process, n) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = programs::target_folder().join("tongbao-test/worlds").join(format!("{test}-{process}-{n}"));
    // An earlier process of the same id may have left one.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn show_logs(folder: &Path) {
    eprintln!("\nthe story failed; its folder is {}", folder.display());
    let mut logs: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    for log in logs {
        eprintln!("\n── {} ──\n{}", log.display(), last_lines(&log, SHOWN_LINES));
    }
}
