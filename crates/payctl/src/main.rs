//! The command line for engineers and SREs.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use payctl::verify::{self, VerifyArgs};

/// What can be asked of Tongbao from a terminal.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove that no fen is missing: read databases, streams and, when there is one, the sandbox's ledger, and judge what they
    /// say. Nothing is changed anywhere.
    Verify(Box<VerifyArgs>),
}

/// The exit code when something could not be done at all; clap uses it, too.
const COULD_NOT: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Verify(args) => verify::run(&args).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Whoever closed stderr reads the exit code.
            let _ = writeln!(io::stderr(), "{}", svc_kit::process::one_line(&error));
            ExitCode::from(COULD_NOT)
        }
    }
}
