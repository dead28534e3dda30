use svc_kit::bus::{Message, PublishError};

use crate::nats::Nats;
use crate::{message, publisher, stored};

/// As many as are published in a batch.
fn many() -> Vec<Message> {
    (1..=20).map(|n| message(&n.to_string())).collect()
}

#[tokio::test]
async fn a_message_published_twice_is_stored_once() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    let publisher = publisher(&bus);
    let first = publisher.publish(&message("1")).await.expect("it is stored");
    assert_eq!((first.stream.as_str(), first.duplicate), ("PAY", false));
    let again = publisher.publish(&message("1")).await.expect("it is known");
    assert_eq!((again.sequence, again.duplicate), (first.sequence, true));
    assert_eq!(stored(&bus, "PAY").await, 1);
}

#[tokio::test]
async fn a_batch_is_stored_in_order_in_one_go() {
    let nats = Nats::start().await;
    let (bus, metrics) = nats.bus().await;
    let verdicts = publisher(&bus).publish_batch(&many()).await;
    let sequences: Vec<u64> = verdicts.into_iter().map(|verdict| verdict.expect("it is stored").sequence).collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<_>>());
    assert_eq!(stored(&bus, "PAY").await, 20);
    let text = metrics.encode();
    assert!(text.contains("bus_batches_total{outcome=\"atomic\"} 1"), "{text}");
}

#[tokio::test]
async fn a_batch_with_a_known_message_falls_back_and_each_message_has_its_verdict() {
    let nats = Nats::start().await;
    let (bus, metrics) = nats.bus().await;
    let publisher = publisher(&bus);
    publisher.publish(&message("2")).await.expect("it is stored");
    let mut messages = many();
    let nobodys = Message { subject: "nobody.v1.listens".to_owned(), ..message("21") };
    messages.push(nobodys);
    let verdicts = publisher.publish_batch(&messages).await;
    let duplicates: Vec<Result<bool, PublishError>> =
        verdicts.into_iter().map(|verdict| verdict.map(|ack| ack.duplicate)).collect();
    let no_stream = PublishError::NoStream { subject: "nobody.v1.listens".to_owned() };
    let mut expected = vec![Ok(false); 20];
    expected[1] = Ok(true);
    expected.push(Err(no_stream));
    assert_eq!(duplicates, expected);
    assert_eq!(stored(&bus, "PAY").await, 20);
    let text = metrics.encode();
    assert!(text.contains("bus_batches_total{outcome=\"fallback\"} 1"), "{text}");
}

#[tokio::test]
async fn a_message_without_its_stream_is_refused_and_not_lost_in_silence() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    // order-svc does not own this one, so nobody has created it.
    let message = Message { subject: "work.v1.reconcile.acme".to_owned(), ..message("1") };
    let error = publisher(&bus).publish(&message).await.expect_err("no stream takes it");
    assert_eq!(error, PublishError::NoStream { subject: message.subject });
}
