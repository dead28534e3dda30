//! When each paid order was told on the bus: read from the stream, so what is heard is on its disk.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use e2e::load::{Times, Told};
use futures::StreamExt as _;
use serde::Deserialize;
use tokio::{sync::mpsc, time::timeout};

use crate::arrivals::Arrivals;

/// How long the bus may be silent before what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

/// Hears facts from the moment it was made.
pub(crate) struct Listening {
    /// Which arrival a key is.
    numbers: HashMap<String, u64>,
    facts: mpsc::Receiver<(String, Instant)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paid {
    out_trade_no: String,
}

/// Begins to listen.
pub(crate) async fn listen(url: &str, keys: &[String]) -> anyhow::Result<Listening> {
    let client = async_nats::connect(url).await.with_context(|| format!("no NATS at {url}"))?;
    let stream = jetstream::new(client).get_stream("ORDER").await.context("the stream ORDER")?;
    let config = pull::Config {
        filter_subject: "order.v1.order.paid.>".to_owned(),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::None,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.context("a consumer of ORDER")?;
    let mut messages = consumer.stream().max_messages_per_batch(1000).messages().await.context("messages of ORDER")?;
    let (heard, facts) = mpsc::channel(keys.len().max(1));
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let at = Instant::now();
            if let Ok(Paid { out_trade_no }) = serde_json::from_slice(&message.payload)
                && heard.send((out_trade_no, at)).await.is_err()
            {
                return;
            }
        }
    });
    let numbers = keys.iter().zip(0..).map(|(key, number)| (key.clone(), number)).collect();
    Ok(Listening { numbers, facts })
}

impl Listening {
    /// Waits until `expected` facts have come, or none comes for a while.
    pub(crate) async fn heard(mut self, arrivals: &Arrivals, expected: u64) -> Told {
        let (mut times, mut facts, mut took) = (Times::default(), 0, Duration::ZERO);
        while facts < expected {
            let Ok(Some((key, at))) = timeout(SILENCE, self.facts.recv()).await else { break };
            // A fact that was told twice is one.
            let Some(number) = self.numbers.remove(&key) else { continue };
            times.note(at.saturating_duration_since(arrivals.was_due(number)));
            took = took.max(at.saturating_duration_since(arrivals.was_due(0)));
            facts += 1;
        }
        Told { facts, took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX), latency: times.spread() }
    }
}
