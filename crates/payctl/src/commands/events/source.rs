//! One stream, read in order by a consumer that nobody has to delete.

use anyhow::{Context as _, anyhow, bail};
use async_nats::{
    datetime::parse_rfc3339,
    jetstream::{
        self, ErrorCode,
        consumer::{
            DeliverPolicy,
            pull::{Ordered, OrderedConfig},
        },
        context::GetStreamErrorKind,
    },
};
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use proto::bus::{Retention, STREAMS, StreamSpec};

use super::line::{self, Line};

/// A stream's messages, oldest first.
pub(super) struct Source {
    name: &'static str,
    messages: Ordered,
    /// How many messages were there when it was opened and are not read yet.
    there: u64,
}

/// The streams that can hold such a subject, each with what to read of it.
pub(super) fn streams(subject: Option<&str>) -> anyhow::Result<Vec<(&'static str, String)>> {
    let all = facts().flat_map(|stream| stream.subjects.iter().map(|taken| (stream.name, *taken)));
    let Some(subject) = subject else { return Ok(all.map(|(name, taken)| (name, taken.to_owned())).collect()) };
    let broken = subject.split('.').any(str::is_empty) || subject.chars().any(char::is_whitespace);
    if broken {
        bail!("\"{subject}\" is no subject: words between dots, * for one word, > at the end for the rest");
    }
    let fit: Vec<_> =
        all.filter(|(_, taken)| overlap(subject, taken)).map(|(name, _)| (name, subject.to_owned())).collect();
    if fit.is_empty() {
        let roots: Vec<_> = facts().flat_map(|stream| stream.subjects).copied().collect();
        bail!("no stream takes \"{subject}\"; there are {}", roots.join(" "));
    }
    Ok(fit)
}

/// The streams that hold facts. Work has one reader, which a second one would rob.
fn facts() -> impl Iterator<Item = &'static StreamSpec> {
    STREAMS.iter().filter(|stream| stream.retention == Retention::Limits)
}

/// Whether one subject can fit both.
fn overlap(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) | (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(a), Some(b)) if a == b || a == "*" || b == "*" => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

impl Source {
    /// Begins to read at that instant, or at the first message; `None` when nobody has made the stream yet.
    pub(super) async fn open(
        jetstream: &jetstream::Context,
        name: &'static str,
        subject: &str,
        from: Option<Timestamp>,
    ) -> anyhow::Result<Option<Source>> {
        let stream = match jetstream.get_stream(name).await {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    return Ok(None);
                }
                _ => return Err(error).with_context(|| format!("the stream {name} cannot be looked at")),
            },
        };
        let deliver_policy = match from {
            Some(from) => DeliverPolicy::ByStartTime {
                start_time: parse_rfc3339(&from.to_string()).map_err(|error| anyhow!("the beginning: {error}"))?,
            },
            None => DeliverPolicy::All,
        };
        let config = OrderedConfig { filter_subject: subject.to_owned(), deliver_policy, ..OrderedConfig::default() };
        let unread = || format!("the stream {name} cannot be read");
        let consumer = stream.create_consumer(config).await.with_context(unread)?;
        let there = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.with_context(unread)?;
        Ok(Some(Source { name, messages, there }))
    }

    /// The next message of those that were there when it was opened.
    pub(super) async fn next_there(&mut self) -> anyhow::Result<Option<Line>> {
        if self.there == 0 {
            return Ok(None);
        }
        let Some(message) = self.messages.next().await else { return Ok(None) };
        let (line, pending) = read(self.name, message)?;
        // What came since does not count, but what was forgotten meanwhile is not waited for.
        self.there = (self.there - 1).min(pending);
        Ok(Some(line))
    }

    /// Every message that is there and that comes.
    pub(super) fn messages(self) -> impl Stream<Item = anyhow::Result<Line>> {
        let name = self.name;
        self.messages.map(move |message| read(name, message).map(|(line, _)| line))
    }
}

/// A message, and how many follow it now.
fn read(
    stream: &'static str,
    message: Result<jetstream::Message, impl std::error::Error + Send + Sync + 'static>,
) -> anyhow::Result<(Line, u64)> {
    let message = message.with_context(|| format!("the stream {stream} cannot be read"))?;
    let info = message.info().map_err(|error| anyhow!("a message of {stream} has no place: {error}"))?;
    let line = Line {
        time: Timestamp::from_nanosecond(info.published.unix_timestamp_nanos()).context("a message has no time")?,
        subject: message.subject.to_string(),
        stream,
        sequence: info.stream_sequence,
        headers: line::headers(message.headers.as_ref()),
        body: line::body(&message.payload),
    };
    Ok((line, info.pending))
}

#[cfg(test)]
mod tests {
    use super::{overlap, streams};

    #[test]
    fn everything_is_every_stream() {
        let all: Vec<_> = streams(None).unwrap();
        assert_eq!(all.len(), super::facts().count());
        assert_eq!(all[0], ("PAY", "pay.v1.>".to_owned()));
    }

    #[test]
    fn a_subject_chooses_its_streams() {
        let names = |subject| streams(Some(subject)).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("order.v1.order.paid.shop"), ["ORDER"]);
        assert_eq!(names("*.v1.>"), ["PAY", "ORDER", "RECON", "DEAD"]);
        assert!(streams(Some("ask.v1.>")).unwrap_err().to_string().contains("no stream takes"));
        for broken in ["", "a..b", "a b", ".a"] {
            assert!(streams(Some(broken)).unwrap_err().to_string().contains("is no subject"), "{broken:?}");
        }
    }

    #[test]
    fn subjects_overlap_word_by_word() {
        for (left, right, fits) in [
            ("pay.v1.>", "pay.v1.>", true),
            ("pay.*.payment.>", "pay.v1.>", true),
            ("pay", "pay.v1.>", false),
            ("pay.v2.x", "pay.v1.>", false),
            (">", "dead.v1.>", true),
        ] {
            assert_eq!(overlap(left, right), fits, "{left} {right}");
        }
    }
}
