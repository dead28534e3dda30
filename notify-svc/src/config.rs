//! What notify-svc can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use svc_kit::bus::BusArgs;
use svc_kit::process::DRAIN_TIME;
use svc_kit::telemetry::TelemetryArgs;

use crate::callbacks::Times;
use crate::http::Limits;

/// Most milliseconds of a step of a callback. What was accepted before a stop must end, and be answered, within the 20 s
/// that the process has to drain.
const MOST_MS: u64 = 18_000;
const _: () = assert!(Duration::from_millis(MOST_MS).as_millis() < DRAIN_TIME.as_millis());

/// Takes the providers' callbacks: verifies them with the keys of the merchant that they are addressed to, publishes them
/// as facts, or as hints where nothing is signed, and answers success only after the bus has them on disk. Asks the owner of
/// orders what a scanned product code costs. The only process that strangers can reach.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct Config {
    /// Where callbacks arrive: plain HTTP; TLS ends in front of it.
    #[arg(long, env, default_value = "0.0.0.0:8080")]
    pub(crate) listen: SocketAddr,

    /// Where `/livez`, `/readyz` and `/metrics` are served. Never let strangers reach it.
    #[arg(long, env, default_value = "0.0.0.0:9103")]
    pub(crate) admin_listen: SocketAddr,

    /// Folder with one `<merchant>.toml` per merchant account, and key files beside it. Changes are taken without restart.
    #[arg(long, env)]
    pub(crate) merchants_dir: PathBuf,

    /// Milliseconds from the end of a request's headers until its body must be there. WeChat waits 5 s for the answer. At most
    /// 18000: a stop lets what was accepted end within 20 s.
    #[arg(long, env, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=MOST_MS))]
    pub(crate) request_time_ms: u64,

    /// Milliseconds from the end of a request's headers until the bus must have acknowledged; then the answer is FAIL and
    /// the provider comes again. Not more than `REQUEST_TIME_MS`, and at most 18000.
    #[arg(long, env, default_value_t = 4000, value_parser = clap::value_parser!(u64).range(1..=MOST_MS))]
    pub(crate) publish_time_ms: u64,

    /// Milliseconds from the end of a request's headers until a scanned product code must be answered; then the payer reads that
    /// the shop is busy. `REQUEST_TIME_MS` counts where that is less. At most 18000.
    #[arg(long, env, default_value_t = 4000, value_parser = clap::value_parser!(u64).range(1..=MOST_MS))]
    pub(crate) scan_time_ms: u64,

    /// Milliseconds that a connection may take for the headers of a request, and may be idle before it. At most 18000: a stop
    /// lets what was begun end within 20 s.
    #[arg(long, env, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=MOST_MS))]
    pub(crate) header_time_ms: u64,

    /// Most connections at one time; one more is answered 503 and closed.
    #[arg(long, env, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_connections: u32,

    /// Most callbacks that wait for the bus; one more is answered FAIL at once, and the provider comes again.
    #[arg(long, env, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) queue_length: u32,

    /// Most scanned product codes that wait for an answer at one time; one more payer reads at once that the shop is busy.
    #[arg(long, env, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_scans: u32,

    #[command(flatten)]
    pub(crate) bus: BusArgs,

    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,
}

impl Config {
    /// Refuses settings that contradict each other.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.publish_time_ms <= self.request_time_ms,
            "PUBLISH_TIME_MS ({}) is more than REQUEST_TIME_MS ({}): the answer would come after the provider gave up",
            self.publish_time_ms,
            self.request_time_ms
        );
        Ok(())
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            connections: usize::try_from(self.max_connections).expect("u32 fits"),
            header_time: Duration::from_millis(self.header_time_ms),
            request_time: Duration::from_millis(self.request_time_ms),
        }
    }

    pub(crate) fn times(&self) -> Times {
        Times {
            request: Duration::from_millis(self.request_time_ms),
            publish: Duration::from_millis(self.publish_time_ms),
            scan: Duration::from_millis(self.scan_time_ms.min(self.request_time_ms)),
        }
    }
}
