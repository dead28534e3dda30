//! One message as one line.

use anyhow::Context as _;
use async_nats::HeaderMap;
use jiff::Timestamp;
use proto::bus::header;
use serde_json::{Map, Value};

/// Longest body of a message that is no JSON, in characters: ours all are.
const MOST_FOREIGN_CHARS: usize = 200;

/// A message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When the stream took it.
    pub(super) time: Timestamp,
    pub(super) subject: String,
    pub(super) stream: &'static str,
    pub(super) sequence: u64,
    /// Its headers, by name.
    pub(super) headers: Map<String, Value>,
    /// Its body: JSON, or a text when it is none.
    pub(super) body: Value,
}

/// A message's headers; of one that stands twice, the last.
pub(super) fn headers(headers: Option<&HeaderMap>) -> Map<String, Value> {
    let all = headers.into_iter().flat_map(HeaderMap::iter);
    all.filter_map(|(name, values)| Some((name.to_string(), Value::from(values.last()?.as_str())))).collect()
}

/// A message's body.
pub(super) fn body(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| {
        String::from_utf8_lossy(payload).chars().take(MOST_FOREIGN_CHARS).collect::<String>().into()
    })
}

impl Line {
    /// For people.
    pub(super) fn text(&self) -> String {
        let header = |name: &str| self.headers.get(name).and_then(Value::as_str);
        let id = header(header::ID).unwrap_or("-");
        let why = header(header::DEAD_REASON).map(|reason| format!(" dead: {reason}")).unwrap_or_default();
        let time = self.time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        // A header or body of a stranger's could hold what a terminal obeys.
        let text = format!("{time} {} {id}{why} {}", self.subject, self.body);
        text.chars().filter(|character| !character.is_control()).collect()
    }

    /// For programs.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        let line = serde_json::json!({
            "time": self.time,
            "subject": self.subject,
            "stream": self.stream,
            "sequence": self.sequence,
            "headers": self.headers,
            "body": self.body,
        });
        serde_json::to_string(&line).context("the message is no JSON")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Line, body};

    fn line(headers: &serde_json::Value, payload: &[u8]) -> Line {
        Line {
            time: "2026-11-29T01:02:03.4567Z".parse().unwrap(),
            subject: "pay.v1.payment.paid.acme".to_owned(),
            stream: "PAY",
            sequence: 7,
            headers: headers.as_object().unwrap().clone(),
            body: body(payload),
        }
    }

    #[test]
    fn a_message_is_time_subject_id_and_body() {
        let line = line(&json!({"ce-id": "paid:1"}), b"{ \"amountFen\": \"990\" }");
        assert_eq!(line.text(), "2026-11-29T01:02:03.456Z pay.v1.payment.paid.acme paid:1 {\"amountFen\":\"990\"}");
    }

    #[test]
    fn a_dead_letter_says_why() {
        let line = line(&json!({"ce-id": "paid:1", "tongbao-dead-reason": "amount differs"}), b"{}");
        assert!(line.text().ends_with(" paid:1 dead: amount differs {}"), "{}", line.text());
    }

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        let line = line(&json!({"ce-id": "a\u{1b}[2Jb"}), b"not json\x07");
        assert_eq!(line.text(), "2026-11-29T01:02:03.456Z pay.v1.payment.paid.acme a[2Jb \"not json\\u0007\"");
        let json: serde_json::Value = serde_json::from_str(&line.json().unwrap()).unwrap();
        assert_eq!((json["sequence"].as_u64(), json["body"].as_str()), (Some(7), Some("not json\u{7}")));
    }
}
