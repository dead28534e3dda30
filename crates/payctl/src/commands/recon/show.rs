//! `payctl recon show`, and runs and differences as people read them.

use std::fmt::Write as _;

use money::Fen;
use proto::{
    reconcile::v1::{Discrepancy, GetRunRequest, Run, discrepancy, run},
    time::from_wire,
};
use reconciliation::Code;

use super::{Connection, Done};
use crate::output::{self, counted, table_with_numbers, visible};

/// What `payctl recon show` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// The run: `runs/{uuid}`, its UUID, or MERCHANT/DATE[/vN].
    run: String,
}

pub(super) async fn run(connection: &mut Connection, args: &ShowArgs) -> anyhow::Result<Done> {
    let name = connection.run_name(&args.run).await?;
    let run = connection.runs.get_run(GetRunRequest { name }).await?.into_inner();
    Done::of(&run, whole(&run))
}

/// A run with everything that its message tells.
pub(super) fn whole(run: &Run) -> String {
    let mut text = format!("{}\n", headline(run));
    if !run.problem.is_empty() {
        // A text takes everything.
        let _ = writeln!(text, "  {}", visible(&run.problem));
    }
    if is_compared(run) {
        text.push_str(&sums(run));
        text.push_str(&codes(run));
        text.push_str(&accounts(run));
    }
    text.push('\n');
    text.push_str(&provenance(run));
    text
}

/// A run in one line.
pub(super) fn headline(run: &Run) -> String {
    let later = if run.current { "" } else { ", not the version that counts" };
    let told = match run.state() {
        run::State::Balanced => {
            let payments = counted(run.matched_count, "payment", "payments");
            let refunds = counted(run.matched_refund_count, "refund", "refunds");
            format!("{payments} and {refunds} agree to the fen")
        }
        run::State::Waiting => {
            format!("nothing differs, {} may still come, {} yuan", run.waiting_count, yuan(run.waiting_sum_fen))
        }
        run::State::Differences => {
            let found = counted(differences(run), "difference", "differences");
            format!("{found}, {} yuan at risk", at_risk(run))
        }
        run::State::ControlFailed | run::State::BillInvalid => "nothing of the bill was used".to_owned(),
        run::State::Running | run::State::Unspecified => "under way".to_owned(),
    };
    format!("{} {}: {told}{later}", place(run), state(run))
}

/// `acme-mini/2026-11-21/v2`: a name of the run that every command takes.
pub(super) fn place(run: &Run) -> String {
    format!("{}/{}/v{}", run.merchant, run.bill_date, run.version)
}

/// How far it is, without the prefix of the enum.
pub(super) fn state(run: &Run) -> &'static str {
    word(run::State::try_from(run.state).map(|state| state.as_str_name()))
}

/// How far a difference is.
pub(super) fn state_of(found: &Discrepancy) -> &'static str {
    word(discrepancy::State::try_from(found.state).map(|state| state.as_str_name()))
}

