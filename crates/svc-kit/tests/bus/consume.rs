use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::consumer::Info;
use svc_kit::bus::{Bus, Consumer, Delivery, Failure, Handler, Options, Verdict, Verdicts};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::nats::Nats;
use crate::{DEADLINE, durable, message, publisher, stored, until};

/// A handler made of a closure that is called for each batch, and what the batches were.
struct Script<F> {
    bus: Bus,
    seen: Mutex<Vec<Seen>>,
    answer: F,
}

/// One call of the handler.
#[derive(Clone, Debug)]
struct Seen {
    ids: Vec<String>,
    attempts: u64,
    /// Messages that the server counts as not acked, asked while the handler works.
    unacked: usize,
}

impl<F: Fn(usize, &[Delivery]) -> Result<Verdicts, Failure> + Send + Sync> Handler for &'static Script<F> {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let ids = batch.iter().map(|delivery| delivery.id.clone()).collect();
        let seen = Seen { ids, attempts: batch[0].attempts, unacked: unacked(&self.bus).await };
        let call = {
            let mut calls = self.seen.lock().expect("no test panics while it holds this");
            calls.push(seen);
            calls.len()
        };
        (self.answer)(call, batch)
    }
}

struct Running<F: 'static> {
    script: &'static Script<F>,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl<F: Fn(usize, &[Delivery]) -> Result<Verdicts, Failure> + Send + Sync> Running<F> {
    /// `answer` is given the number of the call, counted from 1.
    fn start(bus: &Bus, max_attempts: u64, answer: F) -> Self {
        // Leaked, so that the consumer's task can hold it; a test ends soon.
        let script: &'static Script<F> =
            Box::leak(Box::new(Script { bus: bus.clone(), seen: Mutex::default(), answer }));
        let options = Options { max_attempts, retry: "1ms".parse().expect("a schedule"), ..Options::default() };
        let stop = CancellationToken::new();
        let consumer = Consumer::new(bus, durable()).with_options(options);
        let task = tokio::spawn(consumer.run(script, stop.clone()));
        Self { script, stop, task }
    }

    fn calls(&self) -> Vec<Seen> {
        self.script.seen.lock().expect("no test panics while it holds this").clone()
    }

    async fn stop(self) -> Vec<Seen> {
        self.stop.cancel();
        self.task.await.expect("it does not panic").expect("it ends well");
        self.script.seen.lock().expect("no test panics while it holds this").clone()
    }
}

fn is_poison(delivery: &Delivery) -> bool {
    delivery.id.ends_with("poison")
}

pub(crate) async fn unacked(bus: &Bus) -> usize {
    until("the server answers", || async { Some(info(bus).await?.num_ack_pending) }).await
}

/// `None` while there is no such durable, or no answer.
async fn info(bus: &Bus) -> Option<Info> {
    let stream = bus.jetstream().get_stream_no_info("PAY").await.expect("a name");
    stream.consumer_info(durable().name).await.ok()
}

