//! `payctl recon explain`.

use std::fmt::Write as _;

use proto::reconcile::v1::{AuditEntry, Discrepancy, ExplainDiscrepancyRequest, ExplainDiscrepancyResponse};

use super::{Connection, Done, legs, show};
use crate::output::visible;

/// What `payctl recon explain` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The difference: `discrepancies/{uuid}`, its UUID, or a number of either side that only one difference has.
    discrepancy: String,
}

pub(super) async fn run(connection: &mut Connection, args: &ExplainArgs) -> anyhow::Result<Done> {
    let name = connection.discrepancy_name(&args.discrepancy).await?;
    let told = connection.runs.explain_discrepancy(ExplainDiscrepancyRequest { name }).await?.into_inner();
    Done::of(&told, text(&told))
}

fn text(told: &ExplainDiscrepancyResponse) -> String {
    let mut text = told.discrepancy.as_ref().map(one).unwrap_or_default();
    // A text takes everything.
    if !told.order.is_empty() {
        let _ = writeln!(text, "  {:<13} {} {} {}", "order", told.order, told.app, visible(&told.order_no));
    }
    let _ = write!(text, "\n{}", legs::side_by_side(&told.legs));
    if !told.next_steps.is_empty() {
        let proposal = told.discrepancy.as_ref().map_or(0, |found| found.proposal_sequence);
        let flags: Vec<String> = told.next_steps.iter().map(|step| flag(step, proposal)).collect();
        let _ = write!(text, "\nnext: {}\n", flags.join(", "));
    }
    if !told.history.is_empty() {
        text.push('\n');
        text.extend(told.history.iter().map(entry));
    }
    text
}

/// A difference with everything that its message tells.
pub(super) fn one(found: &Discrepancy) -> String {
    let critical = if found.critical { ", critical" } else { "" };
    let mut text = format!(
        "{} {} of {} {}: {}, {} yuan at risk{critical}\n",
        found.code,
        show::state_of(found),
        found.merchant,
        found.bill_date,
        show::meaning(&found.code),
        show::yuan(found.risk_fen)
    );
    // A text takes everything.
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<13} {}", visible(value));
        }
    };
    line("difference", &found.name);
    line("explanation", &found.explanation);
    for (name, number) in [
        ("our number", &found.out_trade_no),
        ("transaction", &found.transaction_id),
        ("our refund", &found.out_refund_no),
        ("refund id", &found.refund_id),
        ("movement", &found.movement),
        ("account", &found.account),
    ] {
        line(name, number);
    }
    for (name, fen) in [("bill", found.bill_amount_fen), ("books", found.book_amount_fen)] {
        line(name, &if fen == 0 { String::new() } else { format!("{} yuan", show::yuan(fen)) });
    }
    line("first seen", &show::instant(found.open_time.as_ref()));
    line("due", &found.due_date);
    line("assignee", &found.assignee);
    line("waived until", &found.waived_until);
    line("proposed", &proposed(found));
    line("ended as", &found.resolution);
    line("answer", &found.answer);
    text
}

/// What was proposed and by whom; of a proposal that waits for another person how it is approved.
fn proposed(found: &Discrepancy) -> String {
    if found.proposed_by.is_empty() {
        return String::new();
    }
    let action = found.proposed().as_str_name();
    let action = action.strip_prefix("ACTION_").unwrap_or(action);
    let approve = match found.proposal_sequence {
        0 => String::new(),
        number => format!(", to be approved with --approve {number}"),
    };
    format!("{action} by {}{approve}", found.proposed_by)
}

fn entry(entry: &AuditEntry) -> String {
    let time = show::instant(entry.time.as_ref());
    let line = format!("{time} {} {} {}", visible(&entry.actor), entry.action, visible(&entry.detail));
    format!("{}\n", line.trim_end())
}

/// `STEP_PROPOSE` or `STEP_PROPOSE ACTION_REFUND_SURPLUS`, or the same without prefixes, as `resolve` takes it. `proposal` is the
/// number of the proposal that stands.
fn flag(step: &str, proposal: i64) -> String {
    let words = step.split([' ', ':', '=']).filter(|word| !word.is_empty());
    let words: Vec<String> = words
        .map(|word| {
            let word = word.strip_prefix("STEP_").or_else(|| word.strip_prefix("ACTION_")).unwrap_or(word);
            visible(word).to_lowercase().replace('_', "-")
        })
        .collect();
    match words.join(" ").as_str() {
        "waive" => "--waive-until DATE".to_owned(),
        "approve" => format!("--approve {proposal}"),
        told => format!("--{told}"),
    }
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{
        AuditEntry, Discrepancy, ExplainDiscrepancyResponse, Leg, LegField, resolve_discrepancy_request::Action,
    };

    use super::{flag, one, text};

    #[test]
    fn a_difference_is_told_with_its_legs_its_next_steps_and_its_history() {
        let field = LegField { name: "amount".into(), value: "9.90".into(), differs: true };
        let told = ExplainDiscrepancyResponse {
            discrepancy: Some(Discrepancy {
                name: "discrepancies/1".into(),
                code: "P2".into(),
                state: 1,
                merchant: "acme".into(),
                bill_date: "2026-11-21".into(),
                risk_fen: 990,
                bill_amount_fen: 990,
                ..Discrepancy::default()
            }),
            legs: vec![Leg { leg: "T".into(), fields: vec![field] }],
            next_steps: vec!["STEP_PROPOSE".into(), "STEP_WAIVE".into(), "STEP_RETRY".into()],
            history: vec![AuditEntry {
                actor: "reconcile-svc".into(),
                action: "OPENED".into(),
                ..AuditEntry::default()
            }],
            order: "orders/2".into(),
            app: "shop".into(),
            order_no: "S-1".into(),
        };
        let text = text(&told);
        assert!(
            text.starts_with("P2 OPEN of acme 2026-11-21: money for a closed order, 9.90 yuan at risk\n"),
            "{text}"
        );
        for part in [
            "  bill          9.90 yuan\n",
            "  order         orders/2 shop S-1\n",
            "\namount                      9.90*\n",
            "\nnext: --propose, --waive-until DATE, --retry\n",
            "\n reconcile-svc OPENED\n",
        ] {
            assert!(text.contains(part), "{part}{text}");
        }
        assert!(!text.contains("books"), "what is not there is not told: {text}");
    }

    #[test]
    fn steps_are_told_as_flags_however_they_are_written() {
        assert_eq!(flag("STEP_PROPOSE ACTION_REFUND_SURPLUS", 0), "--propose refund-surplus");
        assert_eq!(flag("PROPOSE", 0), "--propose");
        assert_eq!(flag("waive", 0), "--waive-until DATE");
        assert_eq!(flag("STEP_APPROVE", 7), "--approve 7");
    }

    #[test]
    fn a_proposal_is_told_with_the_number_that_approves_it() {
        let mut found = Discrepancy {
            proposed: Action::RefundSurplus.into(),
            proposed_by: "li".into(),
            proposal_sequence: 7,
            ..Discrepancy::default()
        };
        let line = "  proposed      REFUND_SURPLUS by li, to be approved with --approve 7\n";
        assert!(one(&found).contains(line), "{}", one(&found));
        found.proposal_sequence = 0;
        assert!(one(&found).contains("  proposed      REFUND_SURPLUS by li\n"), "{}", one(&found));
    }
}
