//! `chaos`: what `make chaos` runs.

#![expect(clippy::print_stdout, reason = "this program talks to whoever started it")]

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use e2e::chaos::Run;

/// A seeded mixed run: load and faults of every kind at one time, then the checker.
#[derive(Debug, Parser)]
#[command(name = "chaos", version, max_term_width = 110)]
struct Arguments {
    /// What everything random is drawn from; drawn itself when absent.
    #[arg(long, env = "CHAOS_SEED")]
    seed: Option<u64>,
    /// How long faults go on, in seconds. Below 120 a run has fewer kinds of them.
    #[arg(long, env = "CHAOS_SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(20..=86_400))]
    seconds: u64,
}

fn main() -> ExitCode {
    let Arguments { seed, seconds } = Arguments::parse();
    let (seed, time) = (seed.unwrap_or_else(|| fastrand::u64(..1_000_000)), Duration::from_secs(seconds));
    println!("CHAOS_SEED={seed} CHAOS_SECONDS={seconds}");
    let run = if seconds < 120 { Run::short(seed, time) } else { Run::full(seed, time) };
    if run.go().is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
