//! The messages that a consumer holds, until each has its reply.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::AckKind;
use async_nats::{Client, Subject};

/// How long a reply may wait for a place in the client's queue. A reply that is lost means one more delivery.
const REPLY_TIME: Duration = Duration::from_secs(5);

/// How long giving everything back may take, however much it is. What is not given back comes again after its `ack_wait`.
pub(super) const RELEASE_TIME: Duration = Duration::from_secs(5);

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

    /// Gives everything back that has no reply yet, in at most [`RELEASE_TIME`].
    pub(super) async fn release_all(&self) {
        let subjects = std::mem::take(&mut *self.replies());
        let release = async {
            for subject in subjects.into_values() {
                self.send(subject, AckKind::Nak(None)).await;
            }
        };
        if tokio::time::timeout(RELEASE_TIME, release).await.is_err() {
            tracing::warn!("not all messages could be given back in {RELEASE_TIME:?}; they will be delivered again");
        }
    }

    /// Tells the server, again and again, that the held messages are being worked on. While it is away nothing is told: signs
    /// of life that are late mean nothing, and would fill the queue that acks need.
    pub(super) async fn keep_alive(&self, every: Duration) -> Infallible {
        let every = every.max(MIN_SIGN_OF_LIFE);
        loop {
            tokio::time::sleep(every).await;
            if self.client.connection_state() != State::Connected {
                continue;
            }
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

#[cfg(test)]
mod tests {
    use async_nats::ConnectOptions;
    use futures::FutureExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Messages held by a client whose server takes connections and says nothing, and whose queue has one place.
    async fn held_without_a_server(messages: u64) -> (Held, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let options = ConnectOptions::new().retry_on_initial_connect().client_capacity(1);
        let client = options.connect(address).await.expect("it connects later");
        let held = Held::new(client);
        for sequence in 0..messages {
            held.hold(sequence, "reply".into());
        }
        (held, listener)
    }

    #[tokio::test]
    async fn no_sign_of_life_takes_a_place_in_the_queue_while_the_server_is_away() {
        let (held, _listener) = held_without_a_server(3).await;
        let several_rounds = MIN_SIGN_OF_LIFE * 5;
        tokio::time::timeout(several_rounds, held.keep_alive(Duration::ZERO)).await.expect_err("it goes on for ever");
        let published = held.client.publish("free", "".into()).now_or_never();
        assert!(matches!(published, Some(Ok(()))), "the only place is free");
    }

    #[tokio::test]
    async fn giving_back_ends_soon_however_much_is_held() {
        // One timeout for each of them would be more than an hour.
        let (held, _listener) = held_without_a_server(1_000).await;
        let generous = Duration::from_mins(2);
        tokio::time::timeout(generous, held.release_all()).await.expect("it ends");
        assert!(held.replies().is_empty());
    }
}
