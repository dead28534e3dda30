//! One received message.

use std::fmt;

use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, Message, Subject};
use bytes::Bytes;
use proto::bus::header;

/// One received message.
#[derive(Clone)]
pub struct Delivery {
    /// The fact's id, for the inbox. A message without one is given `<stream>:<sequence>`.
    pub id: String,
    /// The subject it came by.
    pub subject: String,
    /// The stream it is in.
    pub stream: String,
    /// Its place in the stream.
    pub sequence: u64,
    /// How often it was delivered to this durable, this time included.
    pub attempts: u64,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub payload: Bytes,
}

impl Delivery {
    /// A header's value; `None` when there is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(async_nats::HeaderValue::as_str)
    }

    /// The type of the event, such as `tongbao.event.v1.PaymentPaid`; empty when there is none.
    pub fn event_type(&self) -> &str {
        self.header(header::TYPE).unwrap_or_default()
    }

    /// Reads a message; also returns where to ack it and how many wait behind it.
    pub(super) fn read(message: Message, context: &Context) -> Result<(Self, Subject, u64), async_nats::Error> {
        let message = jetstream::Message { message, context: context.clone() };
        let info = message.info()?;
        let (stream, sequence, pending) = (info.stream.to_owned(), info.stream_sequence, info.pending);
        let attempts = u64::try_from(info.delivered)?;
        let message = message.message;
        let headers = message.headers.unwrap_or_default();
        let given = headers.get(header::MSG_ID).or_else(|| headers.get(header::ID));
        let id = given.map_or_else(|| format!("{stream}:{sequence}"), ToString::to_string);
        let reply = message.reply.ok_or("there is no subject to ack it on")?;
        let subject = message.subject.to_string();
        let delivery = Self { id, subject, stream, sequence, attempts, headers, payload: message.payload };
        Ok((delivery, reply, pending))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("subject", &self.subject)
            .field("stream", &self.stream)
            .field("sequence", &self.sequence)
            .field("attempts", &self.attempts)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
