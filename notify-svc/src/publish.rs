//! The way to the bus. Whoever publishes gets an answer only after the stream's ack.

mod batcher;
mod queue;

use std::time::Duration;

use proto::event::Event;
use svc_kit::bus::{Ack, Bus, Message, PublishError};
use tokio::time::Instant;

use crate::metrics::PublishMetrics;
use crate::outcome::Outcome;
use queue::{Queue, Same};

/// The name under which facts are published.
const SOURCE: &str = "notify-svc";

/// Publishes facts and hints, any event; clones share one queue.
#[derive(Clone)]
pub(crate) struct Publisher {
    bus: Bus,
    queue: Queue<Message>,
}

/// Makes a publisher whose queue holds `length` facts, and the task that empties it. The task ends when every clone of the
/// publisher is gone and everything that was queued has its answer.
///
/// `time` is the longest that any caller waits.
pub(crate) fn open(
    bus: &Bus,
    length: usize,
    time: Duration,
    metrics: PublishMetrics,
) -> (Publisher, impl Future<Output = ()> + Send + use<>) {
    let (queue, other_end) = Queue::of(length, metrics.clone());
    // A batch that is refused whole is followed by single publishes, and both must fit into the time.
    let publisher = svc_kit::bus::Publisher::new(bus).with_deadline(time / 2);
    let task = batcher::run(other_end, metrics, move |messages: Vec<Message>| {
        let publisher = publisher.clone();
        async move { publisher.publish_batch(&messages).await.iter().map(outcome).collect() }
    });
    (Publisher { bus: bus.clone(), queue }, task)
}

impl Publisher {
    /// Publishes one event and waits for the stream's ack, not longer than until `deadline`.
    ///
    /// Without a connection, or when as many events wait as may, the answer is there at once: the provider comes again.
    pub(crate) async fn publish(&self, event: &impl Event, deadline: Instant) -> Outcome {
        if !self.bus.is_connected() {
            return Outcome::BusDown;
        }
        let Ok(message) = Message::from_event(event, SOURCE) else { return Outcome::Field };
        let (id, subject, payload) = (message.id.clone(), message.subject.clone(), message.payload.clone());
        self.queue.put(Same { id, subject, payload }, message, deadline).await
    }
}

fn outcome(result: &Result<Ack, PublishError>) -> Outcome {
    match result {
        // A repeat within the duplicate window: the stream has had it all along.
        Ok(_) => Outcome::Recorded,
        Err(PublishError::NotConnected | PublishError::NoStream { .. }) => Outcome::BusDown,
        Err(PublishError::Refused { .. }) => Outcome::BusRefused,
        Err(PublishError::Unknown { .. } | PublishError::WrongStream { .. } | PublishError::Invalid { .. }) => {
            Outcome::Unacknowledged
        }
    }
}
