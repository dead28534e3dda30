//! Atomic batches: one fsync for many messages.
//!
//! A batch is stored whole or not at all. It is refused whole when it holds one message whose id the stream has seen
//! (error 10201), so every failure but a lost connection is followed by single publishes, which give each message its own
//! verdict. The ids are the same, so nothing is stored twice even if the batch was stored and only its ack was lost.
//!
//! Source: NATS ADR-50, "JetStream Batch Publishing".

use std::collections::{BTreeMap, HashSet};

use async_nats::header::{NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE};
use futures::future::join_all;
use uuid::Uuid;

use super::metrics::Outcome;
use super::publish::{headers_for, stream_of};
use super::{Ack, Message, PublishError, Publisher};

/// Messages in one batch; the server's limit is 1000. More gains little: a batch costs about 2.5 ms and 0.01 ms for each message.
pub const MAX_BATCH_MESSAGES: usize = 512;

/// Fewer messages than this are published one by one, all at once: on the disk of one server a batch is written aside first, which
/// costs as much as this many messages with an fsync each (`docs/performance.md`).
const MIN_BATCH_MESSAGES: usize = 12;

/// Bytes of bodies in one batch, which the server holds in memory until the commit.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// An atomic batch takes at most this many of its publisher's deadlines: its own, and that of the single publishes that follow
/// when it fails.
pub(crate) const BATCH_DEADLINES: u64 = 2;

impl Publisher {
    /// Publishes messages in order, in as few atomic batches as their number allows, and answers for each one. A few messages make
    /// no batch.
    ///
    /// The verdicts stand in the order of the messages. A batch that fails is not atomic: its messages are then published
    /// one by one, and some may succeed. The order on the stream is that of `messages`, except when some fail.
    pub async fn publish_batch(&self, messages: &[Message]) -> Vec<Result<Ack, PublishError>> {
        // Each is replaced below, because every index is in exactly one chunk.
        let mut verdicts = vec![Err(PublishError::NotConnected); messages.len()];
        let mut rest: Vec<usize> = (0..messages.len()).collect();
        while !rest.is_empty() {
            let answers = self.publish_next(messages, &rest).await;
            rest.retain(|index| answers.binary_search_by_key(index, |(index, _)| *index).is_err());
            for (index, answer) in answers {
                verdicts[index] = answer;
            }
        }
        verdicts
    }

    /// Publishes of each stream's messages the first ones that fit into one atomic batch, all streams at once, and answers for
    /// these, by index. It takes at most [`BATCH_DEADLINES`] deadlines.
    pub(crate) async fn publish_first(&self, messages: &[Message]) -> Vec<(usize, Result<Ack, PublishError>)> {
        let mut streams: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, message) in messages.iter().enumerate() {
            streams.entry(stream_of(&message.subject).ok()).or_default().push(index);
        }
        let answers = join_all(streams.values().map(|of_one| self.publish_next(messages, of_one))).await;
        answers.into_iter().flatten().collect()
    }

    /// Publishes of `messages[rest]` the first ones that fit into one atomic batch, and answers for these, by index in
    /// ascending order. It takes at most [`BATCH_DEADLINES`] deadlines.
    async fn publish_next(&self, messages: &[Message], rest: &[usize]) -> Vec<(usize, Result<Ack, PublishError>)> {
        let chunk = next_chunk(messages, rest);
        let Some(&first) = chunk.first() else { return Vec::new() };
        let taken: Vec<&Message> = chunk.iter().map(|&index| &messages[index]).collect();
        let answers = match stream_of(&messages[first].subject) {
            Ok(stream) if MIN_BATCH_MESSAGES <= taken.len() => self.publish_chunk(stream, &taken).await,
            _ => join_all(taken.into_iter().map(|message| self.publish(message))).await,
        };
        chunk.into_iter().zip(answers).collect()
    }

    async fn publish_chunk(&self, stream: &'static str, messages: &[&Message]) -> Vec<Result<Ack, PublishError>> {
        let count = |outcome| self.metrics.batches.get_or_create(&Outcome { outcome }).inc();
        let error = match tokio::time::timeout(self.deadline(), self.publish_atomically(stream, messages)).await {
            Ok(Ok(acks)) => {
                count("atomic");
                let acks: Vec<_> = acks.into_iter().map(Ok).collect();
                for ack in &acks {
                    self.count(ack);
                }
                return acks;
            }
            // Nothing was sent, and nothing could be sent one by one.
            Ok(Err(error @ PublishError::NotConnected)) => {
                count("not_connected");
                let errors: Vec<_> = messages.iter().map(|_| Err(error.clone())).collect();
                for error in &errors {
                    self.count(error);
                }
                return errors;
            }
            Ok(Err(error)) => error,
            Err(_elapsed) => PublishError::Unknown { reason: format!("waited {:?}", self.deadline()) },
        };
        count("fallback");
        tracing::debug!(stream, messages = messages.len(), %error, "a batch failed; publishing one by one");
        join_all(messages.iter().map(|message| self.publish(message))).await
    }

    /// All or nothing. The order in the client's queue is the order on the wire.
    async fn publish_atomically(&self, stream: &'static str, messages: &[&Message]) -> Result<Vec<Ack>, PublishError> {
        self.check_connected()?;
        let id = Uuid::new_v4().simple().to_string();
        let mut stamped = Vec::with_capacity(messages.len());
        for (message, sequence) in messages.iter().zip(1_u64..) {
            let mut headers = headers_for(message, stream)?;
            headers.insert(NATS_BATCH_ID, id.as_str());
            headers.insert(NATS_BATCH_SEQUENCE, sequence.to_string());
            stamped.push((*message, headers));
        }
        let (last, mut headers) = stamped.pop().expect("a chunk is never empty");
        for (message, headers) in stamped {
            self.client
                .publish_with_headers(message.subject.clone(), headers, message.payload.clone())
                .await
                .map_err(|error| PublishError::Unknown { reason: error.to_string() })?;
        }
        headers.insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
        let stored = self.request(last, headers).await?;
        let count = u64::try_from(messages.len()).expect("a chunk is small");
        if stored.stream != stream {
            return Err(PublishError::WrongStream { expected: stream, found: stored.stream });
        }
        let first = (stored.sequence + 1).checked_sub(count);
        let Some(first) = first.filter(|_| stored.batch.as_ref() == Some(&id) && stored.count == Some(count)) else {
            return Err(PublishError::Unknown { reason: "the ack is not that of the batch".to_owned() });
        };
        let ack = |sequence| Ack { stream: stream.to_owned(), sequence, duplicate: false };
        Ok((first..=stored.sequence).map(ack).collect())
    }
}

