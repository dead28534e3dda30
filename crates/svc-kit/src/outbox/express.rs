//! The express: publishes from memory what this process has written and holds, so that a trickle of events costs the database no
//! reading, and publishing waits for nothing but the stream.
//!
//! Whatever it does not publish it gives back, and the relay has it at once. What it forgets, because the process dies or is paused
//! or the database is away, the relay has when the hold ends. So nothing depends on it, and it may do an event a second time: when
//! another relay has published it meanwhile, the stream knows the id.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::held::{HOLD, Leaving};
use super::metrics::RelayMetrics;
use super::relay::{ACK_TIME, PUBLISH_TIME, SETTLE_TIME};
use super::settling::{End, Settling};
use crate::bus::{MAX_BATCH_MESSAGES, Message, Publisher};
use crate::crash;
use crate::process::DRAIN_TIME;

/// Events published at one time, at most: as many as one atomic batch may have.
const BATCH: usize = MAX_BATCH_MESSAGES;

/// Events that are published or given back, and of which the database has not heard, at most. When it is away, nothing more is taken
/// from memory: what would be published now could not leave the outbox, and would be published again.
const MAX_UNSETTLED: usize = 4096;

/// Who has waited longer in memory is given back: the hold might end before the ack comes. Only the single publishes after a batch that
/// failed at its deadline may go on for longer than the hold; the ids are the same.
const MEMORY_TIME: Duration = HOLD.saturating_sub(ACK_TIME);
const _: () = assert!(!MEMORY_TIME.is_zero(), "an ack that comes at its deadline comes before the hold ends");

/// How long finishing may take at the stop: what is being published, what had come just before, and settling both.
const FINISH_TIME: Duration = Duration::from_secs(2 * PUBLISH_TIME.as_secs() + SETTLE_TIME.as_secs());
const _: () = assert!(FINISH_TIME.as_secs() + 5 < DRAIN_TIME.as_secs(), "it ends well within the drain");

#[derive(Debug)]
pub(super) struct Express {
    pub(super) publisher: Publisher,
    pub(super) metrics: RelayMetrics,
    pub(super) settling: Settling,
}

impl Express {
    /// Publishes what comes from `memory` until `stop` fires, then what is there, and settles it. Nothing comes after the stop: who
    /// writes an event then leaves it to its hold.
    pub(super) async fn run(self, memory: mpsc::Receiver<Leaving>, stop: CancellationToken) {
        let (settled, ended) = mpsc::channel(MAX_UNSETTLED);
        let work = async { tokio::join!(self.publish_all(memory, settled, &stop), self.settling.run(ended, &stop)) };
        let late = async {
            stop.cancelled().await;
            sleep(FINISH_TIME).await;
        };
        tokio::select! {
            ((), ()) = work => {}
            () = late => tracing::warn!("events in memory could not be settled in {FINISH_TIME:?}; others publish them"),
        }
    }

    async fn publish_all(
        &self,
        mut memory: mpsc::Receiver<Leaving>,
        settled: mpsc::Sender<(i64, End)>,
        stop: &CancellationToken,
    ) {
        let mut events = Vec::with_capacity(BATCH);
        loop {
            let taken = tokio::select! {
                () = stop.cancelled(), if !memory.is_closed() => {
                    memory.close();
                    continue;
                }
                taken = memory.recv_many(&mut events, BATCH) => taken,
            };
            if taken == 0 {
                return;
            }
            for end in self.publish(events.drain(..)).await {
                if settled.send(end).await.is_err() {
                    return; // The process stops, and the database is away.
                }
            }
        }
    }

    /// Publishes at most [`BATCH`] events and says what became of each. It takes at most [`PUBLISH_TIME`].
    async fn publish(&self, events: impl Iterator<Item = Leaving>) -> Vec<(i64, End)> {
        let now = Instant::now();
        // What is not published below is given back: it comes too late, is refused, is unknown, or belongs to a second batch.
        let (mut ends, mut messages): (Vec<(i64, End)>, Vec<Message>) = (Vec::new(), Vec::new());
        let mut late = Vec::new();
        for event in events {
            if event.is_late(now) {
                late.push((event.seq, End::GivenBack));
            } else {
                ends.push((event.seq, End::GivenBack));
                messages.push(event.message);
            }
        }
        let mut published = false;
        for (index, verdict) in self.publisher.publish_first(&messages).await {
            self.metrics.count(&verdict);
            match verdict {
                Ok(_) => {
                    ends[index].1 = End::Published;
                    published = true;
                }
                // The relay tries it once more, and tells when that fails, too.
                Err(error) => {
                    let (seq, error) = (ends[index].0, &error as &dyn std::error::Error);
                    tracing::debug!(seq, error, "an event is given back");
                }
            }
        }
        if published {
            crash::point("relay.express.published");
        }
        ends.append(&mut late);
        ends
    }
}

impl Leaving {
    fn is_late(&self, now: Instant) -> bool {
        self.since + MEMORY_TIME < now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::{Held, Sealed};

    #[test]
    fn what_was_written_so_long_ago_that_the_hold_may_end_before_the_ack_is_too_late() {
        let event = proto::event::PaymentPaid {
            merchant: "acme".to_owned(),
            provider: "wechat-v2".to_owned(),
            out_trade_no: "0198c5".to_owned(),
            mch_id: "1900000109".to_owned(),
            transaction_id: "1".to_owned(),
            ..Default::default()
        };
        let sealed = [Sealed::of(&event, "test").expect("it can be sent")];
        let rows = vec![(7, proto::event::Event::id(&event)), (8, "of nobody here".to_owned())];
        let held = Held::of(Instant::now(), &sealed, rows).events;
        let [leaving] = held.as_slice() else { panic!("one of them was written: {held:?}") };
        assert_eq!(leaving.seq, 7);
        assert!(!leaving.is_late(leaving.since + HOLD - ACK_TIME));
        assert!(leaving.is_late(leaving.since + HOLD - ACK_TIME + Duration::from_millis(1)));
    }
}
