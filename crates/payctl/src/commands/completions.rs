//! `payctl completions`.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::output;

/// What `payctl completions` can be told.
#[derive(Debug, clap::Args)]
#[command(after_help = "For bash: payctl completions bash > ~/.local/share/bash-completion/completions/payctl")]
pub(crate) struct CompletionsArgs {
    /// The shell that completes.
    shell: Shell,
}

/// Prints the completions of `command`.
pub(crate) fn run(args: &CompletionsArgs, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "payctl", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(output::GOOD)
}