/// Waits until everything up to this place in the stream is acked. (The number of messages that wait is no sign: the server
/// counts a new message after it has acked it.)
pub(crate) async fn until_acked(bus: &Bus, sequence: u64) {
    until("all is acked", || async {
        let floor = info(bus).await?.ack_floor.stream_sequence;
        (sequence <= floor).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_is_acked_after_its_handler_and_delivered_again_when_that_failed() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    publisher(&bus).publish(&message("1")).await.expect("it is stored");
    let running = Running::start(&bus, 30, |call, _| match call {
        1 => Err(Failure::failed("not this time")),
        _ => Ok(Verdicts::All(Verdict::Applied)),
    });
    until_acked(&bus, 1).await;
    let calls = running.stop().await;
    assert!(2 <= calls.len(), "{calls:?}");
    assert!(calls[0].attempts < calls[1].attempts, "{calls:?}");
    assert!(calls.iter().all(|call| call.unacked == 1), "nothing is acked while the handler works: {calls:?}");
}

#[tokio::test]
async fn what_waits_is_handed_over_as_one_batch() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    let publisher = publisher(&bus);
    publisher.publish_batch(&["1", "2", "3"].map(message)).await.into_iter().for_each(|verdict| {
        verdict.expect("it is stored");
    });
    let running = Running::start(&bus, 30, |_, batch| Ok(Verdicts::Each(vec![Verdict::Applied; batch.len()])));
    until_acked(&bus, 3).await;
    let calls = running.stop().await;
    let ids: Vec<&str> = calls[0].ids.iter().map(String::as_str).collect();
    assert_eq!(ids, ["paid:wechat-v2:1900000109:1", "paid:wechat-v2:1900000109:2", "paid:wechat-v2:1900000109:3"]);
}

#[tokio::test]
async fn a_poisonous_message_becomes_a_dead_letter_and_stops_nobody_else() {
    let nats = Nats::start().await;
    let (bus, metrics) = nats.bus().await;
    for id in ["1", "poison", "3"] {
        publisher(&bus).publish(&message(id)).await.expect("it is stored");
    }
    let running = Running::start(&bus, 2, |_, batch| {
        if batch.iter().any(is_poison) {
            return Err(Failure::failed("it is poisonous"));
        }
        Ok(Verdicts::All(Verdict::Applied))
    });
    until_acked(&bus, 3).await;
    running.stop().await;

    assert_eq!(stored(&bus, "DEAD").await, 1);
    let dead = bus.jetstream().get_stream("DEAD").await.expect("it is there");
    let letter = dead.get_raw_message(1).await.expect("the letter");
    assert_eq!(letter.subject.as_str(), "dead.v1.order-svc-pay");
    assert_eq!(letter.payload, message("poison").payload);
    let header = |name: &str| letter.headers.get(name).map(ToString::to_string).unwrap_or_default();
    assert_eq!(header("Nats-Msg-Id"), "PAY:2:order-svc-pay");
    assert_eq!(header("ce-id"), "paid:wechat-v2:1900000109:poison");
    assert_eq!(header("tongbao-dead-reason"), "it is poisonous");
    assert!(2 <= header("tongbao-dead-attempts").parse().expect("a number"));
    let text = metrics.encode();
    assert!(text.contains("bus_dead_letters_total{durable=\"order-svc-pay\"} 1"), "{text}");
}

#[tokio::test]
async fn a_verdict_of_dead_is_a_dead_letter_at_once() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    publisher(&bus).publish(&message("1")).await.expect("it is stored");
    let running = Running::start(&bus, 30, |_, _| Ok(Verdicts::All(Verdict::Dead("amount differs".to_owned()))));
    until_acked(&bus, 1).await;
    running.stop().await;
    assert_eq!(stored(&bus, "DEAD").await, 1);
}

#[tokio::test]
async fn a_handler_whose_database_is_away_is_asked_again_and_nothing_dies() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    publisher(&bus).publish(&message("1")).await.expect("it is stored");
    // One attempt is allowed, so any failure that counted would end in a dead letter.
    let running = Running::start(&bus, 1, |call, _| match call {
        1..=3 => Err(Failure::unavailable("no database")),
        _ => Ok(Verdicts::All(Verdict::Applied)),
    });
    until_acked(&bus, 1).await;
    let calls = running.stop().await;
    assert!(4 <= calls.len(), "{calls:?}");
    assert_eq!(stored(&bus, "DEAD").await, 0);
}

#[tokio::test]
async fn a_message_on_which_the_handler_panics_has_failed() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    for id in ["1", "poison"] {
        publisher(&bus).publish(&message(id)).await.expect("it is stored");
    }
    let running = Running::start(&bus, 1, |_, batch| {
        assert!(!batch.iter().any(is_poison), "a bug in the handler");
        Ok(Verdicts::All(Verdict::Applied))
    });
    until_acked(&bus, 2).await;
    running.stop().await;
    assert_eq!(stored(&bus, "DEAD").await, 1);
}

