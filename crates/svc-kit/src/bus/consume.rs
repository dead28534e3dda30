//! A durable consumer: fetch what waits, hand it over, ack after the handler's commit.

mod ask;
mod dead_letter;
mod delivery;
mod handler;
mod held;
mod pull;

pub use delivery::Delivery;
pub use handler::{Failure, Handler, Verdict, Verdicts};

use std::time::Duration;

use proto::bus::DurableSpec;
use tokio_util::sync::CancellationToken;

use super::metrics::{Durable, DurableOutcome};
use super::{Bus, Publisher, streams};
use crate::schedule::{Schedule, jittered};
use ask::Answer;
use held::{Held, Reply};
use pull::Pulled;

/// After a fetch that failed, before the next one.
const PAUSE: Duration = Duration::from_millis(500);

/// How a consumer works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Messages handed over at once, at most: 256, one transaction's worth. Fewer are handed over when fewer wait.
    pub max_messages: usize,
    /// Bytes fetched at once, at most: 8 MiB. It must exceed the server's `max_payload` (1 MiB by default).
    pub max_bytes: usize,
    /// A message that was delivered this often and still makes the handler fail becomes a dead letter: 30.
    pub max_attempts: u64,
    /// How long a message that made the handler fail rests, by the number of its deliveries. About half an hour passes
    /// before the thirtieth.
    pub retry: Schedule,
    /// How long a handler may take for one batch. It is then dropped, as if what it needs were unavailable.
    pub handler_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_messages: 256,
            max_bytes: 8 * 1024 * 1024,
            max_attempts: 30,
            retry: "1s,2s,5s,10s,30s,1m".parse().expect("this is a schedule"),
            handler_time: Duration::from_mins(1),
        }
    }
}

/// Reads one durable of the table. Several replicas may read the same one: each message goes to one of them at a time.
#[derive(Clone, Debug)]
pub struct Consumer {
    bus: Bus,
    publisher: Publisher,
    spec: DurableSpec,
    options: Options,
}

impl Consumer {
    /// A consumer with the usual options.
    pub fn new(bus: &Bus, spec: &DurableSpec) -> Self {
        Self { bus: bus.clone(), publisher: Publisher::new(bus), spec: *spec, options: Options::default() }
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
        while !stop.is_cancelled() {
            let pause = match pull::pull(&self.bus, &self.spec, &self.options, &stop).await {
                Pulled::Messages(messages) => {
                    self.work(&handler, messages, &stop).await;
                    continue;
                }
                Pulled::Nothing => {
                    self.pending(0);
                    Duration::ZERO
                }
                Pulled::Again => PAUSE / 10,
                Pulled::Gone => {
                    self.create_again().await;
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
        self.bus.flush().await;
        Ok(())
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

    async fn work(&self, handler: &impl Handler, messages: Vec<async_nats::Message>, stop: &CancellationToken) {
        let (deliveries, held) = self.take(messages);
        tokio::select! {
            () = self.settle_all(handler, &deliveries, &held, stop) => {}
            never = held.keep_alive(self.spec.ack_wait / 3) => match never {},
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

    async fn settle_all(&self, handler: &impl Handler, deliveries: &[Delivery], held: &Held, stop: &CancellationToken) {
        if deliveries.is_empty() {
            return;
        }
        match self.ask(handler, deliveries, stop).await {
            Answer::Verdicts(verdicts) => {
                for (delivery, verdict) in deliveries.iter().zip(verdicts) {
                    self.settle(delivery, verdict, held).await;
                }
            }
            Answer::Failed(reason) if 1 < deliveries.len() => {
                tracing::warn!(durable = self.spec.name, reason, "a batch failed; trying its messages one by one");
                for delivery in deliveries {
                    match self.ask(handler, std::slice::from_ref(delivery), stop).await {
                        Answer::Verdicts(verdicts) => {
                            for verdict in verdicts {
                                self.settle(delivery, verdict, held).await;
                            }
                        }
                        Answer::Failed(reason) => self.failed(delivery, reason, held).await,
                        Answer::Stopped => return,
                    }
                }
            }
            Answer::Failed(reason) => self.failed(&deliveries[0], reason, held).await,
            Answer::Stopped => {}
        }
    }

    async fn settle(&self, delivery: &Delivery, verdict: Verdict, held: &Held) {
        match verdict {
            Verdict::Applied => {
                self.count("applied");
                held.reply(delivery.sequence, Reply::Ack).await;
            }
            Verdict::Retry(delay) => {
                self.count("retry");
                held.reply(delivery.sequence, Reply::Later(delay)).await;
            }
            Verdict::Dead(reason) => self.bury(delivery, &reason, held).await,
        }
    }

    async fn failed(&self, delivery: &Delivery, reason: String, held: &Held) {
        let Delivery { id, attempts, .. } = delivery;
        if self.options.max_attempts <= *attempts {
            self.bury(delivery, &reason, held).await;
            return;
        }
        tracing::warn!(durable = self.spec.name, id, attempts, reason, "a message failed; it will be delivered again");
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
                tracing::error!(durable = self.spec.name, id, attempts, reason, "a message became a dead letter");
                self.bus.metrics.dead_letters.get_or_create(&Durable { durable: self.spec.name }).inc();
                self.count("dead");
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
