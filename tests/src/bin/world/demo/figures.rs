//! A run in figures: what the bill, our books and WeChat's account say.

use e2e::reconciling::Run;
use money::Fen;
use proto::reconcile::v1::{Account, Movements};

use crate::telling::{padded, say};

/// Places of a name, a count and an amount.
const NAME: usize = 36;
const COUNT: usize = 4;
const AMOUNT: usize = 11;

/// Prints a run.
pub(super) fn show(run: &Run) {
    let verdict = run.state().as_str_name().trim_start_matches("STATE_");
    say(format!("{} on {}, version {}: {verdict}", run.merchant, run.bill_date, run.version));
    for line in figures(run) {
        say(format!("  {line}"));
    }
}

fn figures(run: &Run) -> Vec<String> {
    let side = |count: i64, fen: i64| (count != 0).then_some((count, fen));
    let mut lines = vec![
        heading("trades", "yuan"),
        line("payments in WeChat's bill", side(run.bill_count, run.bill_sum_fen)),
        line("payments in our books", side(run.book_count, run.book_sum_fen)),
        line("payments that agree", side(run.matched_count, run.matched_sum_fen)),
    ];
    if run.bill_refund_count != 0 || run.book_refund_count != 0 {
        lines.extend([
            line("refunds in WeChat's bill", side(run.bill_refund_count, run.bill_refund_sum_fen)),
            line("refunds in our books", side(run.book_refund_count, run.book_refund_sum_fen)),
            line("refunds that agree", side(run.matched_refund_count, run.matched_refund_sum_fen)),
        ]);
    }
    for code in &run.differences {
        lines.push(line(&format!("differ: {}", code.code), Some((code.count, code.sum_fen))));
    }
    for account in run.accounts.iter().filter(|account| account.state == "READ") {
        lines.push(heading(&format!("money on our {} account at WeChat", account.account.to_lowercase()), "yuan"));
        lines.extend(movements(account));
    }
    lines
}

fn movements(account: &Account) -> Vec<String> {
    let balance = |name: &str, fen: Option<i64>| fen.map(|fen| row(name, "", &Fen::new(fen).to_yuan()));
    let moved =
        account.movements.iter().map(|moved| line(&in_english(&moved.kind), Some((moved.count, moved.sum_fen))));
    let opening = balance("opening balance", account.opening_fen);
    let closing = balance("closing balance", account.closing_fen);
    opening.into_iter().chain(moved).chain(closing).collect()
}

/// What left as fees, less what came back of them, of all accounts.
pub(super) fn fees(run: &Run) -> Fen {
    let is_fee = |moved: &&Movements| moved.kind.ends_with("手续费");
    let fees = run.accounts.iter().flat_map(|account| &account.movements).filter(is_fee);
    Fen::new(-fees.map(|moved| moved.sum_fen).sum::<i64>())
}

/// A word of WeChat's with what it means.
fn in_english(kind: &str) -> String {
    let meaning = match kind {
        "交易" => "payments",
        "退款" => "refunds",
        "扣除交易手续费" => "fees",
        "返还交易手续费" => "fees given back",
        _ => return kind.to_owned(),
    };
    format!("{kind} {meaning}")
}

fn heading(name: &str, unit: &str) -> String {
    row(name, "", unit)
}

/// A count and a sum in fen; dashes where there is nothing.
fn line(name: &str, tally: Option<(i64, i64)>) -> String {
    match tally {
        Some((count, fen)) => row(name, &count.to_string(), &Fen::new(fen).to_yuan()),
        None => row(name, "–", "–"),
    }
}

fn row(name: &str, count: &str, amount: &str) -> String {
    format!("{}{count:>COUNT$}{amount:>AMOUNT$}", padded(name, NAME))
}

#[cfg(test)]
mod tests {
    use super::{Account, Fen, Movements, Run, fees, figures};

    #[test]
    fn a_run_is_told_with_its_refunds_and_the_way_from_opening_to_closing() {
        let moved = |kind: &str, sum_fen| Movements { kind: kind.into(), count: 1, sum_fen, of_trades: true };
        let account = Account {
            account: "BASIC".into(),
            state: "READ".into(),
            opening_fen: Some(0),
            closing_fen: Some(686),
            movements: vec![
                moved("交易", 990),
                moved("退款", -300),
                moved("扣除交易手续费", -6),
                moved("返还交易手续费", 2),
            ],
        };
        let unread = Account { account: "FEES".into(), state: "NONE".into(), ..Account::default() };
        let run = Run {
            bill_count: 1,
            bill_sum_fen: 990,
            bill_refund_count: 1,
            bill_refund_sum_fen: 300,
            accounts: vec![account, unread],
            ..Run::default()
        };
        assert_eq!(fees(&run), Fen::new(4));
        let told = figures(&run);
        for line in [
            "payments in WeChat's bill              1       9.90",
            "payments in our books                  –          –",
            "refunds in WeChat's bill               1       3.00",
            "money on our basic account at WeChat           yuan",
            "opening balance                                0.00",
            "扣除交易手续费 fees                    1      -0.06",
            "closing balance                                6.86",
        ] {
            assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
        }
    }
}
