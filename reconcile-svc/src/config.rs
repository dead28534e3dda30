//! Settings of this process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Parser};
use secrecy::SecretString;
use svc_kit::bus::BusArgs;
use svc_kit::clock::ClockArgs;
use svc_kit::telemetry::TelemetryArgs;
use url::Url;

/// Proves every morning, bill against books, that no fen is missing.
#[derive(Debug, Parser)]
#[command(name = "reconcile-svc", version)]
pub struct Config {
    /// Where the gRPC server listens.
    #[arg(long, env, default_value = "0.0.0.0:50053")]
    pub listen: SocketAddr,

    /// Where the report pages are served (HTTP). They show money and order numbers and ask nobody who they are, so they are for
    /// this machine alone unless told otherwise: put something in front of them that knows its readers.
    #[arg(long, env, default_value = "127.0.0.1:8083")]
    pub report_listen: SocketAddr,

    /// Where health and metrics are served.
    #[arg(long, env, default_value = "0.0.0.0:9104")]
    pub admin_listen: SocketAddr,

    /// This service's own Postgres database, with its password: `postgres://user:password@host:5432/database`.
    #[arg(long, env, hide_env_values = true)]
    pub reconcile_database_url: SecretString,

    /// pay-gateway, which knows the merchants and fetches bills.
    #[arg(long, env, default_value = "http://127.0.0.1:50052")]
    pub gateway_url: Url,

    /// Reconcile by itself: each merchant's yesterday from 10:00 Beijing time, every 30 minutes until it is done.
    #[arg(long, env, default_value_t = true, action = ArgAction::Set)]
    pub schedule: bool,

    /// TOML file of the people who may decide about differences: `[[people]] name = "finance-a"`, `token_sha256 = "<hex>"`.
    /// Without it, nobody may.
    #[arg(long, env)]
    pub people_file: Option<PathBuf>,

    /// Days for which bills are kept as they were fetched, gzipped, in the database: 90 at least, 5 years unless told otherwise.
    #[arg(long, env, default_value_t = 1830, value_parser = clap::value_parser!(u32).range(90..=36_500))]
    pub bill_keep_days: u32,

    /// The bus.
    #[command(flatten)]
    pub bus: BusArgs,

    /// The clock.
    #[command(flatten)]
    pub clock: ClockArgs,

    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}
