//! `payctl recon list`.

use clap::ValueEnum;
use jiff::civil::Date;
use proto::reconcile::v1::{
    Discrepancy, ListDiscrepanciesRequest, ListRunsRequest, Run, discrepancy::State as WireState,
};
use serde::Serialize;

use super::{Connection, Done, show};
use crate::output::{self, table_with_numbers, width};

/// Most rows of one call.
const PAGE: i32 = 200;

/// What `payctl recon list` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// List differences, largest amount at risk first, instead of runs.
    #[arg(long)]
    differences: bool,
    /// Only this merchant account's.
    #[arg(long)]
    merchant: Option<String>,
    /// Only this day's, a civil date in Asia/Shanghai such as 2026-11-21; every day when absent.
    #[arg(long)]
    date: Option<Date>,
    /// Most rows that are printed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Runs: only the version of each day that counts.
    #[arg(long, conflicts_with = "differences")]
    current: bool,
    /// Differences: only those in this state.
    #[arg(long, value_enum, requires = "differences")]
    state: Option<State>,
    /// Differences: only those of this code, P1 to P10, R1 to R4, F1 to F4.
    #[arg(long, requires = "differences")]
    code: Option<String>,
    /// Differences: only what this run found, with its amounts: `runs/{uuid}`, its UUID, or MERCHANT/DATE[/vN].
    #[arg(long, requires = "differences")]
    run: Option<String>,
    /// Differences: only those with this number of either side, whole.
    #[arg(long, requires = "differences")]
    number: Option<String>,
    /// Differences: only those that this person looks after.
    #[arg(long, requires = "differences")]
    assignee: Option<String>,
    /// Differences: leave out those that have ended and those that only wait.
    #[arg(long, requires = "differences", conflicts_with = "state")]
    unfinished: bool,
}

/// States of a difference.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Held,
    Open,
    Resolving,
    Proposed,
    Approved,
    Applied,
    Waived,
    Resolved,
}

#[derive(Serialize)]
struct Runs {
    runs: Vec<Run>,
    /// Whether there are more than were asked for.
    more: bool,
}

#[derive(Serialize)]
struct Discrepancies {
    discrepancies: Vec<Discrepancy>,
    more: bool,
}

pub(super) async fn run(connection: &mut Connection, args: &ListArgs) -> anyhow::Result<Done> {
    let most = usize::try_from(args.limit)?;
    if args.differences {
        let (discrepancies, more) = differences(connection, args, most).await?;
        let text = if discrepancies.is_empty() { nothing("difference") } else { show::list(&discrepancies) };
        tell(more);
        Done::of(&Discrepancies { discrepancies, more }, text)
    } else {
        let (runs, more) = runs(connection, args, most).await?;
        let text = if runs.is_empty() { nothing("run") } else { table(&runs) };
        tell(more);
        Done::of(&Runs { runs, more }, text)
    }
}

