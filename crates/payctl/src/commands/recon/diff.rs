//! `payctl recon diff`.

use std::fmt::Write as _;

use proto::reconcile::v1::{DiffRunsRequest, DiffRunsResponse, Discrepancy};

use super::{Connection, Done, show};
use crate::output;

/// What `payctl recon diff` can be told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 both found the same, 1 they did not, 2 bad use, or it could not be found out.")]
pub(super) struct DiffArgs {
    /// The run: `runs/{uuid}`, its UUID, or MERCHANT/DATE[/vN]. Alone, it is compared with the version before it; else it is the
    /// earlier one.
    run: String,
    /// The later run.
    later: Option<String>,
}

pub(super) async fn run(connection: &mut Connection, args: &DiffArgs) -> anyhow::Result<Done> {
    let first = connection.run_name(&args.run).await?;
    let request = match &args.later {
        Some(later) => DiffRunsRequest { from: first, to: connection.run_name(later).await? },
        None => DiffRunsRequest { from: String::new(), to: first },
    };
    let told = connection.runs.diff_runs(request).await?.into_inner();
    let same = told.appeared_count == 0 && told.vanished_count == 0 && told.changed_count == 0;
    Ok(Done::of(&told, text(&told))?.ending_with(if same { output::GOOD } else { output::no() }))
}

fn text(told: &DiffRunsResponse) -> String {
    let mut text = String::new();
    // A text takes everything.
    for (name, run) in [("from", &told.from), ("to", &told.to)] {
        if let Some(run) = run {
            let _ = writeln!(text, "{name:<4} {}", show::headline(run));
        }
    }
    let inputs = if told.changed_inputs.is_empty() { "none".to_owned() } else { told.changed_inputs.join(", ") };
    let _ = writeln!(text, "inputs that changed: {inputs}");
    for (what, count, found) in [
        ("appeared", told.appeared_count, &told.appeared),
        ("vanished", told.vanished_count, &told.vanished),
        ("changed", told.changed_count, &told.changed),
    ] {
        section(&mut text, what, count, found);
    }
    text
}

fn section(text: &mut String, what: &str, count: i64, found: &[Discrepancy]) {
    // A text takes everything.
    let _ = write!(text, "\n{what}: {count}");
    let shown = i64::try_from(found.len()).unwrap_or(i64::MAX);
    if shown < count {
        let _ = write!(text, ", of which the largest {shown}");
    }
    text.push('\n');
    if !found.is_empty() {
        text.push_str(&show::list(found));
    }
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{DiffRunsResponse, Discrepancy, Run};

    use super::text;

    #[test]
    fn what_changed_between_two_runs_is_told_in_three_parts() {
        let run = |version| Run {
            merchant: "acme".into(),
            bill_date: "2026-11-21".into(),
            version,
            state: 2,
            ..Run::default()
        };
        let found = Discrepancy { name: "discrepancies/1".into(), code: "P5".into(), ..Discrepancy::default() };
        let told = DiffRunsResponse {
            from: Some(run(1)),
            to: Some(Run { current: true, ..run(2) }),
            changed_inputs: vec!["TRADE".into(), "BOOK_PAYMENTS".into()],
            vanished: vec![found],
            vanished_count: 1200,
            ..DiffRunsResponse::default()
        };
        let text = text(&told);
        assert!(text.starts_with("from acme/2026-11-21/v1 BALANCED: "), "{text}");
        assert!(text.contains("\nto   acme/2026-11-21/v2 BALANCED: "), "{text}");
        assert!(
            text.contains(
                "\ninputs that changed: TRADE, BOOK_PAYMENTS\n\nappeared: 0\n\nvanished: 1200, of which the largest 1\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("\nchanged: 0\n"), "{text}");
    }
}
