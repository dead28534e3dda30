//! Everything order-svc can be told.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use secrecy::SecretString;
use svc_kit::{bus::BusArgs, clock::ClockArgs, schedule::Schedule, telemetry::TelemetryArgs};
use url::Url;

/// The name of this process, as it stands in logs and in `ce-source`.
pub const PROCESS: &str = "order-svc";

/// Owns orders, payments and refunds; the API of the internal teams.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "order-svc", version, about, max_term_width = 110)]
pub struct Config {
    /// Where the gRPC server listens.
    #[arg(long, env, default_value = "0.0.0.0:50051")]
    pub listen: SocketAddr,

    /// Where the admin server listens: /livez, /readyz, /metrics.
    #[arg(long, env, default_value = "0.0.0.0:9101")]
    pub admin_listen: SocketAddr,

    /// Postgres URL, with its password.
    #[arg(long, env, hide_env_values = true)]
    pub order_database_url: SecretString,

    /// Connections to Postgres, 8..=200: four are for batches, and the relay holds up to two.
    #[arg(long, env, default_value_t = 32, value_parser = clap::value_parser!(u32).range(8..=200))]
    pub database_connections: u32,

    /// Whether this process publishes events. When it does not they wait in the database for a replica that does, and a process that
    /// does publishes what waits; nothing else changes.
    #[arg(long, env, default_value_t = true, action = clap::ArgAction::Set)]
    pub publish_events: bool,

    /// Where pay-gateway is.
    #[arg(long, env, default_value = "http://127.0.0.1:50052")]
    pub gateway_url: Url,

    /// TOML file of the teams that may call: `[[apps]] name = "shop"`, `token_sha256 = "<hex>"`.
    #[arg(long, env)]
    pub apps_file: PathBuf,

    /// When to ask the provider about an attempt that no callback has told about; the last delay repeats.
    #[arg(long, env, default_value = "5s,10s,15s,30s,1m,2m,5m,10m,20m,30m")]
    pub ask_schedule: Schedule,

    /// When to ask the provider about a refund that it has accepted and no notice has told about; the last delay repeats.
    #[arg(long, env, default_value = "10s,30s,1m,2m,5m,10m,30m,1h,3h,6h")]
    pub refund_ask_schedule: Schedule,

    /// How many replicas of order-svc share each merchant's budget of calls to the provider.
    #[arg(long, env, default_value = "1")]
    pub budget_replicas: NonZeroU32,

    /// The address that WeChat hears for orders that scans of product codes make (`spbill_create_ip`): this deployment's own.
    #[arg(long, env, default_value = "127.0.0.1")]
    pub terminal_ip: IpAddr,

    /// How old an attempt must be before the provider closes it, in seconds. WeChat's number is 300.
    #[arg(long, env, default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub close_min_age_s: u64,

    /// How often the provider is asked about a pay code or face payment whose payer is entering a password, in seconds.
    #[arg(long, env, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub pay_code_ask_s: u64,

    /// How long a payer has to finish a pay code or face payment before it is taken back, in seconds. WeChat's number is 45.
    #[arg(long, env, default_value_t = 45, value_parser = clap::value_parser!(u64).range(20..=600))]
    pub pay_code_time_s: u64,

    /// How long published events are kept in the database, in days, so that a lost stream can be told again; and answered repairs,
    /// 101 days at least.
    #[arg(long, env, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub archive_keep_days: u32,

    /// How often the list of merchants is read from pay-gateway, in seconds.
    #[arg(long, env, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub merchants_every_s: u64,

    #[command(flatten)]
    #[expect(missing_docs, reason = "documented by its own fields; a comment here would become a heading of --help")]
    pub bus: BusArgs,

    #[command(flatten)]
    #[expect(missing_docs, reason = "documented by its own fields; a comment here would become a heading of --help")]
    pub clock: ClockArgs,

    #[command(flatten)]
    #[expect(missing_docs, reason = "documented by its own fields; a comment here would become a heading of --help")]
    pub telemetry: TelemetryArgs,
}

impl Config {
    /// [`Config::close_min_age_s`] as a time.
    pub fn close_min_age(&self) -> Duration {
        Duration::from_secs(self.close_min_age_s)
    }
}