async fn runs(connection: &mut Connection, args: &ListArgs, most: usize) -> anyhow::Result<(Vec<Run>, bool)> {
    let mut request = ListRunsRequest {
        merchant: args.merchant.clone().unwrap_or_default(),
        bill_date: args.date.map(|date| date.to_string()).unwrap_or_default(),
        current_only: args.current,
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut runs = Vec::new();
    loop {
        let page = connection.runs.list_runs(request.clone()).await?.into_inner();
        runs.extend(page.runs);
        let last = page.next_page_token.is_empty();
        if last || most < runs.len() {
            let more = !last || most < runs.len();
            runs.truncate(most);
            return Ok((runs, more));
        }
        request.page_token = page.next_page_token;
    }
}

async fn differences(
    connection: &mut Connection,
    args: &ListArgs,
    most: usize,
) -> anyhow::Result<(Vec<Discrepancy>, bool)> {
    let run = match &args.run {
        Some(run) => connection.run_name(run).await?,
        None => String::new(),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut request = ListDiscrepanciesRequest {
        merchant: text(&args.merchant),
        bill_date: args.date.map(|date| date.to_string()).unwrap_or_default(),
        state: args.state.map_or(WireState::Unspecified, State::wire).into(),
        code: text(&args.code),
        page_size: PAGE,
        page_token: String::new(),
        run,
        number: text(&args.number),
        assignee: text(&args.assignee),
        unfinished_only: args.unfinished,
    };
    let mut found = Vec::new();
    loop {
        let page = connection.runs.list_discrepancies(request.clone()).await?.into_inner();
        found.extend(page.discrepancies);
        let last = page.next_page_token.is_empty();
        if last || most < found.len() {
            let more = !last || most < found.len();
            found.truncate(most);
            return Ok((found, more));
        }
        request.page_token = page.next_page_token;
    }
}

impl State {
    fn wire(self) -> WireState {
        match self {
            State::Held => WireState::Held,
            State::Open => WireState::Open,
            State::Resolving => WireState::Resolving,
            State::Proposed => WireState::Proposed,
            State::Approved => WireState::Approved,
            State::Applied => WireState::Applied,
            State::Waived => WireState::Waived,
            State::Resolved => WireState::Resolved,
        }
    }
}

fn nothing(what: &str) -> String {
    format!("no {what}\n")
}

fn tell(more: bool) {
    if more {
        output::note("there are more: name more with --limit, or fewer with --merchant, --date and the others");
    }
}

/// Runs, one line each. Columns that a usual terminal has no place for are left out, the least telling first.
fn table(runs: &[Run]) -> String {
    let whole = ["run", "state", "bill", "books", "differ", "at risk"];
    let cells = |run: &Run| {
        let compared = show::is_compared(run);
        let told = |text: String| if compared { text } else { String::new() };
        vec![
            show::place(run),
            show::state(run).to_owned(),
            told(show::yuan(run.bill_sum_fen)),
            told(show::yuan(run.book_sum_fen)),
            told(show::differences(run).to_string()),
            told(show::at_risk(run)),
        ]
    };
    let rows: Vec<Vec<String>> = runs.iter().map(cells).collect();
    let mut columns: Vec<usize> = (0..whole.len()).collect();
    for least in [2, 3, 5] {
        let text = pick(&whole, &rows, &columns);
        if text.lines().all(|line| width(line) <= show::PLACES) {
            return text;
        }
        columns.retain(|column| *column != least);
    }
    pick(&whole, &rows, &columns)
}

fn pick(header: &[&str], rows: &[Vec<String>], columns: &[usize]) -> String {
    let header: Vec<&str> = columns.iter().map(|column| header[*column]).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect()).collect();
    // Run and state are words; all others are numbers.
    table_with_numbers(&header, &rows, &(2..columns.len()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{CodeCount, Run};

    use super::{show, table};
    use crate::output::width;

    fn run(merchant: &str, fen: i64) -> Run {
        Run {
            merchant: merchant.into(),
            bill_date: "2026-11-21".into(),
            version: 1,
            state: 3,
            bill_sum_fen: fen,
            book_sum_fen: fen,
            differences: vec![CodeCount { code: "P5".into(), count: 12, sum_fen: fen }],
            ..Run::default()
        }
    }

    #[test]
    fn runs_fit_a_usual_terminal_whatever_they_hold() {
        let short = table(&[run("acme-mini", 1)]);
        assert_eq!(
            short,
            "run                      state        bill  books  differ  at risk\n\
             acme-mini/2026-11-21/v1  DIFFERENCES  0.01   0.01      12     0.01\n"
        );
        for text in [
            table(&[run("acme-mini", 999_999_999_999)]),
            table(&[run("a-merchant-with-the-longest-name", 999_999_999_999)]),
        ] {
            assert!(text.lines().all(|line| width(line) <= show::PLACES), "{text}");
            assert!(text.contains("/2026-11-21/v1  DIFFERENCES"), "{text}");
        }
    }

    #[test]
    fn sums_of_a_day_that_was_not_compared_are_not_told() {
        assert!(table(&[Run { state: 4, ..run("acme", 5) }]).ends_with("acme/2026-11-21/v1  CONTROL_FAILED\n"));
    }
}
