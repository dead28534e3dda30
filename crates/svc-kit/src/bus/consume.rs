//! A durable consumer: fetch what waits, hand it over, ack after the handler's commit.

mod ask;
mod dead_letter;
mod delivery;
mod faults;
mod handler;
mod held;
mod pull;
mod turns;

pub use delivery::Delivery;
pub use handler::{Failure, Handler, Verdict, Verdicts};

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use proto::bus::DurableSpec;
use tokio_util::sync::CancellationToken;

use super::connect::FLUSH_TIME;
use super::metrics::{Durable, DurableOutcome};
use super::{Bus, Publisher, streams};
use crate::crash;
use crate::process::DRAIN_TIME;
use crate::schedule::{Schedule, jittered};
use ask::Answer;
use faults::Faults;
use held::{Held, Reply};
use pull::Pulled;
use turns::{Turn, Turns};

/// After a fetch that failed, before the next one.
const PAUSE: Duration = Duration::from_millis(500);

/// How long what is held may still be worked on after a stop, whatever [`Options::handler_time`] says.
const LAST_WORK_TIME: Duration = Duration::from_secs(10);

/// A stop ends the fetch, then the work; then what is left is given back and the acks are sent.
const STOP_TIME: u64 =
    pull::CLOSE_TIME.as_secs() + LAST_WORK_TIME.as_secs() + held::RELEASE_TIME.as_secs() + FLUSH_TIME.as_secs();
const _: () = assert!(STOP_TIME < DRAIN_TIME.as_secs(), "a consumer that stops fits into the drain");

/// A message becomes a dead letter after this many failures that this process has seen itself, while it applied others (or
/// after [`Options::max_attempts`], when these are fewer). So attempts that were used up by restarts, or by an outage, do not
/// make the first failure the last one.
const STRIKES: u64 = 3;

/// A batch is large when it has this part of its messages.
const LARGE: usize = 4;

/// How a consumer works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Messages handed over at once, at most: 256, one transaction's worth. Fewer are handed over when fewer wait.
    pub max_messages: usize,
    /// Bytes fetched at once, at most: 8 MiB. It must exceed the server's `max_payload` (1 MiB by default).
    pub max_bytes: usize,
    /// A message that was delivered this often and still makes the handler fail becomes a dead letter: 30.
    ///
    /// The server counts deliveries, so a restart in the middle of a batch costs one, too. Therefore deliveries alone bury
    /// nothing: the message must also have failed three times in this process, each time while others were applied at most
    /// five minutes before. Until then it is kept, with an error in the log and a count in `bus_burials_withheld`.
    pub max_attempts: u64,
    /// How long a message that made the handler fail rests, by the number of its deliveries. About half an hour passes
    /// before the thirtieth.
    pub retry: Schedule,
    /// How long a handler may take for one batch: 10 s. It is then dropped and was too slow; see [`Failure::Slow`]. After a
    /// stop it has 10 s at most, so that the process ends in time.
    pub handler_time: Duration,
    /// Batches under way at once, at most: 1. With more of them the handler is asked about the next one while the one that began
    /// last is still worked on, if that is at least a quarter full: smaller ones cost less when what waits becomes one batch. What
    /// needs the order of the stream is said by [`Verdict::InTurn`]. The durable's `max_ack_pending` must have room.
    pub batches: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_messages: 256,
            max_bytes: 8 * 1024 * 1024,
            max_attempts: 30,
            retry: "1s,2s,5s,10s,30s,1m".parse().expect("this is a schedule"),
            handler_time: Duration::from_secs(10),
            batches: 1,
        }
    }
}

/// What is worked on together.
#[derive(Clone, Copy, Debug)]
struct Batch<'b> {
    deliveries: &'b [Delivery],
    held: &'b Held,
    turn: &'b Turn,
}

/// Reads one durable of the table. Several replicas may read the same one: each message goes to one of them at a time.
#[derive(Clone, Debug)]
pub struct Consumer {
    bus: Bus,
    publisher: Publisher,
    spec: DurableSpec,
    options: Options,
    faults: Arc<Faults>,
}

impl Consumer {
    /// A consumer with the usual options.
    pub fn new(bus: &Bus, spec: &DurableSpec) -> Self {
        Self {
            bus: bus.clone(),
            publisher: Publisher::new(bus),
            spec: *spec,
            options: Options::default(),
            faults: Arc::default(),
        }
    }

