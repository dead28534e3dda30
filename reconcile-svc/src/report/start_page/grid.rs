//! Merchants × days. The newest day stands first, because it is the one that everybody looks for.

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{Markup, html};
use proto::reconcile::v1::run::State;

use super::super::figures::{age, beijing, count, yuan};
use super::super::marks::Mark;
use super::super::texts::Text;
use super::super::view::View;
use super::{DAYS, Open, StartPage};
use crate::api::wire::run_state;
use crate::store::overview::{DayRun, OpenDay};

/// More than this in one day is told as "more than this" in a cell, which stays narrow; its label has the number.
const MOST_IN_A_CELL: i64 = 99;

pub(super) fn grid(view: &View, page: &StartPage, open: &HashMap<&str, Open>) -> Markup {
    let t = |text| view.text(text);
    let days: Vec<Date> = (1..=DAYS).map(|back| page.today.saturating_sub(i64::from(back).days())).collect();
    // The list has a day's current run after the one under way, so the current one stays.
    let runs: HashMap<(&str, Date), &DayRun> =
        page.days.iter().map(|run| ((run.merchant.as_str(), run.bill_date), run)).collect();
    let open_days: HashMap<(&str, Date), &OpenDay> =
        page.open.iter().map(|day| ((day.merchant.as_str(), day.bill_date), day)).collect();
    html! {
        h2 { (view.fill(Text::MerchantsByDay, &[&DAYS])) }
        div.wide { table.grid {
            thead { tr {
                th scope="col" { (t(Text::Merchant)) } th.n scope="col" { (t(Text::OpenYuan)) }
                th.n scope="col" { (t(Text::Oldest)) } th scope="col" { (t(Text::LastCompleted)) }
                @for (place, day) in days.iter().enumerate() {
                    // The month stands above the first day shown of it.
                    @let begins = place == 0 || day.month() != days[place - 1].month();
                    th scope="col" class=[begins.then_some("month")] {
                        small { (format!("{:02}", day.month())) } (format!("{:02}", day.day()))
                    }
                }
            } }
            tbody { @for merchant in &page.merchants {
                @let name = merchant.merchant.as_str();
                @let all = open.get(name).copied().unwrap_or_default();
                tr {
                    th scope="row" { (name) }
                    td.n { @if 0 < all.count { strong { (yuan(all.risk)) } } @else { "–" } }
                    td.n { (all.oldest.map_or_else(|| "–".to_owned(), |oldest| age(view, oldest, view.now()))) }
                    td.quiet.n { (completed(merchant.completed)) }
                    @for day in &days {
                        (cell(view, *day, runs.get(&(name, *day)).copied(), open_days.get(&(name, *day)).copied()))
                    }
                }
            } }
        } }
        @if page.more {
            p.pages { a href=(view.link("/", &[("after", page.merchants.last().map_or("", |last| &last.merchant))])) {
                (t(Text::MoreMerchants)) " →"
            } }
        }
        (legend(view))
    }
}

fn completed(at: Option<jiff::Timestamp>) -> String {
    // The seconds tell nothing here.
    beijing(at).get(5..16).map_or_else(|| "–".to_owned(), str::to_owned)
}

fn cell(view: &View, day: Date, run: Option<&DayRun>, open: Option<&OpenDay>) -> Markup {
    let state = run.map_or(State::Unspecified, |run| run_state(run.state));
    let mark = Mark::of_run(state);
    let Some(run) = run else { return html! { td.none { (mark.sign) } } };
    let open = open.map_or(0, |open| open.count);
    let (tone, sign, told) = match state {
        State::Differences if open == 0 => {
            ("settled", shown(run.differences), view.fill(Text::CellSettled, &[&count(run.differences)]))
        }
        State::Differences => {
            ("bad", shown(run.differences), view.fill(Text::CellOpen, &[&count(run.differences), &count(open)]))
        }
        State::Waiting => (mark.tone, mark.sign.to_owned(), view.fill(Text::CellWaits, &[&count(run.waiting)])),
        _ => (mark.tone, mark.sign.to_owned(), view.text(mark.text).to_owned()),
    };
    html! {
        td class=(tone) {
            a href=(view.link(&format!("/runs/{}", run.run_id), &[])) aria-label={ (day) " " (told) } { (sign) }
        }
    }
}

fn shown(differences: i64) -> String {
    if MOST_IN_A_CELL < differences { format!("{MOST_IN_A_CELL}+") } else { differences.to_string() }
}

fn legend(view: &View) -> Markup {
    let cells = [
        ("good", "✓", Text::Balanced),
        ("wait", "…", Text::Waiting),
        ("bad", "3", Text::LegendOpen),
        ("settled", "3", Text::LegendSettled),
        ("refused", "✕", Text::LegendRefused),
        ("busy", "▸", Text::Running),
        ("none", "–", Text::NotRun),
    ];
    html! {
        ul.legend { @for (tone, sign, text) in cells {
            li { span class={ "cell " (tone) } { (sign) } " " (view.text(text)) }
        } }
    }
}
