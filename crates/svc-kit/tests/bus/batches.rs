//! Several batches of one consumer under way.

use std::sync::Mutex;

use svc_kit::bus::{Bus, Consumer, Delivery, Failure, Handler, Options, Verdict, Verdicts};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::consume::{unacked, until_acked};
use crate::nats::Nats;
use crate::{DEADLINE, durable, message, publisher, until};

/// A consumer that may have two batches under way.
struct Working {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Working {
    /// A batch of a quarter of `max_messages` is large enough for another beside it.
    fn start(bus: &Bus, max_messages: usize, handler: impl Handler + 'static) -> Self {
        let stop = CancellationToken::new();
        let options = Options { batches: 2, max_messages, ..Options::default() };
        let task = tokio::spawn(Consumer::new(bus, durable()).with_options(options).run(handler, stop.clone()));
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it ends").expect("no panic").expect("it ends well");
    }
}

/// A handler that works until it is told to end, and tells what it was asked.
struct Gated {
    asked: Mutex<Vec<String>>,
    end: Semaphore,
}

impl Gated {
    fn closed() -> &'static Self {
        Box::leak(Box::new(Self { asked: Mutex::default(), end: Semaphore::new(0) }))
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics while it holds this").clone()
    }

    async fn until_asked(&self, messages: usize) {
        until("the handler was asked", || async { (self.asked().len() == messages).then_some(()) }).await;
    }
}

impl Handler for &'static Gated {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        self.asked.lock().expect("no test panics while it holds this").extend(batch.iter().map(|one| one.id.clone()));
        self.end.acquire().await.expect("it is never closed").forget();
        Ok(Verdicts::All(Verdict::Applied))
    }
}

#[tokio::test]
async fn several_batches_are_under_way_at_once_begun_in_their_order_and_no_more_than_wanted() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    let publisher = publisher(&bus);
    let gated = Gated::closed();
    let working = Working::start(&bus, 4, gated);
    for (count, id) in (1..).zip(["1", "2"]) {
        publisher.publish(&message(id)).await.expect("it is stored");
        gated.until_asked(count).await;
    }
    publisher.publish(&message("3")).await.expect("it is stored");
    // The server has not even been asked for it.
    assert_eq!(unacked(&bus).await, 2);
    gated.end.add_permits(1);
    gated.until_asked(3).await;
    gated.end.add_permits(2);
    until_acked(&bus, 3).await;
    working.stop().await;
    let expected = ["1", "2", "3"].map(|id| format!("paid:wechat-v2:1900000109:{id}"));
    assert_eq!(gated.asked(), expected);
}

/// A handler that works on the first batch until it is told to end, fails once then, and wants a turn for all others.
struct Ordered {
    end: Notify,
    asked: Mutex<Vec<String>>,
}

impl Ordered {
    fn note(&self, what: &str, batch: &[Delivery]) -> usize {
        let mut asked = self.asked.lock().expect("no test panics while it holds this");
        asked.extend(batch.iter().map(|one| format!("{what} {}", one.id)));
        asked.len()
    }
}

impl Handler for &'static Ordered {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let asked = self.note("first", batch);
        if !batch[0].id.ends_with(":1") {
            return Ok(Verdicts::All(Verdict::InTurn));
        }
        if asked == 1 {
            self.end.notified().await;
            return Err(Failure::unavailable("no database"));
        }
        Ok(Verdicts::All(Verdict::Applied))
    }

    async fn handle_in_turn(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        self.note("in turn", batch);
        Ok(Verdicts::All(Verdict::Applied))
    }
}

#[tokio::test]
async fn what_wants_its_turn_is_asked_about_again_when_all_before_have_ended_however_often_they_were_tried() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    let publisher = publisher(&bus);
    let ordered: &'static Ordered = Box::leak(Box::new(Ordered { end: Notify::new(), asked: Mutex::default() }));
    let working = Working::start(&bus, 4, ordered);
    let asked = || ordered.asked.lock().expect("no test panics while it holds this").clone();
    for (count, id) in (1..).zip(["1", "2"]) {
        publisher.publish(&message(id)).await.expect("it is stored");
        until("the handler was asked", || async { (asked().len() == count).then_some(()) }).await;
    }
    ordered.end.notify_one();
    until_acked(&bus, 2).await;
    working.stop().await;
    let words = [("first", 1), ("first", 2), ("first", 1), ("in turn", 2)];
    assert_eq!(asked(), words.map(|(word, id)| format!("{word} paid:wechat-v2:1900000109:{id}")));
}

#[tokio::test]
async fn what_comes_while_a_small_batch_is_worked_on_becomes_one_batch() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    let publisher = publisher(&bus);
    let gated = Gated::closed();
    let working = Working::start(&bus, Options::default().max_messages, gated);
    publisher.publish(&message("1")).await.expect("it is stored");
    gated.until_asked(1).await;
    for id in ["2", "3"] {
        publisher.publish(&message(id)).await.expect("it is stored");
    }
    // Two batches in all: a third would wait for a permit that never comes.
    gated.end.add_permits(2);
    until_acked(&bus, 3).await;
    assert_eq!((gated.asked().len(), gated.end.available_permits()), (3, 0));
    working.stop().await;
}
