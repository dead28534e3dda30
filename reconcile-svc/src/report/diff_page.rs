//! What a later version found that an earlier one did not, and the other way round.

use std::collections::HashMap;

use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::{DiffRunsResponse, Discrepancy, Run};

use super::differences::table;
use super::figures::{beijing, count, instant, yuan};
use super::frame::frame;
use super::marks::{Mark, input_name};
use super::texts::Text;
use super::view::View;

/// Rows of each list on the page; the API tells up to 1000, the counts are of all.
const MAX_ROWS: usize = 200;

/// A count and a sum in fen of a run.
type Figures = fn(&Run) -> (i64, i64);

/// Two versions of one day.
pub fn diff_page(diff: &DiffRunsResponse, view: &View) -> String {
    let empty = Run::default();
    let (from, to) = (diff.from.as_ref().unwrap_or(&empty), diff.to.as_ref().unwrap_or(&empty));
    let title = format!("{} {} v{} → v{}", to.merchant, to.bill_date, from.version, to.version);
    let same = diff.appeared_count == 0 && diff.vanished_count == 0 && diff.changed_count == 0;
    let body = html! {
        p.crumbs {
            a href=(view.link("/", &[])) { (view.text(Text::AllMerchants)) } " › "
            a href=(view.link(&format!("/{}", to.name), &[])) { (to.merchant) " · " (to.bill_date) }
        }
        h1 { (to.merchant) " · " (to.bill_date) " " small { (view.fill(Text::Versions2, &[&from.version, &to.version])) } }
        p class=(if same { "verdict good" } else { "verdict busy" }) {
            @if same { (view.text(Text::SameDifferences)) } @else {
                (view.fill(Text::DiffTold, &[&count(diff.appeared_count), &count(diff.vanished_count), &count(diff.changed_count)]))
            }
        }
        (sides(view, from, to))
        @if !diff.changed_inputs.is_empty() {
            h2 { (view.text(Text::ChangedInputs)) }
            ul { @for input in diff.changed_inputs.iter().take(MAX_ROWS) { li { (input_name(view, input)) } } }
        }
        (part(view, Text::Appeared, &diff.appeared, diff.appeared_count))
        (part(view, Text::Vanished, &diff.vanished, diff.vanished_count))
        (part(view, Text::Changed, &diff.changed, diff.changed_count))
    };
    frame(view, &title, &body)
}

fn part(view: &View, name: Text, found: &[Discrepancy], all: i64) -> Markup {
    let shown = found.get(..MAX_ROWS).unwrap_or(found);
    html! {
        @if 0 < all {
            h2 { (view.text(name)) " " small { (count(all)) } }
            (table(view, shown, &HashMap::new()))
            @if i64::try_from(shown.len()).is_ok_and(|shown| shown < all) {
                p.quiet { (view.fill(Text::MoreOf, &[&shown.len(), &count(all)])) }
            }
        }
    }
}

/// The figures of both, side by side.
fn sides(view: &View, from: &Run, to: &Run) -> Markup {
    let tally = |number: i64, fen: i64| {
        html! { td.n { (yuan(Fen::new(fen))) div.quiet { (view.fill(Text::Pieces, &[&count(number)])) } } }
    };
    let rows: [(Text, Figures); 8] = [
        (Text::BillPayments, |run| (run.bill_count, run.bill_sum_fen)),
        (Text::BookPayments, |run| (run.book_count, run.book_sum_fen)),
        (Text::PaymentsThatAgree, |run| (run.matched_count, run.matched_sum_fen)),
        (Text::BillRefunds, |run| (run.bill_refund_count, run.bill_refund_sum_fen)),
        (Text::BookRefunds, |run| (run.book_refund_count, run.book_refund_sum_fen)),
        (Text::RefundsThatAgree, |run| (run.matched_refund_count, run.matched_refund_sum_fen)),
        (Text::WhatWaits, |run| (run.waiting_count, run.waiting_sum_fen)),
        (Text::DifferencesFound, sum),
    ];
    html! {
        div.wide { table.sides {
            thead { tr { th scope="col" { (view.text(Text::Yuan)) }
                @for run in [from, to] {
                    th.n scope="col" {
                        a href=(view.link(&format!("/{}", run.name), &[])) { (view.fill(Text::Version, &[&run.version])) }
                        div { (Mark::of_run(run.state()).label(view)) }
                        div.quiet { (beijing(instant(run.end_time.as_ref()))) }
                    }
                }
                th.n scope="col" { (view.text(Text::Change)) }
            } }
            tbody {
                @for (name, figures) in rows {
                    @let (before, after) = (figures(from), figures(to));
                    tr class=[(before != after).then_some("moved")] {
                        th scope="row" { (view.text(name)) @if before != after { " " span.quiet { "≠" } } }
                        (tally(before.0, before.1)) (tally(after.0, after.1)) (change(before, after))
                    }
                }
            }
        } }
    }
}

/// Differences of all codes.
fn sum(run: &Run) -> (i64, i64) {
    run.differences.iter().fold((0, 0), |(number, fen), of_code| {
        (number.saturating_add(of_code.count), fen.saturating_add(of_code.sum_fen))
    })
}

/// What the later one has more, with its sign; nothing where both have the same.
fn change(before: (i64, i64), after: (i64, i64)) -> Markup {
    let more = Fen::new(after.1).checked_sub(Fen::new(before.1));
    let pieces = after.0.checked_sub(before.0);
    let signed = |told: String| if told.starts_with('-') { told } else { format!("+{told}") };
    html! {
        td.n {
            @if before == after { "–" } @else {
                (more.map_or_else(|| "?".to_owned(), |more| signed(yuan(more))))
                div.quiet { (pieces.map_or_else(|| "?".to_owned(), |pieces| signed(count(pieces)))) }
            }
        }
    }
}
