//! One event as it travels: CloudEvents in binary mode.

use std::fmt;

use async_nats::HeaderMap;
use bytes::Bytes;
use jiff::Timestamp;
use proto::bus::header;
use proto::event::Event;

use super::PublishError;
use crate::clock::Clock;
use crate::trace::current_traceparent;

/// The version of CloudEvents that our headers follow.
const SPEC_VERSION: &str = "1.0";

/// Bodies are proto3 JSON.
const JSON: &str = "application/json";

/// A message that is ready to be published.
#[derive(Clone)]
pub struct Message {
    /// The fact's id; sent as `Nats-Msg-Id`, so that a repeat is recognised within the duplicate window.
    pub id: String,
    /// The subject; it decides the stream.
    pub subject: String,
    /// All headers but `Nats-Msg-Id`.
    pub headers: HeaderMap,
    /// The body.
    pub payload: Bytes,
}

/// Why an event cannot become a message. It never can: something that made the event is wrong.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// A header's value has line breaks or characters outside ASCII, or is empty.
    #[error("the header {name} of an event of type {event_type} would not be printable ASCII")]
    Header {
        /// The header.
        name: &'static str,
        /// The event's type.
        event_type: &'static str,
    },
    /// The subject has empty tokens, blanks or wildcards.
    #[error("an event of type {event_type} cannot be published on the subject {subject:?}")]
    Subject {
        /// The event's type.
        event_type: &'static str,
        /// The subject.
        subject: String,
    },
    /// The time is outside what RFC 3339 can say.
    #[error("the time of an event of type {event_type} cannot be written")]
    Time {
        /// The event's type.
        event_type: &'static str,
        /// Why.
        #[source]
        source: jiff::Error,
    },
    /// The body has no JSON form.
    #[error("an event of type {event_type} has no JSON form")]
    Body {
        /// The event's type.
        event_type: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Message {
    /// The message of an event. `source` is the process that publishes it.
    ///
    /// An event without a time of its own gets the system's; the current trace goes along.
    ///
    /// # Errors
    /// When the event holds what no message can carry; see [`MessageError`].
    pub fn from_event<E: Event>(event: &E, source: &str) -> Result<Self, MessageError> {
        Envelope::of(event, source).map(Self::from)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("subject", &self.subject)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Everything a message is made of, as single values: the columns of the outbox.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) event_type: String,
    pub(crate) source: String,
    pub(crate) about: String,
    pub(crate) time: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) payload: Vec<u8>,
}

impl Envelope {
    pub(crate) fn of<E: Event>(event: &E, source: &str) -> Result<Self, MessageError> {
        let event_type = E::TYPE;
        let time = match event.time() {
            Some(time) => {
                Timestamp::new(time.seconds, time.nanos).map_err(|source| MessageError::Time { event_type, source })?
            }
            None => Clock::system().now(),
        };
        let envelope = Self {
            id: event.id(),
            subject: event.bus_subject(),
            event_type: event_type.to_owned(),
            source: source.to_owned(),
            about: event.about(),
            time: time.to_string(),
            traceparent: current_traceparent(),
            payload: serde_json::to_vec(event).map_err(|source| MessageError::Body { event_type, source })?,
        };
        let headers =
            [(header::ID, &envelope.id), (header::SOURCE, &envelope.source), (header::SUBJECT, &envelope.about)];
        if let Some((name, _)) = headers.into_iter().find(|(_, value)| !is_header_value(value)) {
            return Err(MessageError::Header { name, event_type });
        }
        if !is_subject(&envelope.subject) {
            return Err(MessageError::Subject { event_type, subject: envelope.subject });
        }
        Ok(envelope)
    }
}

impl Envelope {
    /// The message of what was stored, unless it holds what no header can carry: then somebody else wrote it.
    pub(crate) fn into_checked(self) -> Result<Message, PublishError> {
        let required = [&self.id, &self.event_type, &self.source, &self.about, &self.time];
        let headers = required.into_iter().chain(&self.traceparent);
        if !headers.into_iter().all(|value| is_header_value(value)) {
            return Err(PublishError::Invalid { reason: "one of its headers is not printable ASCII".to_owned() });
        }
        if !is_subject(&self.subject) {
            return Err(PublishError::Invalid { reason: "nothing can be published on its subject".to_owned() });
        }
        Ok(self.into())
    }
}

