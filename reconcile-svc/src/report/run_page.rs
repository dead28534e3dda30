//! One run, for finance.

mod charts;
mod conservation;
mod headline;
mod legs;
mod list;
mod provenance;

use std::collections::HashMap;

use jiff::civil::Date;
use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::run::State;
use proto::reconcile::v1::{Discrepancy, ListDiscrepanciesResponse, Run};

use super::differences::OrderOf;
use super::filter::Filter;
use super::frame::frame;
use super::texts::Text;
use super::view::View;

/// Everything that a run's page shows: what the API tells about it, and how the days around it went.
#[derive(Clone, Debug)]
pub struct RunPage {
    /// The run.
    pub run: Run,
    /// What it found, as the filter asks.
    pub found: ListDiscrepanciesResponse,
    /// The filter.
    pub filter: Filter,
    /// The first of those that wait.
    pub waiting: Vec<Discrepancy>,
    /// The orders behind our numbers, where we know one.
    pub orders: HashMap<String, OrderOf>,
    /// All versions of the day, newest first.
    pub versions: Vec<Run>,
    /// The merchant's last days, oldest first.
    pub days: Vec<DayFigures>,
}

/// One day of the merchant, for the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFigures {
    /// Civil date in Asia/Shanghai.
    pub date: Date,
    /// What its current run says; `STATE_UNSPECIFIED` when there is none.
    pub state: State,
    /// Differences that it found.
    pub differences: i64,
    /// Differences of the day that are open now, and what they may lose.
    pub open: i64,
    /// Fen at risk in them.
    pub open_risk: Fen,
}

/// One run, for finance.
pub fn run_page(page: &RunPage, view: &View) -> String {
    let run = &page.run;
    let t = |text| view.text(text);
    let version = view.fill(Text::Version, &[&run.version]);
    let body = html! {
        p.crumbs { a href=(view.link("/", &[])) { (t(Text::AllMerchants)) } }
        h1 { (run.merchant) " · " (run.bill_date) " " small { (version) } }
        (headline::headline(view, page))
        @if is_compared(run.state()) { (contents(view, page)) }
        @if is_compared(run.state()) {
            (conservation::conservation(view, run))
            (legs::trades(view, run))
            (legs::accounts(view, &run.accounts))
            (charts::by_code(view, run))
            (charts::by_day(view, page))
            (list::list(view, page))
            (list::waiting(view, page))
        } @else if !page.days.is_empty() {
            (charts::by_day(view, page))
        }
        (provenance::provenance(view, page))
    };
    frame(view, &format!("{} {} v{}", run.merchant, run.bill_date, run.version), &body)
}

/// Links to the parts of a long page.
fn contents(view: &View, page: &RunPage) -> Markup {
    let parts = [
        ("sums", Text::CountsAndSums, true),
        ("money", Text::MoneyThatMoved, !page.run.accounts.is_empty()),
        ("codes", Text::DifferencesByCode, !page.run.differences.is_empty()),
        ("list", Text::TheDifferences, list::is_shown(page)),
        ("waiting", Text::WhatWaits, 0 < page.run.waiting_count),
        ("files", Text::AsFile, true),
        ("inputs", Text::MadeFrom, true),
        ("versions", Text::Versions, !page.versions.is_empty()),
    ];
    html! {
        nav.toc { @for (part, name, _) in parts.into_iter().filter(|(_, _, shown)| *shown) {
            a href={ "#" (part) } { (view.text(name)) }
        } }
    }
}

/// Whether the legs were compared; nothing of a refused bill was used.
pub(super) fn is_compared(state: State) -> bool {
    matches!(state, State::Balanced | State::Waiting | State::Differences)
}

/// Differences of all codes, those that only wait left out.
fn differences(run: &Run) -> i64 {
    run.differences.iter().fold(0, |sum, of_code| sum.saturating_add(of_code.count))
}