    /// With other options.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Consumes until `stop` fires, then finishes what it holds and ends.
    ///
    /// A batch that fails is tried again message by message, so one poisonous message stops nobody else. While the handler
    /// works, the server is told so, and does not deliver its messages to others.
    ///
    /// # Errors
    /// None: the result is what [`crate::process::Tasks::spawn`] wants. A server that is away is waited for.
    pub async fn run(self, handler: impl Handler, stop: CancellationToken) -> anyhow::Result<()> {
        let (mut under_way, turns) = (FuturesUnordered::new(), Turns::default());
        // Whether the last one that began was large enough for another beside it.
        let mut is_large = true;
        let mut next = pin!(self.next(&stop));
        loop {
            tokio::select! {
                // Who was handed over begins before the next one is fetched.
                biased;
                Some(()) = under_way.next() => {}
                fetched = &mut next, if under_way.is_empty() || is_large && under_way.len() < self.options.batches => {
                    let Some(messages) = fetched else { break };
                    is_large = self.options.max_messages / LARGE <= messages.len();
                    under_way.push(self.work(&handler, messages, turns.enter(), &stop));
                    next.set(self.next(&stop));
                }
            }
        }
        while under_way.next().await.is_some() {}
        self.bus.flush().await;
        Ok(())
    }

