//! Streams and durables. Messages are got one by one, by their places: that leaves no consumer behind and disturbs none.

use anyhow::{Context as _, anyhow};
use async_nats::jetstream::{
    self, ErrorCode,
    consumer::Info,
    context::GetStreamErrorKind,
    message::StreamMessage,
    stream::{RawMessageErrorKind, Stream},
};
use futures::{Stream as Messages, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use proto::bus;

use crate::verify::Waiting;

/// Messages that are asked for at one time. Our messages are below 2 kB, so this is all of a stream that is in memory at once.
const AT_ONCE: usize = 128;

/// A stream as it is now; what comes later is not read.
pub(in crate::verify) struct Opened {
    stream: Stream,
    /// Its name.
    name: &'static str,
    first: u64,
    /// The place of its last message.
    pub(in crate::verify) last: u64,
    first_time: Timestamp,
}

/// A stream of the table; `None` when nobody has made it yet.
pub(in crate::verify) async fn open(
    jetstream: &jetstream::Context,
    name: &'static str,
) -> anyhow::Result<Option<Opened>> {
    let stream = match jetstream.get_stream(name).await {
        Ok(stream) => stream,
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                return Ok(None);
            }
            _ => return Err(error).with_context(|| format!("the stream {name} cannot be looked at")),
        },
    };
    let state = &stream.cached_info().state;
    let (first, last) = (state.first_sequence, state.last_sequence);
    let first_time = Timestamp::from_nanosecond(state.first_timestamp.unix_timestamp_nanos()).unwrap_or_default();
    Ok(Some(Opened { stream, name, first, last, first_time }))
}

impl Opened {
    /// Since when it has every message; `None` when it has all that there ever were.
    pub(in crate::verify) fn kept_since(&self) -> Option<Timestamp> {
        (1 < self.first).then_some(self.first_time)
    }

    /// Every message, oldest first. One that is forgotten meanwhile is left out.
    pub(in crate::verify) fn messages(&self) -> impl Messages<Item = anyhow::Result<StreamMessage>> + use<'_> {
        stream::iter(self.first.max(1)..=self.last)
            .map(async |place| match self.stream.get_raw_message(place).await {
                Ok(message) => Ok(Some(message)),
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
                Err(error) => Err(anyhow!(error).context(format!("{} cannot be read at {place}", self.name))),
            })
            .buffered(AT_ONCE)
            .try_filter_map(async |message| Ok(message))
    }
}

/// When the stream took a message.
pub(in crate::verify) fn published(message: &StreamMessage) -> Timestamp {
    Timestamp::from_nanosecond(message.time.unix_timestamp_nanos()).unwrap_or_default()
}

/// What a durable of ours still has to do; `None` when nothing.
pub(in crate::verify) async fn behind(
    jetstream: &jetstream::Context,
    durable: &'static str,
) -> anyhow::Result<Option<Waiting>> {
    let spec = bus::durable(durable).ok_or_else(|| anyhow!("{durable} is not in the table of durables"))?;
    let asked = || format!("the durable {durable} cannot be looked at");
    let stream = jetstream.get_stream_no_info(spec.stream).await.with_context(asked)?;
    let info: Info = match stream.consumer_info(durable).await {
        Ok(info) => info,
        Err(error) if is_missing(&error) => return Ok(Some(Waiting::NoDurable { durable })),
        Err(error) => return Err(error).with_context(asked),
    };
    let (pending, unacked) = (info.num_pending, info.num_ack_pending);
    let acked_up_to = info.ack_floor.stream_sequence;
    Ok((pending != 0 || unacked != 0).then_some(Waiting::Backlog { durable, pending, unacked, acked_up_to }))
}

fn is_missing(error: &jetstream::context::ConsumerInfoError) -> bool {
    use jetstream::context::ConsumerInfoErrorKind;
    matches!(error.kind(), ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound)
}
