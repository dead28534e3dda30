//! Publishing: nothing counts before the stream's ack.

use std::time::Duration;

use async_nats::header::{NATS_EXPECTED_STREAM, NATS_MESSAGE_ID};
use async_nats::{Client, HeaderMap, Request, RequestErrorKind};
use serde::Deserialize;

use super::message::is_header_value;
use super::metrics::{BusMetrics, Outcome};
use super::{Bus, Message};

/// How long one publish may take, unless its caller says otherwise: far beyond a slow disk, well below a lost patience.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// The stream has the message, on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The stream.
    pub stream: String,
    /// The message's place in it.
    pub sequence: u64,
    /// The stream had a message of this id already, and kept that one.
    pub duplicate: bool,
}

/// Why there is no ack. Clones are cheap enough to give each message of a failed batch its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The connection is down; nothing was sent. Try again later.
    #[error("not connected to NATS")]
    NotConnected,
    /// No ack came in time: the message may be stored or not. Publish it again, with the same id.
    #[error("the stream's ack did not come ({reason}); the message may be stored")]
    Unknown {
        /// What happened instead.
        reason: String,
    },
    /// The stream said no; nothing is stored. A full stream (10077) or a full disk may recover.
    #[error("the stream refused the message: {description} ({code})")]
    Refused {
        /// JetStream's error code.
        code: u64,
        /// JetStream's text.
        description: String,
    },
    /// No stream listens on the subject now: it was never created, or its server is away.
    #[error("no stream takes the subject {subject}")]
    NoStream {
        /// The subject.
        subject: String,
    },
    /// Another stream than the table's took the message.
    #[error("the stream {found} acked a message for the stream {expected}")]
    WrongStream {
        /// The table's.
        expected: &'static str,
        /// The acking one.
        found: String,
    },
    /// The message can never be published as it is.
    #[error("the message cannot be published: {reason}")]
    Invalid {
        /// Why.
        reason: String,
    },
}

/// Publishes to streams and waits for their acks. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Publisher {
    pub(super) client: Client,
    pub(super) metrics: BusMetrics,
    deadline: Duration,
}

impl Publisher {
    /// With a deadline of 5 s for each publish.
    pub fn new(bus: &Bus) -> Self {
        Self { client: bus.client.clone(), metrics: bus.metrics.clone(), deadline: DEFAULT_DEADLINE }
    }

    /// With another deadline; it must be shorter than the caller's own. An atomic batch takes at
    /// most two of it: its own, and that of the single publishes that follow when it fails.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Publishes one message and waits for the ack of the stream that the table names for its subject.
    ///
    /// # Errors
    /// See [`PublishError`]; after `Unknown` the same message is to be published again, with the same id.
    pub async fn publish(&self, message: &Message) -> Result<Ack, PublishError> {
        let outcome = self.publish_uncounted(message).await;
        self.count(&outcome);
        outcome
    }

    async fn publish_uncounted(&self, message: &Message) -> Result<Ack, PublishError> {
        let stream = stream_of(&message.subject)?;
        self.check_connected()?;
        let headers = headers_for(message, stream)?;
        let answer = self.request(message, headers).await?;
        if answer.stream != stream {
            return Err(PublishError::WrongStream { expected: stream, found: answer.stream });
        }
        Ok(Ack { stream: answer.stream, sequence: answer.sequence, duplicate: answer.duplicate })
    }

    pub(super) fn check_connected(&self) -> Result<(), PublishError> {
        match self.client.connection_state() {
            async_nats::connection::State::Connected => Ok(()),
            _ => Err(PublishError::NotConnected),
        }
    }