impl From<Envelope> for Message {
    fn from(envelope: Envelope) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::SPEC_VERSION, SPEC_VERSION);
        headers.insert(header::ID, envelope.id.as_str());
        headers.insert(header::TYPE, envelope.event_type);
        headers.insert(header::SOURCE, envelope.source);
        headers.insert(header::SUBJECT, envelope.about);
        headers.insert(header::TIME, envelope.time);
        headers.insert(header::CONTENT_TYPE, JSON);
        if let Some(traceparent) = envelope.traceparent {
            headers.insert(header::TRACEPARENT, traceparent);
        }
        Self { id: envelope.id, subject: envelope.subject, headers, payload: envelope.payload.into() }
    }
}

/// Header values go over the wire as they are, so a line break would begin another header.
pub(super) fn is_header_value(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A subject to publish on: tokens without blanks and wildcards.
pub(super) fn is_subject(subject: &str) -> bool {
    let is_token = |token: &str| {
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*' && byte != b'>')
    };
    subject.split('.').all(is_token)
}

#[cfg(test)]
mod tests {
    use proto::event::PaymentPaid;

    use super::*;

    fn paid() -> PaymentPaid {
        PaymentPaid {
            merchant: "acme-mini".to_owned(),
            provider: "wechat-v2".to_owned(),
            out_trade_no: "0198c5".to_owned(),
            mch_id: "1900000109".to_owned(),
            transaction_id: "4200002026".to_owned(),
            amount_fen: 8_800,
            paid_time: Some(proto_time(1_790_000_000, 120_000_000)),
            ..PaymentPaid::default()
        }
    }

    fn proto_time<T: serde::de::DeserializeOwned>(second: i64, nanosecond: i32) -> T {
        let text = Timestamp::new(second, nanosecond).expect("a time").to_string();
        serde_json::from_value(text.into()).expect("RFC 3339 is the JSON form")
    }

    #[test]
    fn an_event_becomes_a_cloud_event_in_binary_mode() {
        let message = Message::from_event(&paid(), "notify-svc").expect("it can be sent");
        assert_eq!(message.id, "paid:wechat-v2:1900000109:4200002026");
        assert_eq!(message.subject, "pay.v1.payment.paid.acme-mini");
        let header = |name: &str| message.headers.get(name).map(ToString::to_string);
        assert_eq!(header("ce-specversion").as_deref(), Some("1.0"));
        assert_eq!(header("ce-id").as_deref(), Some("paid:wechat-v2:1900000109:4200002026"));
        assert_eq!(header("ce-type").as_deref(), Some("tongbao.event.v1.PaymentPaid"));
        assert_eq!(header("ce-source").as_deref(), Some("notify-svc"));
        assert_eq!(header("ce-subject").as_deref(), Some("payments/0198c5"));
        assert_eq!(header("ce-time").as_deref(), Some("2026-09-21T14:13:20.12Z"));
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        let body: serde_json::Value = serde_json::from_slice(&message.payload).expect("JSON");
        assert_eq!(body["amountFen"], "8800", "64-bit numbers are strings in proto3 JSON");
    }

    #[test]
    fn what_would_break_a_header_or_a_subject_is_refused() {
        let line_break = PaymentPaid { transaction_id: "42\r\nx: y".to_owned(), ..paid() };
        assert!(matches!(
            Message::from_event(&line_break, "notify-svc"),
            Err(MessageError::Header { name: "ce-id", .. })
        ));
        for merchant in ["", "a.b..c", "*", "acme >", "通宝"] {
            let event = PaymentPaid { merchant: merchant.to_owned(), ..paid() };
            assert!(
                matches!(Message::from_event(&event, "notify-svc"), Err(MessageError::Subject { .. })),
                "{merchant}"
            );
        }
    }

    #[test]
    fn a_message_does_not_print_its_body() {
        let message = Message::from_event(&paid(), "notify-svc").expect("it can be sent");
        assert!(!format!("{message:?}").contains("8800"));
    }
}