/// The first messages of `rest` that go into one stream and fit into one batch, in ascending order; at least one. A batch must
/// not repeat an id, or it is refused whole; so it ends before a repeat.
fn next_chunk(messages: &[Message], rest: &[usize]) -> Vec<usize> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    let mut ids = HashSet::new();
    let mut stream = None;
    for &index in rest {
        let message = &messages[index];
        let found = stream_of(&message.subject).ok();
        if chunk.is_empty() {
            stream = found;
        } else if found != stream {
            continue;
        }
        bytes += message.payload.len();
        let full = chunk.len() == MAX_BATCH_MESSAGES || MAX_BATCH_BYTES < bytes;
        if !chunk.is_empty() && (full || stream.is_none() || ids.contains(message.id.as_str())) {
            break;
        }
        ids.insert(message.id.as_str());
        chunk.push(index);
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, subject: &str, bytes: usize) -> Message {
        Message {
            id: id.to_owned(),
            subject: subject.to_owned(),
            headers: async_nats::HeaderMap::new(),
            payload: vec![0; bytes].into(),
        }
    }

    #[test]
    fn a_chunk_holds_one_stream_in_order() {
        let messages = [message("a", "pay.v1.x", 1), message("b", "order.v1.x", 1), message("c", "pay.v1.y", 1)];
        assert_eq!(next_chunk(&messages, &[0, 1, 2]), [0, 2]);
        assert_eq!(next_chunk(&messages, &[1]), [1]);
    }

    #[test]
    fn a_chunk_ends_before_a_repeated_id() {
        let messages = [message("a", "pay.v1.x", 1), message("b", "pay.v1.x", 1), message("a", "pay.v1.x", 1)];
        assert_eq!(next_chunk(&messages, &[0, 1, 2]), [0, 1]);
    }

    #[test]
    fn a_chunk_ends_at_its_limits_but_always_takes_one() {
        let many: Vec<Message> = (0..600).map(|n| message(&n.to_string(), "pay.v1.x", 1)).collect();
        let all: Vec<usize> = (0..600).collect();
        assert_eq!(next_chunk(&many, &all).len(), MAX_BATCH_MESSAGES);
        let huge = [message("a", "pay.v1.x", MAX_BATCH_BYTES + 1), message("b", "pay.v1.x", 1)];
        assert_eq!(next_chunk(&huge, &[0, 1]), [0]);
    }
}