/// A handler that fails on everything for a while: far more often than each message may fail.
async fn a_broken_handler(failure: fn() -> Failure) {
    let nats = Nats::start().await;
    let (bus, metrics) = nats.bus().await;
    for id in ["1", "2"] {
        publisher(&bus).publish(&message(id)).await.expect("it is stored");
    }
    let running = Running::start(&bus, 3, move |call, _| match call {
        1..=24 => Err(failure()),
        _ => Ok(Verdicts::All(Verdict::Applied)),
    });
    until_acked(&bus, 2).await;
    running.stop().await;
    assert_eq!(stored(&bus, "DEAD").await, 0, "the backlog is kept");
    let text = metrics.encode();
    assert!(text.contains("bus_burials_withheld_total{durable=\"order-svc-pay\"}"), "{text}");
}

#[tokio::test]
async fn a_handler_that_fails_on_everything_buries_nothing() {
    a_broken_handler(|| Failure::failed("a bug since the last release")).await;
}

#[tokio::test]
async fn a_handler_that_panics_on_everything_buries_nothing() {
    a_broken_handler(|| panic!("a bug since the last release")).await;
}

#[tokio::test]
async fn a_message_that_is_always_too_slow_stops_nobody_else_and_becomes_a_dead_letter() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    for id in ["1", "poison", "3"] {
        publisher(&bus).publish(&message(id)).await.expect("it is stored");
    }
    let running = Running::start(&bus, 1, |_, batch| {
        if batch.iter().any(is_poison) {
            return Err(Failure::slow("its statement took too long"));
        }
        Ok(Verdicts::All(Verdict::Applied))
    });
    until_acked(&bus, 3).await;
    running.stop().await;
    assert_eq!(stored(&bus, "DEAD").await, 1);
    let dead = bus.jetstream().get_stream("DEAD").await.expect("it is there");
    let letter = dead.get_raw_message(1).await.expect("the letter");
    assert_eq!(letter.payload, message("poison").payload);
    let reason = letter.headers.get("tongbao-dead-reason").expect("a reason").to_string();
    assert!(reason.starts_with("too slow") && reason.ends_with("its statement took too long"), "{reason}");
}

/// A handler that never says anything.
struct Hanging(Arc<Notify>);

impl Handler for Hanging {
    async fn handle(&self, _batch: &[Delivery]) -> Result<Verdicts, Failure> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_handler_that_hangs_does_not_hold_up_the_stop() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    publisher(&bus).publish(&message("1")).await.expect("it is stored");
    let options = Options { handler_time: Duration::from_hours(1), ..Options::default() };
    let (called, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let consumer = Consumer::new(&bus, durable()).with_options(options);
    let task = tokio::spawn(consumer.run(Hanging(Arc::clone(&called)), stop.clone()));
    called.notified().await;
    stop.cancel();
    tokio::time::timeout(DEADLINE, task).await.expect("it is cut off").expect("no panic").expect("it ends well");
    // What it held was given back.
    let next = Running::start(&bus, 30, |_, _| Ok(Verdicts::All(Verdict::Applied)));
    until_acked(&bus, 1).await;
    assert!(1 < next.stop().await[0].attempts);
}

#[tokio::test]
async fn a_consumer_that_stops_gives_back_what_it_could_not_apply() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    publisher(&bus).publish(&message("1")).await.expect("it is stored");
    let away = Running::start(&bus, 30, |_, _| Err(Failure::unavailable("no database")));
    until("the handler was called", || async { (!away.calls().is_empty()).then_some(()) }).await;
    away.stop().await;
    let next = Running::start(&bus, 30, |_, _| Ok(Verdicts::All(Verdict::Applied)));
    until_acked(&bus, 1).await;
    assert!(1 < next.stop().await[0].attempts);
}

#[tokio::test]
async fn a_durable_that_was_deleted_is_created_again_and_delivers_all() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    publisher(&bus).publish(&message("1")).await.expect("it is stored");
    let running = Running::start(&bus, 30, |_, _| Ok(Verdicts::All(Verdict::Applied)));
    until_acked(&bus, 1).await;
    let stream = bus.jetstream().get_stream_no_info("PAY").await.expect("a name");
    stream.delete_consumer(durable().name).await.expect("it is deleted");
    until("the message is delivered again", || async { (2 <= running.calls().len()).then_some(()) }).await;
    until_acked(&bus, 1).await;
    running.stop().await;
}