fn word<E>(name: Result<&'static str, E>) -> &'static str {
    let name = name.unwrap_or("UNKNOWN");
    name.strip_prefix("STATE_").unwrap_or(name)
}

/// Whether bill and books were compared.
pub(super) fn is_compared(run: &Run) -> bool {
    matches!(run.state(), run::State::Balanced | run::State::Waiting | run::State::Differences)
}

/// Differences, those that only wait left out.
pub(super) fn differences(run: &Run) -> i64 {
    run.differences.iter().map(|code| code.count).sum()
}

/// What they may lose together.
pub(super) fn at_risk(run: &Run) -> String {
    let sum = run.differences.iter().try_fold(Fen::ZERO, |sum, code| sum.checked_add(Fen::new(code.sum_fen)));
    sum.map_or_else(|| "?".to_owned(), Fen::to_yuan)
}

fn sums(run: &Run) -> String {
    let row = |leg: &str, count: i64, fen: i64| vec![leg.to_owned(), count.to_string(), yuan(fen)];
    let mut rows = vec![
        row("bill: payments", run.bill_count, run.bill_sum_fen),
        row("bill: refunds", run.bill_refund_count, run.bill_refund_sum_fen),
        row("bill: reversals", run.bill_revoked_count, run.bill_revoked_sum_fen),
        row("books: payments", run.book_count, run.book_sum_fen),
        row("books: refunds", run.book_refund_count, run.book_refund_sum_fen),
        row("matched payments", run.matched_count, run.matched_sum_fen),
        row("matched refunds", run.matched_refund_count, run.matched_refund_sum_fen),
        row("waiting", run.waiting_count, run.waiting_sum_fen),
    ];
    let net = Fen::new(run.bill_sum_fen).checked_sub(Fen::new(run.bill_refund_sum_fen));
    rows.push(vec!["bill net of refunds".to_owned(), String::new(), net.map_or_else(|| "?".to_owned(), Fen::to_yuan)]);
    rows.push(vec!["provider's fees".to_owned(), String::new(), run.bill_fee_yuan.clone()]);
    indented(&table_with_numbers(&["", "count", "yuan"], &rows, &[1, 2]))
}

fn codes(run: &Run) -> String {
    if run.differences.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = run
        .differences
        .iter()
        .map(|tally| {
            let meaning = meaning(&tally.code).to_owned();
            vec![tally.code.clone(), tally.count.to_string(), yuan(tally.sum_fen), meaning]
        })
        .collect();
    indented(&table_with_numbers(&["code", "count", "at risk", "meaning"], &rows, &[1, 2]))
}

fn accounts(run: &Run) -> String {
    if run.accounts.is_empty() {
        return String::new();
    }
    let mut rows = Vec::new();
    let amount = |fen: Option<i64>| fen.map(yuan).unwrap_or_default();
    for account in &run.accounts {
        let name = account.account.clone();
        rows.push(vec![name.clone(), account.state.clone(), String::new(), String::new()]);
        if account.opening_fen.is_some() {
            rows.push(vec![String::new(), "opening".to_owned(), String::new(), amount(account.opening_fen)]);
        }
        rows.extend(account.movements.iter().map(|moved| {
            let kind =
                if moved.of_trades { visible(&moved.kind) } else { format!("{} (no trade)", visible(&moved.kind)) };
            vec![String::new(), kind, moved.count.to_string(), yuan(moved.sum_fen)]
        }));
        if account.closing_fen.is_some() {
            rows.push(vec![String::new(), "closing".to_owned(), String::new(), amount(account.closing_fen)]);
        }
    }
    indented(&table_with_numbers(&["account", "", "count", "yuan"], &rows, &[2, 3]))
}

fn provenance(run: &Run) -> String {
    let mut text = String::new();
    // A text takes everything.
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<14} {value}");
        }
    };
    line("run", &run.name);
    line("as of", &run.as_of);
    line("ended", &instant(run.end_time.as_ref()));
    line("rules", &format!("engine {}, rules {}", run.engine_version, run.rules_version));
    line("result sha256", &run.result_sha256);
    for input in &run.inputs {
        let hash = if input.sha256.is_empty() { &input.state } else { &input.sha256 };
        line(&input.input.to_lowercase(), hash);
    }
    text
}

/// A blank line, then the table two places to the right.
fn indented(table: &str) -> String {
    let lines = table.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n");
    std::iter::once("\n".to_owned()).chain(lines).collect()
}

/// What a code means; of another release's nothing.
pub(super) fn meaning(code: &str) -> &'static str {
    code.parse().map_or("", |code: Code| code.meaning())
}

/// Two decimals.
pub(super) fn yuan(fen: i64) -> String {
    Fen::new(fen).to_yuan()
}

/// An instant, as RFC 3339.
pub(super) fn instant(wire: Option<&pbjson_types::Timestamp>) -> String {
    wire.and_then(from_wire).map(|instant| instant.to_string()).unwrap_or_default()
}

/// The widest line of a text that people read on a usual terminal.
pub(super) const PLACES: usize = 80;

/// The most telling number of a difference: what one asks the provider about, else ours.
pub(super) fn number(found: &Discrepancy) -> &str {
    let numbers = [
        &found.refund_id,
        &found.out_refund_no,
        &found.out_trade_no,
        &found.transaction_id,
        &found.movement,
        &found.account,
    ];
    numbers.into_iter().find(|number| !number.is_empty()).map_or("", String::as_str)
}