    /// Fetches until there is something; nothing after a stop.
    async fn next(&self, stop: &CancellationToken) -> Option<Vec<async_nats::Message>> {
        while !stop.is_cancelled() {
            let pause = match pull::pull(&self.bus, &self.spec, &self.options, stop).await {
                Pulled::Messages(messages) => return Some(messages),
                Pulled::Nothing => {
                    self.pending(0);
                    Duration::ZERO
                }
                Pulled::Again => PAUSE / 10,
                Pulled::Gone => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.create_again() => {}
                    }
                    PAUSE
                }
                Pulled::Failed(reason) => {
                    tracing::warn!(durable = self.spec.name, "cannot fetch: {reason}");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(jittered(pause)) => {}
            }
        }
        None
    }

    /// The server came back without its data, or somebody deleted the durable.
    async fn create_again(&self) {
        tracing::warn!("the durable {} is gone; creating it again", self.spec.name);
        let streams = [proto::bus::stream(self.spec.stream), proto::bus::stream("DEAD")];
        let created = async {
            for spec in streams.into_iter().flatten() {
                streams::ensure_stream(&self.bus, spec).await?;
            }
            streams::ensure_durable(&self.bus, &self.spec).await
        };
        if let Err(error) = created.await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "cannot create the durable {} again", self.spec.name);
        }
    }

    /// Those after it wait for `turn` until this ends, however often the handler is asked.
    async fn work(
        &self,
        handler: &impl Handler,
        messages: Vec<async_nats::Message>,
        turn: Turn,
        stop: &CancellationToken,
    ) {
        let (deliveries, held) = self.take(messages);
        let batch = Batch { deliveries: &deliveries, held: &held, turn: &turn };
        tokio::select! {
            () = self.settle_all(handler, batch, stop) => {}
            never = held.keep_alive(self.spec.ack_wait / 3) => match never {},
            () = cut_off(stop) => tracing::warn!(durable = self.spec.name, "stopped in the middle of a batch"),
        }
        // What is still held belongs to whoever comes next; a stop is no reason to wait for the ack's deadline.
        held.release_all().await;
    }

    fn take(&self, messages: Vec<async_nats::Message>) -> (Vec<Delivery>, Held) {
        let held = Held::new(self.bus.client.clone());
        let mut deliveries = Vec::with_capacity(messages.len());
        let mut pending = 0;
        for message in messages {
            match Delivery::read(message, &self.bus.jetstream) {
                Ok((delivery, reply, left)) => {
                    held.hold(delivery.sequence, reply);
                    deliveries.push(delivery);
                    pending = left;
                }
                Err(error) => {
                    tracing::error!(durable = self.spec.name, error, "a delivery without a place in a stream");
                }
            }
        }
        self.pending(pending);
        (deliveries, held)
    }

    async fn settle_all(&self, handler: &impl Handler, batch: Batch<'_>, stop: &CancellationToken) {
        let Batch { deliveries, held, turn } = batch;
        if deliveries.is_empty() {
            return;
        }
        match self.ask(handler, deliveries, turn, stop).await {
            Answer::Verdicts(verdicts) => {
                for (delivery, verdict) in deliveries.iter().zip(verdicts) {
                    self.settle(delivery, verdict, held).await;
                }
            }
            Answer::Failed(reason) if 1 < deliveries.len() => {
                tracing::warn!(durable = self.spec.name, reason, "a batch failed; trying its messages one by one");
                self.settle_one_by_one(handler, batch, stop).await;
            }
            Answer::Failed(reason) => self.failed(&deliveries[0], &reason, held).await,
            Answer::Stopped => {}
        }
    }

    async fn settle_one_by_one(&self, handler: &impl Handler, batch: Batch<'_>, stop: &CancellationToken) {
        let Batch { deliveries, held, turn } = batch;
        let mut failures = Vec::new();
        for delivery in deliveries {
            if stop.is_cancelled() {
                break;
            }
            match self.ask(handler, std::slice::from_ref(delivery), turn, stop).await {
                Answer::Verdicts(verdicts) => {
                    for verdict in verdicts {
                        self.settle(delivery, verdict, held).await;
                    }
                }
                Answer::Failed(reason) => failures.push((delivery, reason)),
                Answer::Stopped => break,
            }
        }
        // Judged last, because it matters whether the others were applied.
        for (delivery, reason) in failures {
            self.failed(delivery, &reason, held).await;
        }
    }

    async fn settle(&self, delivery: &Delivery, verdict: Verdict, held: &Held) {
        match verdict {
            Verdict::Applied => {
                crash::point("consume.applied");
                self.faults.applied(delivery.sequence, Instant::now());
                self.count("applied");
                held.reply(delivery.sequence, Reply::Ack).await;
                crash::point("consume.acked");
            }
            Verdict::Retry(delay) => {
                self.faults.forget(delivery.sequence);
                self.count("retry");
                held.reply(delivery.sequence, Reply::Later(delay)).await;
            }
            Verdict::Dead(reason) => self.bury(delivery, &reason, held).await,
            // `ask` has answered it, so this is a handler that still waits in its turn.
            Verdict::InTurn => self.failed(delivery, "the handler wants a turn when it has it", held).await,
        }
    }

    async fn failed(&self, delivery: &Delivery, reason: &str, held: &Held) {
        let Delivery { id, attempts, .. } = delivery;
        let durable = self.spec.name;
        let strikes = self.faults.failed(delivery.sequence, Instant::now());
        if *attempts < self.options.max_attempts {
            tracing::warn!(durable, id, attempts, reason, "a message failed; it will be delivered again");
        } else if strikes < STRIKES.min(self.options.max_attempts) {
            self.bus.metrics.burials_withheld.get_or_create(&Durable { durable }).inc();
            tracing::error!(
                durable,
                id,
                attempts,
                reason,
                "a message failed past its last attempt; it is kept, because it is not yet sure that the message is to \
                 blame and not the handler: was nothing else applied lately?"
            );
        } else {
            self.bury(delivery, reason, held).await;
            return;
        }
        self.count("failed");
        let attempts = u32::try_from(*attempts).unwrap_or(u32::MAX);
        held.reply(delivery.sequence, Reply::Later(self.options.retry.after_jittered(attempts))).await;
    }

    /// Acks only after the dead letter has its own ack: nothing is dropped silently.
    async fn bury(&self, delivery: &Delivery, reason: &str, held: &Held) {
        let Delivery { id, attempts, sequence, .. } = delivery;
        let letter = dead_letter::write(delivery, &self.spec, reason);
        match self.publisher.publish(&letter).await {
            Ok(_) => {
                crash::point("consume.buried");
                tracing::error!(durable = self.spec.name, id, attempts, reason, "a message became a dead letter");
                self.bus.metrics.dead_letters.get_or_create(&Durable { durable: self.spec.name }).inc();
                self.count("dead");
                self.faults.forget(*sequence);
                held.reply(*sequence, Reply::Ack).await;
            }
            Err(error) => {
                tracing::warn!(durable = self.spec.name, id, "cannot write a dead letter yet: {error}");
                self.count("retry");
                let attempts = u32::try_from(*attempts).unwrap_or(u32::MAX);
                held.reply(*sequence, Reply::Later(self.options.retry.after_jittered(attempts))).await;
            }
        }
    }

    fn count(&self, outcome: &'static str) {
        self.bus.metrics.consumed.get_or_create(&DurableOutcome { durable: self.spec.name, outcome }).inc();
    }

    fn pending(&self, messages: u64) {
        let gauge = self.bus.metrics.pending.get_or_create(&Durable { durable: self.spec.name });
        gauge.set(i64::try_from(messages).unwrap_or(i64::MAX));
    }
}

/// Returns when what is held may no longer be worked on.
async fn cut_off(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_WORK_TIME).await;
}
