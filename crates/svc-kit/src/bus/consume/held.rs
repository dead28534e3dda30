//! The messages that a consumer holds, until each has its reply.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::{Client, Subject};

/// How long a reply may wait for a place in the client's queue. A reply that is lost means one more delivery.
const REPLY_TIME: Duration = Duration::from_secs(5);

/// Shortest time between two signs of life.
const MIN_SIGN_OF_LIFE: Duration = Duration::from_millis(100);

/// What the server is told about one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It is done.
    Ack,
    /// Deliver it again after this time.
    Later(Duration),
}

/// Messages by their place in the stream, and where their replies go.
#[derive(Debug)]
pub(super) struct Held {
    client: Client,
    replies: Mutex<BTreeMap<u64, Subject>>,
}

impl Held {
    pub(super) fn new(client: Client) -> Self {
        Self { client, replies: Mutex::default() }
    }

    pub(super) fn hold(&self, sequence: u64, reply: Subject) {
        self.replies().insert(sequence, reply);
    }

    /// Replies for one message, which is then no longer held.
    pub(super) async fn reply(&self, sequence: u64, reply: Reply) {
        let subject = self.replies().remove(&sequence);
        if let Some(subject) = subject {
            let kind = match reply {
                Reply::Ack => AckKind::Ack,
                Reply::Later(delay) => AckKind::Nak(Some(delay)),
            };
            self.send(subject, kind).await;
        }
    }

    /// Gives everything back that has no reply yet.
    pub(super) async fn release_all(&self) {
        let subjects = std::mem::take(&mut *self.replies());
        for subject in subjects.into_values() {
            self.send(subject, AckKind::Nak(None)).await;
        }
    }

    /// Tells the server, again and again, that the held messages are being worked on.
    pub(super) async fn keep_alive(&self, every: Duration) -> Infallible {
        let every = every.max(MIN_SIGN_OF_LIFE);
        loop {
            tokio::time::sleep(every).await;
            let subjects: Vec<Subject> = self.replies().values().cloned().collect();
            for subject in subjects {
                self.send(subject, AckKind::Progress).await;
            }
        }
    }

    async fn send(&self, subject: Subject, kind: AckKind) {
        let sent = tokio::time::timeout(REPLY_TIME, self.client.publish(subject, kind.into())).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!(?kind, "a reply could not be sent; its message will be delivered again");
        }
    }

    fn replies(&self) -> MutexGuard<'_, BTreeMap<u64, Subject>> {
        // Inserting and removing leave the map whole even if they panic.
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
