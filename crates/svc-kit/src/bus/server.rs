//! Refuses a server that cannot keep our promises.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_nats::ServerInfo;
use prometheus_client::metrics::gauge::Gauge;
use reqwest::redirect::Policy;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::metrics::Metrics;

/// Atomic batches came with 2.12, but before 2.14 they refuse messages with a `Nats-Msg-Id`, as all of ours are.
const OLDEST: (u64, u64) = (2, 14);

/// How long the monitor may take to answer once.
const MONITOR_TIME: Duration = Duration::from_secs(3);

/// Between two attempts to ask the monitor.
const PAUSE: Duration = Duration::from_millis(250);

/// The answer is about 1 KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Refuses a server that is too old or has no JetStream.
pub(super) fn check_version(info: &ServerInfo, place: &str) -> anyhow::Result<()> {
    let (major, minor) = OLDEST;
    let version = &info.version;
    ensure!(
        parse_version(version).is_some_and(|found| OLDEST <= found),
        "NATS at {place} has version {version}, which is too old: {major}.{minor} or newer is needed"
    );
    ensure!(info.jetstream, "NATS at {place} has no JetStream: add `jetstream {{ … }}` to its configuration");
    Ok(())
}

fn parse_version(version: &str) -> Option<(u64, u64)> {
    let mut numbers = version.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The monitoring address of the server, and what it said last.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    url: Url,
    /// 1 when the server that was asked last syncs always.
    sync_always: Gauge,
}

impl Monitor {
    /// Without the address this cannot be known, so there is no gauge that would claim something.
    pub(super) fn new(url: Option<&Url>, metrics: &Metrics) -> Option<Self> {
        let Some(url) = url else {
            tracing::warn!("not checked: whether NATS has `sync_interval: always` (set NATS_MONITOR_URL to check it)");
            return None;
        };
        let sync_always =
            metrics.gauge("bus_sync_always", "1 when NATS has an acked message on disk, as its monitor said last");
        Some(Self { url: url.clone(), sync_always })
    }

    /// Refuses a server that acks before its disk has the message. Asks until `deadline`.
    pub(super) async fn check_until(&self, deadline: Instant) -> anyhow::Result<()> {
        loop {
            match ask(&self.url).await {
                Ok(answer) => return self.judge(&answer),
                Err(error) if deadline <= Instant::now() + PAUSE => return Err(self.silent(error)),
                Err(_error) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Asks once.
    pub(super) async fn check(&self) -> anyhow::Result<()> {
        let answer = ask(&self.url).await.map_err(|error| self.silent(error))?;
        self.judge(&answer)
    }

    fn judge(&self, answer: &Jsz) -> anyhow::Result<()> {
        let judged = judge(answer, &self.place());
        self.sync_always.set(i64::from(judged.is_ok()));
        judged
    }

    fn silent(&self, error: anyhow::Error) -> anyhow::Error {
        error.context(format!("cannot ask NATS's monitor at {} about sync_interval", self.place()))
    }

    fn place(&self) -> String {
        let port = self.url.port_or_known_default().unwrap_or(80);
        format!("{}:{port}", self.url.host_str().unwrap_or_default())
    }
}

/// The part of `/jsz?config=1` that we read. Both fields are left out by the server when they are false.
#[derive(Debug, Deserialize)]
struct Jsz {
    #[serde(default)]
    disabled: bool,
    config: Option<JszConfig>,
}

#[derive(Debug, Deserialize)]
struct JszConfig {
    #[serde(default)]
    sync_always: bool,
}

async fn ask(monitor: &Url) -> anyhow::Result<Jsz> {
    let url = monitor.join("/jsz?config=1").context("the monitor's address is no base for a path")?;
    let client = reqwest::Client::builder().timeout(MONITOR_TIME).redirect(Policy::none()).no_proxy().build()?;
    let mut response = client.get(url).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        ensure!(body.len() + chunk.len() <= MAX_ANSWER_BYTES, "the answer is longer than {MAX_ANSWER_BYTES} bytes");
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).context("the answer is not that of a NATS monitor")
}

fn judge(answer: &Jsz, place: &str) -> anyhow::Result<()> {
    let config = answer.config.as_ref().filter(|_| !answer.disabled);
    let Some(config) = config else { bail!("NATS with its monitor at {place} has no JetStream") };
    ensure!(
        config.sync_always,
        "NATS with its monitor at {place} would lose acked messages in a power cut: \
         set `sync_interval: always` in its `jetstream` block"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(version: &str, jetstream: bool) -> ServerInfo {
        ServerInfo { version: version.to_owned(), jetstream, ..ServerInfo::default() }
    }

    #[test]
    fn a_server_before_2_14_or_without_jetstream_is_refused() {
        for good in ["2.14.0", "2.15.1", "v2.14.0-RC.1", "3.0.0"] {
            check_version(&info(good, true), "bus:4222").expect(good);
        }
        for old in ["2.9.10", "2.12.0", "2.13.99", "1.99.0", "", "dev"] {
            let error = check_version(&info(old, true), "bus:4222").expect_err(old);
            assert!(error.to_string().starts_with("NATS at bus:4222 has version"), "{error}");
        }
        let error = check_version(&info("2.15.1", false), "bus:4222").expect_err("no JetStream");
        assert!(error.to_string().contains("no JetStream"), "{error}");
    }

    #[test]
    fn a_server_that_does_not_sync_always_is_refused() {
        let parse = |text: &str| serde_json::from_str::<Jsz>(text).expect("it is JSON");
        let always = r#"{"memory":0,"config":{"store_dir":"/data","sync_interval":120000000000,"sync_always":true}}"#;
        judge(&parse(always), "bus:8222").expect("it syncs always");
        for refused in [r#"{"config":{"sync_interval":120000000000}}"#, r#"{"disabled":true}"#, "{}"] {
            judge(&parse(refused), "bus:8222").expect_err(refused);
        }
    }
}
