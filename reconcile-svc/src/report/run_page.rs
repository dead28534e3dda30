use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use money::Fen;
use reconciliation::Tally;

use super::html::{Text, age, beijing, frame, verdict};
use crate::runs::{Discrepancy, DiscrepancyState, Run, RunState};

/// Everything that a run's page shows.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The run.
    pub run: Run,
    /// What it found, largest first; at most a page.
    pub differences: Vec<Discrepancy>,
    /// The orders behind the numbers, where we know one.
    pub orders: HashMap<String, OrderOf>,
    /// All versions of the day, newest first.
    pub versions: Vec<Run>,
}

/// Whose order a number belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderOf {
    /// The team.
    pub app: String,
    /// The team's own number; `None` when its event has not come.
    pub order_no: Option<String>,
}

/// One run, for finance.
pub fn run_page(report: &RunReport, now: Timestamp) -> String {
    let run = &report.run;
    let mut body = String::new();
    let mut put = |text: &str| body.push_str(text);
    let title = format!("{} {} v{}", run.merchant, run.bill_date, run.version);
    put("<p><a href=\"/\">All runs · 全部对账</a></p>\n");
    put(&format!("<h1>{} · {} · version {}</h1>\n", Text(&run.merchant), run.bill_date, run.version));
    put(&headline(run, &report.differences));
    if run.state.is_compared() {
        put(&sums(run));
        put(&codes(run));
        put(&differences(report, now));
    }
    put(&provenance(report));
    frame(&title, &body)
}

/// The verdict in one line and one colour.
fn headline(run: &Run, differences: &[Discrepancy]) -> String {
    let (words, colour) = verdict(run.state);
    let told = match run.state {
        RunState::Running => "the bill is being fetched and compared.".to_owned(),
        RunState::Balanced | RunState::Waiting => {
            // What was not looked at must not shine.
            let aside = |what: &str, tally: Tally| match tally.count {
                0 => String::new(),
                count => format!(" {what} are not compared yet: {count}, {} yuan.", tally.sum),
            };
            let (refunds, reversals) = (aside("Refunds", run.refunds), aside("Reversals", run.revoked));
            match run.matched {
                Tally { count: 0, .. } => format!("no payments on either side.{refunds}{reversals}"),
                Tally { count, sum } => {
                    format!("all {count} payments, {sum} yuan, agree to the fen.{refunds}{reversals}")
                }
            }
        }
        RunState::Differences => {
            let count: i64 = run.codes.iter().map(|tally| tally.count).sum();
            let risk = run.codes.iter().try_fold(Fen::ZERO, |sum, tally| sum.checked_add(tally.sum));
            let risk = risk.map_or_else(|| "?".to_owned(), Fen::to_yuan);
            let open = differences.iter().filter(|found| found.state == DiscrepancyState::Open).count();
            format!("{count} differences, {risk} yuan at risk; {open} of those below still open.")
        }
        RunState::ControlFailed | RunState::BillInvalid => format!("nothing of it was used: {}", Text(&run.problem)),
    };
    let version = if run.current || run.state == RunState::Running {
        ""
    } else {
        "<p class=\"quiet\">A later version exists; this one is kept as it was. · 已有新版本</p>\n"
    };
    format!("<p class=\"verdict {colour}\">{words}: {told}</p>\n{version}")
}

fn sums(run: &Run) -> String {
    let row = |label: &str, tally: Tally| {
        format!("<tr><td>{label}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", tally.count, tally.sum)
    };
    let net = run.bill.sum.checked_sub(run.refunds.sum).map_or_else(|| "?".to_owned(), Fen::to_yuan);
    format!(
        "<h2>Counts and sums · 笔数与金额</h2>\n<div class=\"wide\"><table>\n\
         <tr><th>Leg · 口径</th><th class=\"n\">Count · 笔数</th><th class=\"n\">Sum · 金额 (元)</th></tr>\n{}{}{}{}{}\
         <tr><td>Bill net of refunds · 账单净额</td><td></td><td class=\"n\">{net}</td></tr>\n\
         <tr><td>Provider's fees · 手续费</td><td></td><td class=\"n\">{}</td></tr>\n</table></div>\n",
        row("Bill: payments · 账单支付", run.bill),
        row("Books: payments · 账簿支付", run.books),
        row("Matched · 一致", run.matched),
        row("Bill: refunds, not compared yet · 账单退款（暂不比对）", run.refunds),
        row("Bill: reversals, not compared yet · 账单撤销（暂不比对）", run.revoked),
        run.fee,
    )
}

