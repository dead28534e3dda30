use std::fmt::Write as _;

use jiff::Timestamp;

use super::html::{Text, age, beijing, frame, verdict};
use crate::runs::Run;

/// The list of runs, newest first.
pub fn list_page(runs: &[Run], now: Timestamp) -> String {
    let mut body = String::from("<h1>Reconciliation · 对账</h1>\n");
    if runs.is_empty() {
        body.push_str(
            "<p class=\"quiet\">No run yet. Each day is reconciled from 10:00 Beijing time on the day after it.</p>",
        );
        return frame("Reconciliation", &body);
    }
    body.push_str(
        "<div class=\"wide\"><table>\n<tr><th>Day · 账单日</th><th>Merchant · 商户</th><th>Verdict · 结论</th>\
         <th class=\"n\">Bill · 账单 (元)</th><th class=\"n\">Books · 账簿 (元)</th><th class=\"n\">Differences · 差异</th>\
         <th>Version · 版本</th><th>Finished · 完成</th></tr>\n",
    );
    for run in runs {
        row(&mut body, run, now);
    }
    body.push_str("</table></div>");
    frame("Reconciliation", &body)
}

fn row(body: &mut String, run: &Run, now: Timestamp) {
    let (words, colour) = verdict(run.state);
    let differences: i64 = run.codes.iter().map(|tally| tally.count).sum();
    let finished = run.end_time.map_or_else(
        || format!("since {}", age(run.start_time, now)),
        |at| format!("{} <span class=\"quiet\">({} ago)</span>", beijing(at), age(at, now)),
    );
    let superseded = if run.current || run.end_time.is_none() {
        ""
    } else {
        " <span class=\"quiet\">superseded · 已被取代</span>"
    };
    writeln!(
        body,
        "<tr><td><a href=\"/runs/{}\">{}</a></td><td>{}</td><td><span class=\"tag {colour}\">{words}</span></td>\
         <td class=\"n\">{} <span class=\"quiet\">({} 笔)</span></td>\
         <td class=\"n\">{} <span class=\"quiet\">({} 笔)</span></td><td class=\"n\">{differences}</td>\
         <td>{}{superseded}</td><td>{finished}</td></tr>",
        run.id,
        run.bill_date,
        Text(&run.merchant),
        run.bill.sum,
        run.bill.count,
        run.books.sum,
        run.books.count,
        run.version,
    )
    .expect("a String takes every write");
}