/// Differences, two lines each, none wider than a usual terminal.
pub(super) fn list(found: &[Discrepancy]) -> String {
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|found| {
            let id = found.name.strip_prefix("discrepancies/").unwrap_or(&found.name).to_owned();
            let code = if found.critical { format!("{}!", found.code) } else { found.code.clone() };
            vec![id, code, found.bill_date.clone(), state_of(found).to_owned(), yuan(found.risk_fen)]
        })
        .collect();
    let table = table_with_numbers(&["difference", "code", "day", "state", "at risk"], &rows, &[4]);
    let mut lines = table.lines();
    let mut text = format!("{}\n", lines.next().unwrap_or_default());
    for (line, found) in lines.zip(found) {
        let told = format!("  {} {}: {}", found.merchant, visible(number(found)), visible(&found.explanation));
        // A text takes everything.
        let _ = writeln!(text, "{line}\n{}", output::cut(&told, PLACES));
    }
    text
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{Account, CodeCount, Discrepancy, Movements, Run};

    use super::{PLACES, headline, list, whole};
    use crate::output::width;

    fn run() -> Run {
        Run {
            name: "runs/0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80".into(),
            merchant: "acme-mini".into(),
            bill_date: "2026-11-21".into(),
            version: 2,
            state: 3,
            bill_count: 12,
            bill_sum_fen: 123_456,
            bill_fee_yuan: "7.40736".into(),
            differences: vec![
                CodeCount { code: "P5".into(), count: 2, sum_fen: 100 },
                CodeCount { code: "F9".into(), count: 1, sum_fen: 1 },
            ],
            accounts: vec![Account {
                account: "BASIC".into(),
                state: "READ".into(),
                opening_fen: Some(1),
                closing_fen: Some(-5),
                movements: vec![Movements { kind: "提现".into(), count: 1, sum_fen: -6, of_trades: false }],
            }],
            current: true,
            ..Run::default()
        }
    }

    #[test]
    fn a_run_is_told_in_yuan_with_its_differences_and_its_accounts() {
        let text = whole(&run());
        assert!(text.starts_with("acme-mini/2026-11-21/v2 DIFFERENCES: 3 differences, 1.01 yuan at risk\n"), "{text}");
        for line in [
            "  bill: payments          12  1234.56\n",
            "  provider's fees             7.40736\n",
            "  P5        2     1.00  paid in our books, not in the bill\n",
            "  F9        1     0.01\n",
            "           提现 (no trade)      1  -0.06\n",
            "  run            runs/0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("as of"), "what is not there is not told");
    }

    #[test]
    fn one_difference_and_one_payment_are_told_as_one() {
        let one = vec![CodeCount { code: "P6".into(), count: 1, sum_fen: 100 }];
        assert!(headline(&Run { differences: one, ..run() }).ends_with(": 1 difference, 1.00 yuan at risk"));
        let balanced = Run { state: 2, matched_count: 1, matched_refund_count: 2, ..run() };
        assert!(headline(&balanced).ends_with(": 1 payment and 2 refunds agree to the fen"));
    }

    #[test]
    fn a_bill_that_was_refused_has_its_reason_and_no_sums() {
        let told = Run { state: 4, problem: "line 7\u{1b}[2J: count".into(), current: false, ..run() };
        let text = whole(&told);
        assert!(
            text.contains(
                "CONTROL_FAILED: nothing of the bill was used, not the version that counts\n  line 7\\u{1b}[2J"
            ),
            "{text}"
        );
        assert!(!text.contains("matched"), "{text}");
        assert!(headline(&Run { state: 99, ..run() }).contains(" UNKNOWN: "));
    }

    #[test]
    fn differences_fit_a_usual_terminal() {
        let found = Discrepancy {
            name: "discrepancies/0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80".into(),
            merchant: "a-merchant-with-the-longest-name".into(),
            bill_date: "2026-11-21".into(),
            code: "P10".into(),
            critical: true,
            state: 5,
            risk_fen: 99_999_999,
            out_trade_no: "5fa37d62e6724a3aac7e2de3e6591033".into(),
            explanation: "The bill has 999999.99 yuan 交易交易交易交易交易交易交易交易交易交易交易".into(),
            ..Discrepancy::default()
        };
        let text = list(&[found.clone(), Discrepancy { out_refund_no: "R-1".into(), ..found }]);
        assert!(text.lines().all(|line| width(line) <= PLACES), "{text}");
        assert!(text.contains("0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80  P10!  2026-11-21  PROPOSED"), "{text}");
        assert!(text.contains("  a-merchant-with-the-longest-name R-1: The bill has 999999.99 yuan"), "{text}");
    }
}
