use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::Run;

use super::super::figures::{age, beijing, count, instant, yuan};
use super::super::marks::Mark;
use super::super::run_page::is_compared;
use super::super::texts::Text;
use super::super::view::View;

/// The newest runs, superseded ones too.
pub(super) fn newest(view: &View, runs: &[Run]) -> Markup {
    let t = |text| view.text(text);
    html! {
        @if !runs.is_empty() {
            h2 { (t(Text::NewestRuns)) }
            div.wide { table.list {
                thead { tr {
                    th scope="col" { (t(Text::BillDay)) } th scope="col" { (t(Text::Merchant)) } th scope="col" { (t(Text::Verdict)) }
                    th.n scope="col" { (t(Text::InBill)) } th.n scope="col" { (t(Text::InBooks)) } th.n scope="col" { (t(Text::DifferencesHead)) }
                    th scope="col" { (t(Text::VersionHead)) } th scope="col" { (t(Text::Finished)) }
                } }
                tbody { @for run in runs { (row(view, run)) } }
            } }
        }
    }
}

fn row(view: &View, run: &Run) -> Markup {
    let t = |text| view.text(text);
    let (begun, ended) = (instant(run.start_time.as_ref()), instant(run.end_time.as_ref()));
    let differences = run.differences.iter().fold(0_i64, |sum, of_code| sum.saturating_add(of_code.count));
    // Nothing of a refused bill was used, so its zeros are none.
    let compared = is_compared(run.state());
    let side = |label, number: i64, fen| {
        html! {
            td.n data-label=(t(label)) {
                @if compared { (yuan(Fen::new(fen))) div.quiet { (view.fill(Text::Pieces, &[&count(number)])) } } @else { "–" }
            }
        }
    };
    html! {
        tr {
            td.date data-label=(t(Text::BillDay)) { a href=(view.link(&format!("/{}", run.name), &[])) { (run.bill_date) } }
            td data-label=(t(Text::Merchant)) { (run.merchant) }
            td data-label=(t(Text::Verdict)) { (Mark::of_run(run.state()).label(view)) }
            (side(Text::InBill, run.bill_count, run.bill_sum_fen))
            (side(Text::InBooks, run.book_count, run.book_sum_fen))
            td.n data-label=(t(Text::DifferencesHead)) { @if compared { (count(differences)) } @else { "–" } }
            td data-label=(t(Text::VersionHead)) { (run.version)
                @if !run.current && compared { " " span.quiet { (t(Text::Superseded)) } } }
            td data-label=(t(Text::Finished)) {
                @match (ended, begun) {
                    (Some(at), _) => { (beijing(Some(at))) " " span.quiet { (view.fill(Text::Ago, &[&age(view, at, view.now())])) } }
                    (None, Some(at)) => { (view.fill(Text::Since, &[&age(view, at, view.now())])) }
                    (None, None) => "–",
                }
            }
        }
    }
}
