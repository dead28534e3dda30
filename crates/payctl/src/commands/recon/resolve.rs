//! `payctl recon resolve`.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::civil::Date;
use proto::reconcile::v1::{
    ResolveDiscrepancyRequest,
    resolve_discrepancy_request::{Action as WireAction, Step},
};
use secrecy::SecretString;
use tonic::{Request, service::Interceptor as _};

use super::{Connection, Done, explain};
use crate::{request_id::RequestId, token::Token};

/// What `payctl recon resolve` can be told. Without a step, the note is written down.
#[derive(Debug, clap::Args)]
pub(super) struct ResolveArgs {
    /// The difference: `discrepancies/{uuid}`, its UUID, or a number of either side that only one difference has.
    discrepancy: String,
    #[command(flatten)]
    step: StepArgs,
    /// Why: needed by --propose and --waive-until; alone, it is written down.
    #[arg(long)]
    note: Option<String>,
    /// The bearer token of a person. `--person-token-file` keeps it out of the list of processes.
    #[arg(long, env, hide_env_values = true)]
    person_token: Option<SecretString>,
    /// A file that holds the person's bearer token and nothing else.
    #[arg(long, env, conflicts_with = "person_token")]
    person_token_file: Option<PathBuf>,
    #[command(flatten)]
    request: RequestId,
}

/// One of the steps.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct StepArgs {
    /// Propose what to do; another person must approve it.
    #[arg(long, value_enum, value_name = "ACTION", requires = "note")]
    propose: Option<Action>,
    /// Agree with what another person proposed: the number of that proposal, as `payctl recon explain` prints it.
    #[arg(long, value_name = "PROPOSAL", value_parser = clap::value_parser!(i64).range(1..))]
    approve: Option<i64>,
    /// Do not do what was proposed.
    #[arg(long)]
    reject: bool,
    /// Live with it until this civil date in Asia/Shanghai, at most 180 days away; then it opens again.
    #[arg(long, value_name = "DATE", requires = "note")]
    waive_until: Option<Date>,
    /// Let order-svc ask the provider again.
    #[arg(long)]
    retry: bool,
    /// Give it to a person to look after.
    #[arg(long, value_name = "PERSON")]
    assign: Option<String>,
}

/// What can be proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Give the payment back to its payer (P2, P4).
    RefundSurplus,
    /// Take the refund into our books (R1).
    ImportRefund,
    /// It was settled outside of these systems; the note says how.
    SettledElsewhere,
}

pub(super) async fn run(connection: &mut Connection, args: &ResolveArgs) -> anyhow::Result<Done> {
    let (step, action) = args.step.read();
    anyhow::ensure!(
        step != Step::Note || args.note.is_some(),
        "nothing to do: give a step (--propose, --approve, --reject, --waive-until, --retry, --assign) or a --note"
    );
    let mut token = Token::read(
        args.person_token.as_ref(),
        args.person_token_file.as_ref(),
        "no token: set --person-token-file, or PERSON_TOKEN in the environment, to your own bearer token",
    )?;
    let name = connection.discrepancy_name(&args.discrepancy).await?;
    let request = ResolveDiscrepancyRequest {
        request_id: args.request.told(),
        name,
        step: step.into(),
        action: action.into(),
        note: args.note.clone().unwrap_or_default(),
        waive_until: args.step.waive_until.map(|date| date.to_string()).unwrap_or_default(),
        assignee: args.step.assign.clone().unwrap_or_default(),
        proposal_sequence: args.step.approve.unwrap_or_default(),
    };
    let metadata = token.call(Request::new(()))?.metadata().clone();
    let mut call = Request::new(request);
    *call.metadata_mut() = metadata;
    let found = connection.runs.resolve_discrepancy(call).await?.into_inner();
    Done::of(&found, explain::one(&found))
}

impl StepArgs {
    fn read(&self) -> (Step, WireAction) {
        let step = if self.propose.is_some() {
            Step::Propose
        } else if self.approve.is_some() {
            Step::Approve
        } else if self.reject {
            Step::Reject
        } else if self.waive_until.is_some() {
            Step::Waive
        } else if self.retry {
            Step::Retry
        } else if self.assign.is_some() {
            Step::Assign
        } else {
            Step::Note
        };
        let action = self.propose.map_or(WireAction::Unspecified, |action| match action {
            Action::RefundSurplus => WireAction::RefundSurplus,
            Action::ImportRefund => WireAction::ImportRefund,
            Action::SettledElsewhere => WireAction::SettledElsewhere,
        });
        (step, action)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use proto::reconcile::v1::resolve_discrepancy_request::{Action as WireAction, Step};

    use super::ResolveArgs;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ResolveArgs,
    }

    fn read(arguments: &[&str]) -> Result<(Step, WireAction), clap::Error> {
        let line = ["resolve", "discrepancies/1"].iter().chain(arguments);
        Line::try_parse_from(line).map(|line| line.args.step.read())
    }

    #[test]
    fn each_flag_is_its_step() {
        let none = WireAction::Unspecified;
        for (arguments, expected) in [
            (&["--propose", "refund-surplus", "--note", "n"][..], (Step::Propose, WireAction::RefundSurplus)),
            (&["--propose", "import-refund", "--note", "n"], (Step::Propose, WireAction::ImportRefund)),
            (&["--propose", "settled-elsewhere", "--note", "n"], (Step::Propose, WireAction::SettledElsewhere)),
            (&["--approve", "7"], (Step::Approve, none)),
            (&["--reject", "--note", "n"], (Step::Reject, none)),
            (&["--waive-until", "2026-12-31", "--note", "n"], (Step::Waive, none)),
            (&["--retry"], (Step::Retry, none)),
            (&["--assign", "li"], (Step::Assign, none)),
            (&["--note", "n"], (Step::Note, none)),
        ] {
            assert_eq!(read(arguments).unwrap(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn two_steps_at_once_and_a_decision_without_a_reason_are_refused() {
        for wrong in [
            &["--approve", "7", "--reject"][..],
            &["--approve"],
            &["--approve", "0"],
            &["--retry", "--assign", "li"],
            &["--propose", "refund-surplus"],
            &["--waive-until", "2026-12-31"],
            &["--waive-until", "soon", "--note", "n"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
