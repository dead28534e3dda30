//! What the writers of a process tell its relay.

use std::sync::Arc;

use tokio::sync::mpsc::PermitIterator;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::Sealed;
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

    /// Places in memory for so many events that are about to be written: ask before the statement is sent, and let it hold them for
    /// [`Places::seconds`].
    ///
    /// `None` when there are not so many, or nobody reads them, because this process publishes nothing or stops. Then they must not
    /// be held, since they would only wait for the end of it: wake the relay after the commit.
    pub fn places(&self, events: usize) -> Option<Places<'_>> {
        let reserved = self.memory.try_reserve_many(events).ok()?;
        Some(Places { since: Instant::now(), reserved })
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

/// Places in the memory of the relay, free again when they are dropped. See [`Waker::places`].
#[derive(Debug)]
#[must_use = "what was held for them waits until the hold ends"]
pub struct Places<'w> {
    since: Instant,
    reserved: PermitIterator<'w, Leaving>,
}

impl Places<'_> {
    /// How long the rows are held, as a statement takes it: `clock_timestamp() + $1::bigint * interval '1 second'`, where null is
    /// not at all.
    pub fn seconds(places: Option<&Self>) -> Option<i64> {
        places.map(|_| HOLD_SECONDS)
    }

    /// Lets events leave that are committed: the statement returned `(seq, event_id)` of each new row. Never blocks.
    pub fn leave<'e>(self, events: impl IntoIterator<Item = &'e Sealed>, rows: Vec<(i64, String)>) {
        for (place, event) in self.reserved.zip(Held::of(self.since, events, rows).events) {
            place.send(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_promised_once_and_free_again_when_it_is_not_used() {
        let (waker, leaving) = Waker::new();
        let places = waker.places(MAX_LEAVING).expect("it is empty");
        assert!(waker.places(1).is_none(), "all are promised");
        drop(places);
        assert!(waker.places(1).is_some());
        assert!(waker.places(MAX_LEAVING + 1).is_none(), "there are not so many");
        drop(leaving);
        assert!(waker.places(1).is_none(), "nobody reads them");
    }
}
