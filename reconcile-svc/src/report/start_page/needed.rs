//! What needs a person today: critical differences, refused bills, then the other differences.

use maud::{Markup, html};

use super::super::differences;
use super::super::figures::{age, yuan};
use super::super::marks::{Mark, critical, meaning};
use super::super::texts::Text;
use super::super::view::View;
use super::{StartPage, is_refused};
use crate::api::wire::{discrepancy_state, run_state};
use crate::store::overview::{DayRun, Needed};

/// Refused bills that are listed; the grid shows all.
const MOST_REFUSED: usize = 10;

pub(super) fn needed(view: &View, page: &StartPage) -> Markup {
    let refused: Vec<&DayRun> = page.days.iter().filter(|day| is_refused(day.state)).collect();
    html! {
        h2 { (view.text(Text::NeedsAPerson)) }
        @if refused.is_empty() && page.needed.is_empty() {
            p.verdict.good { span aria-hidden="true" { "✓" } " " (view.text(Text::NothingToDo)) }
        } @else {
            div.wide { table.list {
                thead { tr {
                    th scope="col" { (view.text(Text::What)) } th scope="col" { (view.text(Text::Merchant)) }
                    th scope="col" { (view.text(Text::BillDay)) } th scope="col" { (view.text(Text::Number)) }
                    th.n scope="col" { (view.text(Text::AtRisk)) } th scope="col" { (view.text(Text::State)) }
                } }
                tbody {
                    @for one in page.needed.iter().filter(|one| one.critical) { (difference(view, one)) }
                    @for day in refused.iter().take(MOST_REFUSED) { (refused_day(view, day)) }
                    @for one in page.needed.iter().filter(|one| !one.critical) { (difference(view, one)) }
                }
            } }
            @if MOST_REFUSED < refused.len() {
                p.quiet { (view.fill(Text::MoreRefused, &[&(refused.len() - MOST_REFUSED)])) }
            }
            @if page.needed.len() == super::super::load::MOST_NEEDED {
                p.quiet { (view.fill(Text::FirstOfNeeded, &[&page.needed.len()])) }
            }
        }
    }
}

fn refused_day(view: &View, day: &DayRun) -> Markup {
    let mark = Mark::of_run(run_state(day.state));
    html! {
        tr {
            td data-label=(view.text(Text::What)) {
                a href=(view.link(&format!("/runs/{}", day.run_id), &[])) { (view.text(Text::BillRefused)) }
                " " (critical(view))
            }
            td data-label=(view.text(Text::Merchant)) { (day.merchant) }
            td.date data-label=(view.text(Text::BillDay)) { (day.bill_date) }
            td data-label=(view.text(Text::Number)) { "–" }
            td.n data-label=(view.text(Text::AtRisk)) { "–" }
            td data-label=(view.text(Text::State)) { (mark.label(view)) }
        }
    }
}

fn difference(view: &View, one: &Needed) -> Markup {
    let mark = Mark::of_discrepancy(discrepancy_state(one.state));
    html! {
        tr {
            td data-label=(view.text(Text::What)) {
                a.code href=(view.link(&format!("/discrepancies/{}", one.discrepancy_id), &[])) { (one.code.as_str()) }
                " " span.meaning { (meaning(view, one.code.as_str())) }
                @if one.critical { " " (critical(view)) }
            }
            td data-label=(view.text(Text::Merchant)) { (one.merchant) }
            td.date data-label=(view.text(Text::BillDay)) { (one.bill_date) }
            td.id data-label=(view.text(Text::Number)) { (one.number) }
            td.n data-label=(view.text(Text::AtRisk)) { (yuan(one.risk)) }
            td data-label=(view.text(Text::State)) {
                (mark.label(view)) " " span.quiet.date { (age(view, one.open_time, view.now())) }
                (differences::assignee(view, &one.assignee))
            }
        }
    }
}
