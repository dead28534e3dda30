//! The power of a server is cut while it takes writes: what it had acknowledged is there afterwards. Each server is also run in
//! the setting that we refuse, and must lose something then, or these tests would prove nothing.
//!
//! How the power is cut stands in [`e2e::disk`]. Where a machine cannot mount a disk, each test says so and is skipped.

mod nats;
mod postgres;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use e2e::eventually;

/// Acknowledged writes before the power is cut.
const WRITES: usize = 300;

/// Writers at one time: some writes are always under way.
const WRITERS: usize = 4;

/// A setting that loses what it has acknowledged only loses what the kernel has not happened to flush by itself, and on a busy
/// machine somebody may flush everything. It is tried so often.
const TRIES: usize = 3;

/// What a power cut did.
#[derive(Clone, Copy, Debug)]
struct Loss {
    /// Writes that were acknowledged before.
    acknowledged: usize,
    /// Those of them that are gone.
    lost: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} acknowledged writes are gone", self.lost, self.acknowledged)
    }
}

/// Writes that were acknowledged, in the order of the acknowledgements. Clones share them.
#[derive(Clone, Debug)]
struct Acknowledged<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Acknowledged<T> {
    fn none() -> Self {
        Self(Arc::new(Mutex::new(Vec::new())))
    }

    fn add(&self, write: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(write);
    }

    fn so_far(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there are enough, and returns all.
    async fn enough(&self) -> Vec<T> {
        eventually("writes are acknowledged", async || {
            let so_far = self.so_far();
            if WRITES <= so_far.len() { Ok(so_far) } else { Err(so_far.len()) }
        })
        .await
    }
}

/// Cuts the power until something is lost.
async fn loses_something(mut cut: impl AsyncFnMut() -> Result<Loss, String>) -> Result<(), String> {
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let loss = cut().await?;
        eprintln!("in the setting that loses, {loss}");
        if 0 < loss.lost {
            return Ok(());
        }
        seen.push(loss);
    }
    panic!("nothing was lost in the setting that loses: {seen:?}");
}

/// Nothing is lost; a machine without disks is told about.
fn nothing_is_lost(loss: Result<Loss, String>) {
    match loss {
        Ok(loss) => {
            eprintln!("in our setting, {loss}");
            assert_eq!(loss.lost, 0, "{loss}");
        }
        Err(why) => e2e::disk::skipped(&why),
    }
}
