//! What can be done next, and the command that does it: pages ask nobody who they are, so nothing is changed from here.

use maud::{Markup, html};
use proto::reconcile::v1::{Discrepancy, ExplainDiscrepancyResponse};

use super::super::texts::Text;
use super::super::view::View;

/// How `ResolveDiscrepancy` is called from a terminal.
const COMMAND: &str = "payctl recon resolve";

pub(super) fn steps(view: &View, explained: &ExplainDiscrepancyResponse, found: &Discrepancy) -> Markup {
    let known: Vec<(Text, Text, String)> =
        explained.next_steps.iter().filter_map(|step| described(step.trim_start_matches("STEP_"), found)).collect();
    html! {
        h2 { (view.text(Text::WhatCanBeDone)) }
        @if known.is_empty() { p.quiet { (view.text(Text::NothingToDoHere)) } } @else {
            p.quiet { (view.text(Text::StepsNeedAName)) }
            dl.steps { @for (name, what, options) in known {
                dt { (view.text(name)) }
                dd { (view.text(what)) pre { code { (COMMAND) " " (found.name) " " (options) } } }
            } }
        }
    }
}

/// Name, meaning and options of a step; `None` for one that a later release knows.
fn described(step: &str, found: &Discrepancy) -> Option<(Text, Text, String)> {
    let (name, what, options) = match step {
        "RETRY" => (Text::StepRetry, Text::StepRetryWhat, "--retry".to_owned()),
        "PROPOSE" => {
            let actions = actions(&found.code).join("|");
            (Text::StepPropose, Text::StepProposeWhat, format!("--propose {actions} --note '…'"))
        }
        "APPROVE" => (Text::StepApprove, Text::StepApproveWhat, format!("--approve {}", found.proposal_sequence)),
        "REJECT" => (Text::StepReject, Text::StepRejectWhat, "--reject --note '…'".to_owned()),
        "WAIVE" => (Text::StepWaive, Text::StepWaiveWhat, "--waive-until YYYY-MM-DD --note '…'".to_owned()),
        "NOTE" => (Text::StepNote, Text::StepNoteWhat, "--note '…'".to_owned()),
        "ASSIGN" => (Text::StepAssign, Text::StepAssignWhat, "--assign NAME".to_owned()),
        _ => return None,
    };
    Some((name, what, options))
}

/// What may be proposed about a difference of this code.
fn actions(code: &str) -> Vec<&'static str> {
    let own = match code {
        "P2" | "P4" => Some("refund-surplus"),
        "R1" => Some("import-refund"),
        _ => None,
    };
    own.into_iter().chain(["settled-elsewhere"]).collect()
}
