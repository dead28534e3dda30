//! As much of NATS as swallowing the ack of a publish needs.
//!
//! Source: NATS client protocol: control lines end in CR LF; `MSG <subject> <sid> [reply] <bytes>` and
//! `HMSG <subject> <sid> [reply] <header bytes> <all bytes>` are followed by so many bytes and another CR LF.

use serde_json::Value;

use super::{faults::Faults, lens::Seen};

/// Follows what the server says.
#[derive(Debug, Default)]
pub(super) struct Acks {
    /// The beginning of a frame whose end has not come yet.
    begun: Vec<u8>,
}

impl Acks {
    pub(super) fn answered(&mut self, bytes: &[u8], faults: &Faults) -> Seen {
        self.begun.extend_from_slice(bytes);
        let mut forward = Vec::with_capacity(self.begun.len());
        let mut read = 0;
        while let Some(frame) = frame(&self.begun[read..]) {
            if !(is_ack(frame) && faults.takes_ack()) {
                forward.extend_from_slice(frame);
            }
            read += frame.len();
        }
        self.begun.drain(..read);
        Seen { forward, cut: false }
    }
}

/// The first whole frame, if there is one.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.windows(2).position(|end| end == b"\r\n")? + 2;
    let end = match message(&bytes[..line]) {
        Some(message) => line + message.all_bytes + 2,
        None => line,
    };
    bytes.get(..end)
}

struct Message<'l> {
    subject: &'l str,
    header_bytes: usize,
    all_bytes: usize,
}

/// What a control line announces, when it announces a message.
fn message(line: &[u8]) -> Option<Message<'_>> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let has_headers = match words.first()?.to_ascii_uppercase().as_str() {
        "MSG" => false,
        "HMSG" => true,
        _ => return None,
    };
    let (last, rest) = words.split_last()?;
    let header_bytes = if has_headers { rest.last()?.parse().ok()? } else { 0 };
    Some(Message { subject: words.get(1)?, header_bytes, all_bytes: last.parse().ok()? })
}

/// Whether a frame is what JetStream answers to a publish that it has stored: `{"stream": …, "seq": …}` to an inbox. Refusals
/// and the answers of its other APIs are not.
fn is_ack(frame: &[u8]) -> bool {
    let Some(line) = frame.windows(2).position(|end| end == b"\r\n") else { return false };
    let Some(message) = message(&frame[..line]).filter(|message| message.subject.starts_with("_INBOX.")) else {
        return false;
    };
    let payload = frame.get(line + 2 + message.header_bytes..frame.len() - 2).unwrap_or_default();
    let Ok(Value::Object(answer)) = serde_json::from_slice(payload) else { return false };
    let stored = answer.get("stream").is_some_and(Value::is_string) && answer.get("seq").is_some_and(Value::is_u64);
    stored && !answer.contains_key("error") && !answer.contains_key("type")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn msg(subject: &str, payload: &str) -> String {
        format!("MSG {subject} 1 {}\r\n{payload}\r\n", payload.len())
    }

    fn hmsg(subject: &str, headers: &str, payload: &str) -> String {
        let (header_bytes, all_bytes) = (headers.len(), headers.len() + payload.len());
        format!("HMSG {subject} 1 reply {header_bytes} {all_bytes}\r\n{headers}{payload}\r\n")
    }

    fn ack() -> String {
        msg("_INBOX.a.1", r#"{"stream":"PAY", "seq":4711}"#)
    }

    fn ack_with_headers() -> String {
        hmsg("_INBOX.a.2", "NATS/1.0\r\nx: 1\r\n\r\n", r#"{"stream":"PAY","seq":7,"batch":"b","count":2}"#)
    }

    fn others() -> [String; 6] {
        [
            "INFO {\"stream\":\"PAY\",\"seq\":1}\r\n".to_owned(),
            "PING\r\n".to_owned(),
            // An event that looks like an ack, but goes to a subscriber of its subject.
            msg("pay.v1.x 2 $JS.ACK.1", r#"{"stream":"PAY","seq":1}"#),
            msg("_INBOX.a.3", r#"{"error":{},"stream":"PAY","seq":1}"#),
            msg("_INBOX.a.4", r#"{"type":"io.nats.x","stream":"PAY","seq":1}"#),
            hmsg("_INBOX.a.5", "NATS/1.0 404\r\n\r\n", ""),
        ]
    }

    /// What is forwarded when the server's words come in chunks of this size.
    fn forwarded(words: &str, chunk: usize, faults: &Faults) -> String {
        let mut acks = Acks::default();
        let mut forward = Vec::new();
        for bytes in words.as_bytes().chunks(chunk) {
            forward.extend(acks.answered(bytes, faults).forward);
        }
        assert!(acks.begun.is_empty(), "every frame was whole");
        String::from_utf8(forward).expect("it was text")
    }

    #[test]
    fn exactly_the_acks_are_swallowed_however_they_are_cut_into_chunks() {
        let others = others();
        let (before, after) = others.split_at(3);
        let words = [before.concat(), ack(), after.concat(), ack_with_headers(), before.concat()].concat();
        let without = [others.concat(), before.concat()].concat();
        for chunk in 1..=words.len() {
            let faults = Faults::default();
            assert_eq!(forwarded(&words, chunk, &faults), words, "nothing is armed");
            faults.arm_acks(2);
            assert_eq!(forwarded(&words, chunk, &faults), without, "chunks of {chunk}");
            assert_eq!(faults.observed(super::super::Fault::LoseAck), 2);
        }
    }

    #[test]
    fn no_more_acks_are_swallowed_than_was_asked_for() {
        let faults = Faults::default();
        faults.arm_acks(1);
        assert_eq!(forwarded(&[ack(), ack(), ack()].concat(), 10, &faults), [ack(), ack()].concat());
    }
}