fn codes(run: &Run) -> String {
    if run.codes.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<h2>Differences by code · 差异分类</h2>\n<div class=\"wide\"><table>\n\
         <tr><th>Code · 代码</th><th>Meaning · 含义</th><th class=\"n\">Count · 笔数</th>\
         <th class=\"n\">At risk · 涉及金额 (元)</th></tr>\n",
    );
    for tally in &run.codes {
        let (code, meaning, chinese) = (tally.code, tally.code.meaning(), tally.code.meaning_in_chinese());
        writeln!(
            html,
            "<tr><td>{code}</td><td>{meaning} · {chinese}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            tally.count, tally.sum
        )
        .expect("a String takes every write");
    }
    html + "</table></div>\n"
}

fn differences(report: &RunReport, now: Timestamp) -> String {
    if report.differences.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<h2>Differences · 差异明细</h2>\n<div class=\"wide\"><table>\n\
         <tr><th>Code</th><th>Numbers · 单号</th><th>Order · 订单</th><th class=\"n\">Bill · 账单 (元)</th>\
         <th class=\"n\">Books · 账簿 (元)</th><th>State · 状态</th><th>Age · 账龄</th><th>Why · 说明</th></tr>\n",
    );
    for found in &report.differences {
        row(&mut html, report, found, now);
    }
    html.push_str("</table></div>\n");
    let all: i64 = report.run.codes.iter().map(|tally| tally.count).sum();
    let shown = i64::try_from(report.differences.len()).unwrap_or(i64::MAX);
    if shown < all {
        writeln!(html, "<p class=\"quiet\">The largest {shown} of {all}; ListDiscrepancies tells the others.</p>")
            .expect("a String takes every write");
    }
    html
}

fn row(html: &mut String, report: &RunReport, found: &Discrepancy, now: Timestamp) {
    let (state, colour) = match found.state {
        DiscrepancyState::Held => ("waiting · 待定", "running"),
        DiscrepancyState::Open
        | DiscrepancyState::Resolving
        | DiscrepancyState::Proposed
        | DiscrepancyState::Approved => ("open · 未结", "bad"),
        DiscrepancyState::Applied | DiscrepancyState::Waived => ("ended · 已处理", "good"),
        DiscrepancyState::Resolved => ("resolved · 已结", "good"),
    };
    let until = found.resolve_time.unwrap_or(now);
    let order = report.orders.get(&found.out_trade_no).map_or_else(String::new, |order| {
        let number = order.order_no.as_deref().unwrap_or("?");
        format!("{} <span class=\"id\">{}</span>", Text(&order.app), Text(number))
    });
    writeln!(
        html,
        "<tr><td title=\"{}\">{}</td><td class=\"id\">{}<br>{}</td><td>{order}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td><span class=\"tag {colour}\">{state}</span></td><td>{}</td><td>{}</td></tr>",
        found.code.meaning(),
        found.code,
        Text(&found.out_trade_no),
        Text(&found.transaction_id),
        amount(found.bill_amount),
        amount(found.book_amount),
        age(found.open_time, until),
        Text(&found.explanation),
    )
    .expect("a String takes every write");
}

fn amount(fen: Fen) -> String {
    if fen == Fen::ZERO { "–".to_owned() } else { fen.to_yuan() }
}

fn provenance(report: &RunReport) -> String {
    let run = &report.run;
    let hash = |hash: &str, none: &str| if hash.is_empty() { none.to_owned() } else { Text(hash).to_string() };
    let mut html = format!(
        "<h2>Inputs and versions · 依据与版本</h2>\n<div class=\"wide\"><table>\n\
         <tr><td>Bill, SHA-256</td><td class=\"id\">{}</td></tr>\n\
         <tr><td>Books, SHA-256</td><td class=\"id\">{}</td></tr>\n\
         <tr><td>Rules</td><td>version {}</td></tr>\n\
         <tr><td>Begun · 开始</td><td>{}</td></tr>\n<tr><td>Finished · 完成</td><td>{}</td></tr>\n",
        hash(&run.bill_sha256, "the provider says that no bill exists · 当日无账单"),
        hash(&run.books_sha256, "not compared"),
        run.engine_version,
        beijing(run.start_time),
        run.end_time.map_or_else(|| "–".to_owned(), beijing),
    );
    for version in report.versions.iter().filter(|version| version.id != run.id) {
        let (words, _) = verdict(version.state);
        writeln!(
            html,
            "<tr><td><a href=\"/runs/{}\">Version {}</a></td><td>{words}</td></tr>",
            version.id, version.version
        )
        .expect("a String takes every write");
    }
    html + "</table></div>"
}
