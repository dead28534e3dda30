//! Every command, and which code runs it.

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    commands::{
        bill::{self, BillArgs},
        check_sign::{self, CheckArgs},
        completions::{self, CompletionsArgs},
        decrypt::{self, DecryptArgs},
        events::{self, EventsCommand},
        merchants::{self, MerchantsCommand},
        order::{self, OrderArgs},
        recon::{self, ReconArgs},
        sign::{self, SignArgs},
        trigger::{self, TriggerArgs},
    },
    output,
    verify::{self, VerifyArgs},
};

/// What can be asked of Tongbao, and of WeChat Pay's messages, from a terminal.
#[derive(Debug, Parser)]
#[command(name = "payctl", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sign a message of WeChat Pay v2.
    Sign(SignArgs),
    /// With FILE: check the signature of a message and say why it is wrong (签名错误). Without: the promises.
    ///
    /// With FILE, a message of WeChat Pay v2 is checked: a request, an answer, a payment notice, the parameters of a page, mini
    /// program or app, or a Native mode 1 URL. When its signature is wrong, every mistake that people make is tried until the
    /// very signature comes out, and named with its fix.
    ///
    /// Without FILE it is `payctl promises`, which it was called before.
    #[command(after_long_help = output::EXIT_CODES)]
    Verify(Box<VerifyCommand>),
    /// Prove that no fen is missing: read databases, streams and, when there is one, the sandbox's ledger, and judge what they
    /// say. Nothing is changed anywhere.
    Promises(Box<VerifyArgs>),
    /// Decrypt a refund notice.
    Decrypt(DecryptArgs),
    /// Check a trade bill, and print its totals or its rows.
    Bill(BillArgs),
    /// Create, pay, read, watch, close and refund orders, as a team does.
    Order(Box<OrderArgs>),
    /// Reconcile a merchant's day with the provider's bills, and look at, explain, resolve and export what differs.
    Recon(Box<ReconArgs>),
    /// Read the bus, or fill it again.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Look at merchant files.
    #[command(subcommand)]
    Merchants(MerchantsCommand),
    /// Make the sandbox do something: let the user pay, lose, duplicate or delay a callback, move the clock.
    Trigger(TriggerArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
}

/// What `payctl verify` can be told.
#[derive(Debug, clap::Args)]
struct VerifyCommand {
    /// The message; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    message: CheckArgs,
    #[command(flatten, next_help_heading = "Without FILE (see `payctl promises --help`)")]
    promises: VerifyArgs,
}

impl Cli {
    /// Reads the arguments. A wrong one, and `--help`, end the process as clap does.
    pub fn of_arguments() -> Cli {
        Cli::from_arg_matches(&explained(Cli::command()).get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// Runs the command and says with what code to end.
    ///
    /// # Errors
    /// When it could not be done at all; the exit code is 2 then.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Sign(args) => sign::run(&args),
            Command::Verify(args) => match &args.file {
                Some(file) => check_sign::run(file, &args.message, args.promises.json),
                None => verify::run(&args.promises).await,
            },
            Command::Promises(args) => verify::run(&args).await,
            Command::Decrypt(args) => decrypt::run(&args),
            Command::Bill(args) => bill::run(&args),
            Command::Order(args) => order::run(&args).await,
            Command::Recon(args) => recon::run(&args).await,
            Command::Events(EventsCommand::Tail(args)) => events::tail(&args).await,
            Command::Events(EventsCommand::Rebuild(args)) => events::rebuild(&args).await,
            Command::Merchants(MerchantsCommand::Check(args)) => merchants::run(&args),
            Command::Trigger(args) => trigger::run(&args).await,
            Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        }
    }
}

/// The command and all below it, each with its exit codes at the end of its help.
fn explained(command: clap::Command) -> clap::Command {
    let command = if command.get_after_help().is_none() { command.after_help(output::EXIT_CODES) } else { command };
    command.mut_subcommands(explained)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(command: &clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help").flat_map(all);
        below.chain([command.clone()]).collect()
    }

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_its_exit_codes() {
        for mut command in all(&explained(Cli::command())) {
            let ends = !command.has_subcommands() && !matches!(command.get_name(), "completions" | "help");
            let help = command.render_long_help().to_string();
            assert!(!ends || help.contains("Exit code: 0"), "{}: {help}", command.get_name());
        }
    }

    #[test]
    fn every_command_but_completions_speaks_json() {
        let mut whole = Cli::command();
        // Flags that a command takes from the one above it are its own once it is built.
        whole.build();
        for command in all(&whole) {
            let speaks = command.get_arguments().any(|argument| argument.get_id() == "json");
            let silent = command.has_subcommands() || command.get_name() == "completions";
            assert!(speaks || silent, "{}", command.get_name());
        }
    }

    #[test]
    fn no_secret_is_shown_by_help() {
        for command in all(&Cli::command()) {
            for argument in command.get_arguments() {
                let secret = ["token", "person_token", "nats_url", "order_database_url", "reconcile_database_url"];
                let hidden = argument.is_hide_env_values_set();
                assert!(hidden || !secret.contains(&argument.get_id().as_str()), "{}", argument.get_id());
            }
        }
    }
}
