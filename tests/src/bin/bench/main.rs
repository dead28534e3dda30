//! `bench`: what `make bench` runs. How fast we are, as ratios to what this machine's Postgres, NATS and a plain Node service do in
//! turns with us.
//!
//! Every number of a round is divided by numbers of the same round, so a slow minute of the machine slows both. Nothing is made less
//! durable: NATS flushes before each ack, Postgres before each commit, for us and for what we are compared with.

#![expect(clippy::print_stdout, reason = "this program talks to whoever started it")]

mod calls;
mod cost;
mod growth;
mod machine;
mod notices;
mod orders;
mod peer;
mod report;
mod rounds;
mod stage;
mod table;

use std::{panic, process::ExitCode};

use anyhow::Context as _;
use clap::Parser;

/// Measures this build, best a release build, in about ten minutes.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench", version, max_term_width = 110)]
struct Arguments {
    /// How often everything is measured, in turns.
    #[arg(long, env = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// For how long each thing is loaded, in milliseconds.
    #[arg(long, env = "MS", default_value_t = 3000, value_parser = clap::value_parser!(u64).range(200..=60_000))]
    ms: u64,
    /// Only rows whose name contains this; then there is no verdict about the others, no growth and no cost.
    #[arg(long, env = "ONLY")]
    only: Option<String>,
}

fn main() -> ExitCode {
    // Whatever the harness finds wrong is told in its own words, without the noise of a crash.
    panic::set_hook(Box::new(|wrong| {
        eprintln!("\nerror: {}", wrong.payload_as_str().unwrap_or("something went wrong"));
    }));
    match panic::catch_unwind(run) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) | Err(_) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every floor was reached.
fn run() -> anyhow::Result<bool> {
    let arguments = Arguments::parse();
    if let Some(only) = &arguments.only {
        let known = table::ROWS.map(|row| row.name);
        anyhow::ensure!(
            known.iter().any(|row| row.contains(only)),
            "no row has \"{only}\" in its name: {}",
            known.join(", ")
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut stage = stage::Stage::set(&arguments).await?;
        let growth = if arguments.only.is_none() { Some(growth::measure(&mut stage).await?) } else { None };
        let samples = rounds::measure(&mut stage).await?;
        let cost = if arguments.only.is_none() { Some(cost::measure(&mut stage).await?) } else { None };
        let report = report::Report::new(&stage, &samples, growth, cost);
        report.write(&stage.folder)?;
        report.tell();
        stage.clear()?;
        Ok(report.failed() == 0)
    })
}
