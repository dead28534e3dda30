//! What is on the bus, read without disturbing anybody.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{FromConsumer as _, pull},
    stream::{LastRawMessageErrorKind, Stream},
};
use futures::StreamExt as _;
use proto::bus::{self, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::eventually;

/// Longest wait for one answer of the server.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Where it was published.
    pub subject: String,
    /// The id of the fact: `ce-id`.
    pub id: String,
    /// Every header.
    pub headers: BTreeMap<String, String>,
    /// Its place in its stream.
    pub sequence: u64,
    /// The proto3 JSON of the event. Numbers of 64 bits are texts there.
    pub body: Value,
}

impl Fact {
    /// A text of the body, by its JSON name: `outTradeNo`. A field that has its default value is not in the body: "".
    pub fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// A header; "" when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The event in it: `fact.event::<proto::event::PaymentPaid>()`.
    ///
    /// # Panics
    /// When it is another event.
    pub fn event<E: DeserializeOwned>(&self) -> E {
        serde_json::from_value(self.body.clone())
            .unwrap_or_else(|error| panic!("{} is another event: {error}", self.subject))
    }
}

/// What a durable consumer still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Not delivered yet.
    pub pending: u64,
    /// Delivered, not acked yet.
    pub unacked: usize,
}

/// A connection to the bus, for looking.
#[derive(Debug)]
pub struct Streams {
    jetstream: jetstream::Context,
}

impl Streams {
    /// Connects; a server that was just started again may need a moment.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn connect(url: &str) -> Self {
        let client = eventually("the bus answers", async || {
            async_nats::ConnectOptions::new().connection_timeout(ANSWER_TIME).connect(url).await
        });
        let mut jetstream = jetstream::new(client.await);
        jetstream.set_timeout(ANSWER_TIME);
        Self { jetstream }
    }

    /// For what this module does not cover, such as publishing nonsense.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// What is there under `subjects`, which may have wildcards (`*`, and `>` at the end), oldest first.
    ///
    /// # Panics
    /// When no stream of ours takes such subjects, or a message is not JSON.
    pub async fn facts(&self, subjects: &str) -> Vec<Fact> {
        let root = subjects.split('.').next().unwrap_or_default();
        let stream = bus::STREAMS.iter().find(|stream| stream.subjects.iter().any(|taken| taken.starts_with(root)));
        let stream = stream.unwrap_or_else(|| panic!("no stream takes {subjects}")).name;
        // A stream that nobody has made yet is empty.
        let stream = match self.jetstream.get_stream(stream).await {
            Ok(stream) => stream,
            Err(error) if is_not_found(&error) => return Vec::new(),
            Err(error) => panic!("the bus tells nothing about {stream}: {error}"),
        };
        let (mut facts, mut next) = (Vec::new(), 1);
        while let Some(fact) = next_fact(&stream, subjects, next).await {
            next = fact.sequence + 1;
            facts.push(fact);
        }
        facts
    }

    /// What one of our durables still has to do; `None` when it was never made.
    ///
    /// # Panics
    /// When the name is not in the table, or the bus does not answer.
    pub async fn backlog(&self, durable: &str) -> Option<Backlog> {
        let spec = bus::durable(durable).unwrap_or_else(|| panic!("{durable} is not in the table"));
        let stream = self.jetstream.get_stream_no_info(spec.stream).await.expect("the name is a name");
        let info = stream.consumer_info(durable).await.ok()?;
        Some(Backlog { pending: info.num_pending, unacked: info.num_ack_pending })
    }

    /// Lets one of our durables deliver again what has no ack after so long, until its owner starts the next time and sets its
    /// own time. A dead process holds what was delivered to it for that long.
    ///
    /// # Panics
    /// When there is no such durable, or the bus does not answer.
    pub async fn deliver_again_after(&self, durable: &str, time: Duration) {
        let spec = bus::durable(durable).unwrap_or_else(|| panic!("{durable} is not in the table"));
        let stream = self.jetstream.get_stream_no_info(spec.stream).await.expect("the name is a name");
        let info = stream.consumer_info(durable).await.unwrap_or_else(|error| panic!("{durable}: {error}"));
        let config = pull::Config::try_from_consumer_config(info.config).expect("all of ours are pull consumers");
        let config = pull::Config { ack_wait: time, ..config };
        stream.update_consumer(config).await.unwrap_or_else(|error| panic!("{durable}: {error}"));
    }

    /// Takes the next delivery of one of our durables and acks it, in the place of a consumer that does not run. Returns the
    /// fact's id.
    ///
    /// # Panics
    /// When nothing is delivered in time.
    pub async fn ack_next(&self, durable: &str) -> String {
        let spec = bus::durable(durable).unwrap_or_else(|| panic!("{durable} is not in the table"));
        let stream = self.jetstream.get_stream_no_info(spec.stream).await.expect("the name is a name");
        let consumer = stream.get_consumer::<pull::Config>(durable).await;
        let consumer = consumer.unwrap_or_else(|error| panic!("{durable}: {error}"));
        let batch = consumer.batch().max_messages(1).expires(eventually::DEADLINE).messages().await;
        let next = batch.unwrap_or_else(|error| panic!("{durable}: {error}")).next().await;
        let message = next.expect("something is delivered").unwrap_or_else(|error| panic!("{durable}: {error}"));
        message.double_ack().await.unwrap_or_else(|error| panic!("{durable}: {error}"));
        let id = message.headers.as_ref().and_then(|headers| headers.get(header::ID));
        id.map(ToString::to_string).unwrap_or_default()
    }
}

async fn next_fact(stream: &Stream, subjects: &str, from: u64) -> Option<Fact> {
    let message = match stream.raw_message_builder().sequence(from).next_by_subject(subjects).send().await {
        Ok(message) => message,
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => return None,
        Err(error) => panic!("{subjects} cannot be read from {from}: {error}"),
    };
    let headers: BTreeMap<String, String> = message
        .headers
        .iter()
        .map(|(name, values)| (name.to_string(), values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")))
        .collect();
    let body = serde_json::from_slice(&message.payload)
        .unwrap_or_else(|error| panic!("{} {} is not JSON: {error}", message.subject, message.sequence));
    Some(Fact {
        subject: message.subject.to_string(),
        id: headers.get(header::ID).cloned().unwrap_or_default(),
        headers,
        sequence: message.sequence,
        body,
    })
}

fn is_not_found(error: &jetstream::context::GetStreamError) -> bool {
    use jetstream::{ErrorCode, context::GetStreamErrorKind};
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
