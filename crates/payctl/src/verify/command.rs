//! `payctl promises`, and `payctl verify` without a file.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use svc_kit::{
    bus::{self, BusArgs},
    metrics::Metrics,
    postgres,
};
use url::Url;

use super::{Allowed, LedgerSource, Limits, Progress, Rule, Settled, Sources, settle};

/// How a process of ours calls itself to Postgres and NATS.
const PROCESS: &str = "payctl";

/// Longest statement: a window may be read from tables of a hundred million rows.
const STATEMENT_TIME: Duration = Duration::from_mins(5);

/// Longest wait for the sandbox's ledger.
const LEDGER_TIME: Duration = Duration::from_secs(30);

/// Longest time that somebody may wait for the dust to settle.
const MOST_SETTLE_S: u64 = 3_600;

/// What `payctl promises` can be told.
#[derive(Debug, clap::Args)]
#[command(after_long_help = rules())]
pub struct VerifyArgs {
    /// Postgres URL of order-svc's database, with its password. Reading is enough. Required.
    #[arg(long, env, hide_env_values = true)]
    pub order_database_url: Option<SecretString>,

    /// Postgres URL of reconcile-svc's database, with its password. Its books are not looked at without it.
    #[arg(long, env, hide_env_values = true)]
    pub reconcile_database_url: Option<SecretString>,

    /// NATS server, `nats://[user:password@]host:port`; several of one cluster are separated by commas.
    #[arg(long, env, hide_env_values = true, default_value = "nats://127.0.0.1:42220")]
    pub nats_url: SecretString,

    /// The sandbox, `http://host:port`: its ledger says what was really paid. Without it, what only the provider can know is
    /// not judged.
    #[arg(long, env)]
    pub sandbox_url: Option<Url>,

    /// Print one JSON object instead of text.
    #[arg(long, help_heading = None)]
    pub json: bool,

    /// How long something may be on its way, or look wrong because it is, before it is a violation, in seconds. With 0,
    /// everything is looked at once.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=MOST_SETTLE_S))]
    pub settle_s: u64,

    /// Most orders to look at: the newest, with everything that belongs to them. Each takes about 5 kB of memory.
    #[arg(long, default_value_t = Limits::ORDERS, value_parser = clap::value_parser!(u32).range(1..=i64::from(Limits::MOST_ORDERS)))]
    pub newest_orders: u32,

    /// Dead letters that somebody knows of. More, or fewer, are a violation.
    #[arg(long, default_value_t = 0)]
    pub dead_letters: usize,
}

/// The rules, for `--help`.
fn rules() -> String {
    let mut text = "Exit code: 0 nothing is wrong, 1 something is, 2 it could not be looked at.\n\nRules:\n".to_owned();
    for rule in Rule::ALL {
        // A text takes everything.
        let _ = writeln!(text, "  {:<22} {}", rule.word(), rule.meaning());
    }
    text
}

/// Looks, and prints what it found to stdout.
///
/// # Errors
/// When it could not look; the exit code is 2 then.
pub async fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let progress = Progress::on_stderr();
    let sources = sources(args).await?;
    let allowed = Allowed { dead_letters: args.dead_letters, unsettled: false, unknown: false };
    let (limits, time) = (Limits::of_orders(args.newest_orders), Duration::from_secs(args.settle_s));
    let Settled { report, looks } = settle(&sources, &allowed, &limits, time, &progress).await?;
    let text = if args.json {
        format!("{}\n", serde_json::to_string_pretty(&report).context("the report is no JSON")?)
    } else if looks == 1 {
        report.to_string()
    } else {
        format!("{report}looked {looks} times\n")
    };
    io::stdout().write_all(text.as_bytes()).context("the report could not be printed")?;
    Ok(if report.clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn sources(args: &VerifyArgs) -> anyhow::Result<Sources> {
    let settings = postgres::Settings {
        max_connections: 2,
        min_connections: 0,
        statement_timeout: STATEMENT_TIME,
        idle_in_transaction_timeout: STATEMENT_TIME,
        ..postgres::Settings::new(PROCESS)
    };
    // Not left to clap, because `payctl verify FILE` needs none.
    let Some(order_database_url) = &args.order_database_url else {
        bail!("--order-database-url is not set (or ORDER_DATABASE_URL in the environment); see payctl promises --help")
    };
    let orders = postgres::connect(order_database_url, &settings).await?;
    let reconcile = match &args.reconcile_database_url {
        Some(url) => Some(postgres::connect(url, &settings).await?),
        None => None,
    };
    let bus = BusArgs { nats_url: args.nats_url.clone(), nats_monitor_url: None, nats_replicas: 1 };
    let bus = bus::connect(&bus, PROCESS, &Metrics::new()).await?;
    let ledger = match &args.sandbox_url {
        Some(url) => {
            let http = reqwest::Client::builder().no_proxy().timeout(LEDGER_TIME).build();
            Some(LedgerSource { http: http.context("there is no HTTP client")?, url: url.to_string() })
        }
        None => None,
    };
    let jetstream = bus.jetstream().clone();
    let reconcile_svc_runs = reconcile.is_some();
    Ok(Sources { orders, reconcile, jetstream, ledger, order_svc_runs: true, reconcile_svc_runs })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Settings {
        #[command(flatten)]
        verify: VerifyArgs,
    }

    #[test]
    fn every_rule_is_explained_by_help() {
        let help = rules();
        assert!(Rule::ALL.iter().all(|rule| help.contains(rule.word()) && help.contains(rule.meaning())));
    }

    #[test]
    fn help_never_shows_a_password() {
        let command = Settings::command();
        let shown = command.get_arguments().filter(|argument| !argument.is_hide_env_values_set());
        let shown: Vec<_> = shown.filter_map(|argument| argument.get_env()).collect();
        assert_eq!(shown, ["SANDBOX_URL"]);
    }
}
