//! `load`: traffic whose arrivals do not wait for answers, for `make bench`.
//!
//! Arrival n is due at n / rate, whatever became of those before it. Its latency counts from then, so a server that stands still for
//! a second is seen by everybody who would have come in that second. At a rate of 0 everything is due at once, and the run tells
//! how much was answered in its time.
//!
//! Prints one line of JSON, an [`e2e::load::Outcome`].

#![expect(clippy::print_stdout, reason = "the line on stdout is what this program is for")]

mod arrivals;
mod orders;
mod post;
mod publish;
mod told;

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "load", version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Posts prepared bodies over HTTP/1.1.
    Post(post::Post),
    /// `CreateOrder` over gRPC.
    Create(orders::Create),
    /// `PayOrder` over gRPC, of orders that `create` made.
    Pay(orders::Pay),
    /// Single messages to a stream, each with its ack before the next one of its connection.
    Publish(publish::Publish),
}

/// How fast, and for how long.
#[derive(Clone, Copy, Debug, Args)]
struct Pace {
    /// Arrivals per second; 0: everything is due at once.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// For how long arrivals come.
    #[arg(long, default_value_t = 3000)]
    ms: u64,
}

impl Pace {
    fn time(self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<String> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Post(post) => post.run().await,
            Command::Create(create) => create.run().await,
            Command::Pay(pay) => pay.run().await,
            Command::Publish(publish) => publish.run().await,
        }
    })?;
    serde_json::to_string(&outcome).context("an outcome is JSON")
}
