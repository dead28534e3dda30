//! `world demo`, `world up`, `world down`: what `make demo`, `make up` and `make down` run.

#![expect(clippy::print_stdout, reason = "this program talks to whoever started it")]

mod day;
mod demo;
mod down;
mod folders;
mod lend;
mod recorded;
mod telling;
mod up;

use std::{panic, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use jiff::civil::Date;

/// A whole Tongbao on this machine, with the sandbox instead of WeChat.
#[derive(Debug, Parser)]
#[command(name = "world", version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the main job once, from order to reconciliation, on free ports, and tells what happens. Ends everything.
    Demo,
    /// Starts a new world on the documented ports and lets it run. The sandbox keeps WeChat's books in memory, so each world
    /// begins with empty books of ours, too.
    Up,
    /// Ends the world that `up` started.
    Down,
    /// Starts a world on free ports for another program: prints where everybody listens as one line of JSON, and ends the
    /// world when stdin closes.
    Lend {
        /// Where its logs go. What is there is removed first.
        folder: PathBuf,
    },
    /// Reconciles a day that the example `generate` wrote, from the download to the last event on the bus, and tells how long it
    /// took; a release build says something.
    Day {
        /// Where the files are.
        folder: PathBuf,
        /// The bill day in them.
        #[arg(default_value = "2026-11-28")]
        day: Date,
    },
}

fn main() -> ExitCode {
    // Whatever the harness finds wrong is told in its own words, without the noise of a crash.
    panic::set_hook(Box::new(|wrong| {
        let text = wrong.payload_as_str().unwrap_or("something went wrong");
        eprintln!("\nerror: {text}");
    }));
    let outcome = panic::catch_unwind(|| run(&Arguments::parse().command));
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
        Err(_told) => ExitCode::FAILURE,
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    match command {
        Command::Demo => runtime.block_on(demo::run()),
        Command::Up => runtime.block_on(up::run()),
        Command::Down => down::run(),
        Command::Lend { folder } => runtime.block_on(lend::run(folder)),
        Command::Day { folder, day } => runtime.block_on(day::run(folder, *day)),
    }
}
