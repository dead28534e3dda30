//! `payctl recon …`: reconciliation from a terminal.

mod audit;
mod connection;
mod days;
mod diff;
mod explain;
mod export;
mod legs;
mod list;
mod names;
mod refusal;
mod resolve;
mod run;
mod show;

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use crate::{output, refusal as refused};
use connection::{Connection, ConnectionArgs};

/// What every command of `payctl recon` takes, and which one it is.
#[derive(Debug, clap::Args)]
pub(crate) struct ReconArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: ReconCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ReconCommand {
    /// Fetch the bills of a day, compare them with the books, and print the verdict.
    Run(run::RunArgs),
    /// List runs, or differences with --differences.
    List(Box<list::ListArgs>),
    /// Print a run: sums by leg, accounts, differences by code.
    Show(show::ShowArgs),
    /// Why is this difference open? The four legs side by side, what can be done, and all that was done.
    Explain(explain::ExplainArgs),
    /// Take one step in the life of a difference, as a person.
    Resolve(Box<resolve::ResolveArgs>),
    /// Write a run to a file: a workbook, CSV or JSON.
    Export(export::ExportArgs),
    /// What one run found that another of the same merchant did not.
    Diff(diff::DiffArgs),
    /// Look at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    /// Read the log from its first row and check every hash.
    Verify(audit::VerifyArgs),
}

/// What a call came to: the message for programs, the text for people, and whether the answer is yes.
struct Done {
    json: Value,
    text: String,
    code: ExitCode,
}

impl Done {
    fn of(message: &impl Serialize, text: String) -> anyhow::Result<Done> {
        Ok(Done { json: serde_json::to_value(message)?, text, code: output::GOOD })
    }

    fn ending_with(self, code: ExitCode) -> Done {
        Done { code, ..self }
    }
}

/// Does it, and prints the answer or why there is none.
pub(crate) async fn run(args: &ReconArgs) -> anyhow::Result<ExitCode> {
    let mut connection = args.connection.open()?;
    let done = match &args.command {
        ReconCommand::Run(run) => return run::run(&mut connection, run, args.json).await,
        ReconCommand::List(list) => list::run(&mut connection, list).await,
        ReconCommand::Show(show) => show::run(&mut connection, show).await,
        ReconCommand::Explain(explain) => explain::run(&mut connection, explain).await,
        ReconCommand::Resolve(resolve) => resolve::run(&mut connection, resolve).await,
        ReconCommand::Export(export) => export::run(&mut connection, export).await,
        ReconCommand::Diff(diff) => diff::run(&mut connection, diff).await,
        ReconCommand::Audit(AuditCommand::Verify(verify)) => audit::verify(&mut connection, verify).await,
    };
    match done {
        Ok(done) if args.json => output::print_json(&done.json).map(|()| done.code),
        Ok(done) => output::print(&done.text).map(|()| done.code),
        Err(error) => refused::tell(error, args.json, refusal::fix),
    }
}
