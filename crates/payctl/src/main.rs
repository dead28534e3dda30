//! The command line for engineers and SREs.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use payctl::Cli;

/// The exit code when something could not be done at all; clap uses it, too.
const COULD_NOT: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::of_arguments().run().await {
        Ok(code) => code,
        Err(error) => {
            // Whoever closed stderr reads the exit code.
            let _ = writeln!(io::stderr(), "{}", svc_kit::process::one_line(&error));
            ExitCode::from(COULD_NOT)
        }
    }
}
