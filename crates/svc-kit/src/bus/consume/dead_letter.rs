//! Dead letters: what could never be applied, kept with its reason until a person has looked.

use proto::bus::{DurableSpec, header, subject};

use super::Delivery;
use crate::bus::Message;

/// Longest reason in a header. The log line has all of it.
const MAX_REASON_CHARS: usize = 512;

/// Headers that mean something to JetStream would mean it again.
const JETSTREAM_PREFIX: &str = "nats-";

/// The dead letter of a message: same body, same headers, and why it is here.
pub(super) fn write(delivery: &Delivery, spec: &DurableSpec, reason: &str) -> Message {
    let mut headers = async_nats::HeaderMap::new();
    for (name, values) in delivery.headers.iter() {
        if !name.to_string().to_ascii_lowercase().starts_with(JETSTREAM_PREFIX) {
            for value in values {
                headers.append(name.clone(), value.clone());
            }
        }
    }
    if headers.get(header::ID).is_none() {
        headers.insert(header::ID, printable(&delivery.id));
    }
    headers.insert(header::DEAD_REASON, printable(reason));
    headers.insert(header::DEAD_ATTEMPTS, delivery.attempts.to_string());
    headers.insert(header::DEAD_SUBJECT, delivery.subject.as_str());
    headers.insert(header::DEAD_SEQUENCE, delivery.sequence.to_string());
    Message {
        // One letter per stored message and durable, however often it is written; two stored messages never share one.
        id: printable(&format!("{}:{}:{}", delivery.stream, delivery.sequence, spec.name)),
        subject: subject::dead(spec.name),
        headers,
        payload: delivery.payload.clone(),
    }
}

/// As a header's value: printable ASCII, not empty, not long.
fn printable(text: &str) -> String {
    let clean = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let text: String = text.chars().take(MAX_REASON_CHARS).map(clean).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proto::bus::{ORDER_SVC_PAY, durable};

    use super::*;

    #[test]
    fn a_dead_letter_keeps_body_and_headers_and_says_why() {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", "paid:wechat-v2:1900000109:42");
        headers.insert("ce-id", "paid:wechat-v2:1900000109:42");
        let delivery = Delivery {
            id: "paid:wechat-v2:1900000109:42".to_owned(),
            subject: "pay.v1.payment.paid.acme".to_owned(),
            stream: "PAY".to_owned(),
            sequence: 7,
            attempts: 30,
            headers,
            payload: "{}".into(),
        };
        let letter = write(&delivery, durable(ORDER_SVC_PAY).expect("in the table"), "金额 differs\r\nreally");
        assert_eq!(letter.id, "PAY:7:order-svc-pay");
        assert_eq!(letter.subject, "dead.v1.order-svc-pay");
        assert_eq!(letter.payload, "{}");
        let header = |name: &str| letter.headers.get(name).map(ToString::to_string);
        assert_eq!(header("ce-id").as_deref(), Some("paid:wechat-v2:1900000109:42"));
        assert_eq!(header("tongbao-dead-reason").as_deref(), Some("?? differs??really"));
        assert_eq!(header("tongbao-dead-attempts").as_deref(), Some("30"));
        assert_eq!(header("tongbao-dead-subject").as_deref(), Some("pay.v1.payment.paid.acme"));
        assert_eq!(header("tongbao-dead-sequence").as_deref(), Some("7"));
        assert_eq!(header("Nats-Msg-Id"), None, "the publisher adds the letter's own");
    }

    #[test]
    fn two_stored_messages_never_share_a_letter() {
        let spec = durable(ORDER_SVC_PAY).expect("in the table");
        let delivery = |sequence| Delivery {
            id: "paid:wechat-v2:42".to_owned(),
            subject: "pay.v1.payment.paid.acme".to_owned(),
            stream: "PAY".to_owned(),
            sequence,
            attempts: 1,
            headers: async_nats::HeaderMap::new(),
            payload: "{}".into(),
        };
        let [one, other] = [7, 8].map(|sequence| write(&delivery(sequence), spec, "no"));
        assert_ne!(one.id, other.id);
        let fact = |letter: &Message| letter.headers.get("ce-id").map(ToString::to_string);
        assert_eq!(fact(&one).as_deref(), Some("paid:wechat-v2:42"), "the fact is named even when no header did");
        assert_eq!(fact(&one), fact(&other));
    }

    #[test]
    fn a_reason_fits_into_a_header() {
        assert_eq!(printable(""), "-");
        assert_eq!(printable(&"x".repeat(10_000)).len(), MAX_REASON_CHARS);
    }
}
