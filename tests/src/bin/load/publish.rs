//! What anybody would do who publishes durably: one message, its ack, the next one.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use async_nats::{HeaderMap, jetstream};
use clap::Args;
use e2e::load::Outcome;
use hyper::body::Bytes;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    Pace,
    arrivals::{Answer, Arrivals, Seen, collect},
};

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The server.
    #[arg(long)]
    nats: String,
    /// The subject, which a stream takes.
    #[arg(long)]
    subject: String,
    /// A file with the body of each message.
    #[arg(long)]
    body: PathBuf,
    /// Connections, each with one message under way.
    #[arg(long, default_value_t = 32)]
    connections: u16,
    #[command(flatten)]
    pace: Pace,
}

impl Publish {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let body = std::fs::read(&self.body).with_context(|| format!("cannot read {}", self.body.display()))?;
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            let client = async_nats::connect(&self.nats).await.with_context(|| format!("no NATS at {}", self.nats))?;
            connections.push(jetstream::new(client));
        }
        let (this, body) = (Arc::new(self), Bytes::from(body));
        let arrivals = Arrivals::begin(this.pace, u64::from(u32::MAX));
        let mut workers = JoinSet::new();
        for connection in connections {
            workers.spawn(work(Arc::clone(&this), arrivals.clone(), body.clone(), connection));
        }
        collect(workers, &arrivals).await
    }
}

async fn work(
    publish: Arc<Publish>,
    arrivals: Arrivals,
    body: Bytes,
    connection: jetstream::Context,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let run = Uuid::new_v4().simple().to_string();
    while let Some(arrival) = arrivals.next().await {
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, format!("{run}:{}", arrival.number));
        let sent = connection.publish_with_headers(publish.subject.clone(), headers, body.clone()).await;
        let answer = match sent {
            Ok(ack) => ack.await.map(|_ack| Answer::Good),
            Err(error) => Err(error),
        };
        seen.note(arrival, answer.unwrap_or_else(|error| Answer::Broken(error.to_string())));
    }
    Ok(seen)
}
