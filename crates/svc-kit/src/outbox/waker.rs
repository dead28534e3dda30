//! What the writers of a process tell its relay.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::Held;
use super::held::Leaving;

/// Events that wait in memory, at most: eight batches, about 4 MB.
pub(super) const MAX_LEAVING: usize = 4096;

/// Wakes the relay of this process: call it after a commit that wrote events. Clones wake the same relay.
#[derive(Clone, Debug)]
pub struct Waker {
    notify: Arc<Notify>,
    memory: mpsc::Sender<Leaving>,
}

impl Waker {
    /// A waker, and what the relay reads.
    pub(super) fn new() -> (Self, mpsc::Receiver<Leaving>) {
        let (memory, leaving) = mpsc::channel(MAX_LEAVING);
        (Self { notify: Arc::default(), memory }, leaving)
    }

    /// There is something to publish. Never blocks; a relay that is at work looks once more.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    /// Lets events leave from memory: call it when they are committed. Never blocks. What finds no room, because 4096 wait or the
    /// relay has ended, is published by any relay when its hold ends.
    pub fn leave(&self, held: Held) {
        for event in held.events {
            if self.memory.try_send(event).is_err() {
                return;
            }
        }
    }

    /// Ends when somebody has woken the relay since the last time.
    pub(super) async fn woken(&self) {
        self.notify.notified().await;
    }
}
