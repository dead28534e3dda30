//! What the writers of a process tell its relay.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::held::{HOLD_SECONDS, Held, Leaving};

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

    /// For how many seconds so many events may be held that are about to be written, as a statement takes it (null is not at all).
    /// `None` when they find no room in memory, or nobody reads it, because this process publishes nothing or stops: they would only
    /// wait for the end of the hold. Wake the relay then, instead of [`Waker::leave`].
    pub fn hold(&self, events: usize) -> Option<i64> {
        (!self.memory.is_closed() && events <= self.memory.capacity()).then_some(HOLD_SECONDS)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_or_no_reader_is_not_held() {
        let (waker, leaving) = Waker::new();
        assert_eq!(waker.hold(MAX_LEAVING), Some(HOLD_SECONDS));
        assert_eq!(waker.hold(MAX_LEAVING + 1), None);
        drop(leaving);
        assert_eq!(waker.hold(1), None);
    }
}