    /// Sends a message and waits for what the stream says.
    pub(super) async fn request(&self, message: &Message, headers: HeaderMap) -> Result<Stored, PublishError> {
        // The client's own timeout does not cover waiting for a place in its queue, so ours is around all of it.
        let request = Request::new().headers(headers).payload(message.payload.clone()).timeout(None);
        let sent = self.client.send_request(message.subject.clone(), request);
        let answer = match tokio::time::timeout(self.deadline, sent).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                return Err(match error.kind() {
                    RequestErrorKind::NoResponders => PublishError::NoStream { subject: message.subject.clone() },
                    RequestErrorKind::MaxPayloadExceeded | RequestErrorKind::InvalidSubject => {
                        PublishError::Invalid { reason: error.to_string() }
                    }
                    _ => PublishError::Unknown { reason: error.to_string() },
                });
            }
            Err(_elapsed) => return Err(PublishError::Unknown { reason: format!("waited {:?}", self.deadline) }),
        };
        match serde_json::from_slice(&answer.payload) {
            Ok(Answer::Refused { error }) => {
                Err(PublishError::Refused { code: error.code, description: error.description })
            }
            Ok(Answer::Stored(stored)) => Ok(stored),
            Err(_) => Err(PublishError::Unknown { reason: "the answer is not an ack".to_owned() }),
        }
    }

    pub(super) fn count(&self, outcome: &Result<Ack, PublishError>) {
        let outcome = match outcome {
            Ok(Ack { duplicate: false, .. }) => "stored",
            Ok(Ack { duplicate: true, .. }) => "duplicate",
            Err(PublishError::NotConnected) => "not_connected",
            Err(PublishError::Unknown { .. }) => "unknown",
            Err(PublishError::Refused { .. } | PublishError::NoStream { .. }) => "refused",
            Err(PublishError::WrongStream { .. } | PublishError::Invalid { .. }) => "invalid",
        };
        self.metrics.published.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }
}

/// What a stream answers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Refused { error: Refusal },
    Stored(Stored),
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default, rename = "err_code")]
    code: u64,
    #[serde(default)]
    description: String,
}

/// An ack; `batch` and `count` come with the ack of an atomic batch.
#[derive(Debug, Deserialize)]
pub(super) struct Stored {
    pub(super) stream: String,
    #[serde(rename = "seq")]
    pub(super) sequence: u64,
    #[serde(default)]
    pub(super) duplicate: bool,
    #[serde(default)]
    pub(super) batch: Option<String>,
    #[serde(default)]
    pub(super) count: Option<u64>,
}

/// The stream that the table names for a subject.
pub(super) fn stream_of(subject: &str) -> Result<&'static str, PublishError> {
    proto::bus::STREAMS
        .iter()
        .find(|stream| stream.subjects.iter().any(|pattern| takes(pattern, subject)))
        .map(|stream| stream.name)
        .ok_or_else(|| PublishError::NoStream { subject: subject.to_owned() })
}

/// Whether a subject matches a pattern: `*` is one token, `>` is one or more at the end.
fn takes(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for expected in pattern.split('.') {
        match (expected, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (expected, Some(token)) if expected == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// The message's headers with its id, and with the stream it is for: the server refuses it when another would take it.
pub(super) fn headers_for(message: &Message, stream: &'static str) -> Result<HeaderMap, PublishError> {
    if !is_header_value(&message.id) {
        return Err(PublishError::Invalid { reason: "its id is not printable ASCII".to_owned() });
    }
    let mut headers = message.headers.clone();
    headers.insert(NATS_MESSAGE_ID, message.id.as_str());
    headers.insert(NATS_EXPECTED_STREAM, stream);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_stream_of_every_subject() {
        assert_eq!(stream_of("pay.v1.payment.paid.acme"), Ok("PAY"));
        assert_eq!(stream_of("order.v1.order.paid.shop"), Ok("ORDER"));
        assert_eq!(stream_of("dead.v1.order-svc-pay"), Ok("DEAD"));
        for none in ["pay.v1", "pay.v2.payment.paid.acme", "pay", "", "xpay.v1.a"] {
            assert_eq!(stream_of(none), Err(PublishError::NoStream { subject: none.to_owned() }));
        }
    }

    #[test]
    fn patterns_match_as_the_server_matches_them() {
        assert!(takes("pay.v1.payment.paid.*", "pay.v1.payment.paid.acme"));
        assert!(!takes("pay.v1.payment.paid.*", "pay.v1.payment.paid.acme.more"));
        assert!(!takes("pay.v1.payment.paid.*", "pay.v1.payment.paid"));
        assert!(takes("pay.v1.>", "pay.v1.a"));
        assert!(takes("pay.v1", "pay.v1"));
    }

    #[test]
    fn a_refusal_is_not_read_as_an_ack() {
        let refusal =
            r#"{"type":"x","error":{"code":400,"err_code":10201,"description":"batch"},"stream":"PAY","seq":0}"#;
        assert!(matches!(
            serde_json::from_str(refusal).expect("JSON"),
            Answer::Refused { error: Refusal { code: 10201, .. } }
        ));
        let ack = r#"{"stream":"PAY","seq":7,"batch":"b","count":3}"#;
        assert!(matches!(
            serde_json::from_str(ack).expect("JSON"),
            Answer::Stored(Stored { sequence: 7, duplicate: false, count: Some(3), .. })
        ));
    }
}
