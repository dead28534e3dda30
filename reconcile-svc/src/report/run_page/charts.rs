//! Pictures of numbers that stand beside them as text: nothing is told by length or colour alone.

use jiff::civil::{Date, Weekday};
use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::Run;
use proto::reconcile::v1::run::State;

use super::super::figures::{count, share, short_day, yuan};
use super::super::marks::{Mark, meaning};
use super::super::texts::Text;
use super::super::view::View;
use super::{DayFigures, RunPage};

/// Length of the longest bar of a code.
const BAR: i64 = 200;

/// Differences by code, a bar for the money at risk.
pub(super) fn by_code(view: &View, run: &Run) -> Markup {
    let most = run.differences.iter().map(|of_code| of_code.sum_fen).max().unwrap_or_default();
    let t = |text| view.text(text);
    html! {
        @if !run.differences.is_empty() {
            h2 #codes { (t(Text::DifferencesByCode)) }
            div.wide { table.bars {
                thead { tr {
                    th scope="col" { (t(Text::Code)) } th.n scope="col" { (t(Text::Count)) }
                    th.n scope="col" { (t(Text::AtRisk)) } td {}
                } }
                tbody { @for of_code in &run.differences {
                    @let told = yuan(Fen::new(of_code.sum_fen));
                    tr {
                        th scope="row" {
                            a.code href={ (view.link(&format!("/{}", run.name), &[("code", &of_code.code)])) "#list" } { (of_code.code) }
                            " " span.meaning { (meaning(view, &of_code.code)) }
                        }
                        td.n { (count(of_code.count)) }
                        td.n { (told) }
                        td.bar {
                            svg viewBox={ "0 0 " (BAR) " 14" } width=(BAR) height="14" role="img" {
                                title { (of_code.code) }
                                desc { (t(Text::AtRisk)) " " (told) }
                                rect.track width=(BAR) height="14" rx="2" {}
                                rect.fill width=(share(of_code.sum_fen, most, BAR)) height="14" rx="2" {}
                            }
                        }
                    }
                } }
            } }
        }
    }
}

/// Size of the picture of days, and of its two parts.
const WIDTH: i64 = 776;
const LEFT: i64 = 96;
const STEP: i64 = 22;
const HIGH: i64 = 64;
const UPPER: i64 = 96;
const LOWER: i64 = 204;

/// The last days of the merchant: differences found, and what is open now.
pub(super) fn by_day(view: &View, page: &RunPage) -> Markup {
    let t = |text| view.text(text);
    let most = page.days.iter().map(|day| day.differences).max().unwrap_or_default();
    let most_open = page.days.iter().map(|day| day.open_risk.get()).max().unwrap_or_default();
    let found = page.days.iter().fold(0_i64, |sum, day| sum.saturating_add(day.differences));
    let open = page.days.iter().fold(0_i64, |sum, day| sum.saturating_add(day.open_risk.get()));
    let this = page.run.bill_date.parse().ok();
    let told = view.fill(Text::DaysTold, &[&page.days.len(), &count(found), &yuan(Fen::new(open))]);
    html! {
        @if !page.days.is_empty() {
            h2 { (view.fill(Text::LastDays, &[&page.days.len()])) }
            div.wide.newest {
                svg.days viewBox={ "0 0 " (WIDTH) " 248" } role="img" aria-labelledby="days-title days-desc" {
                    title id="days-title" { (t(Text::DaysTitle)) }
                    desc id="days-desc" { (told) }
                    text x="0" y="22" { (t(Text::DifferencesHead)) }
                    @if 0 < most {
                        text.axis x=(LEFT - 8) y=(UPPER - HIGH + 10) text-anchor="end" { (count(most)) }
                    }
                    text.axis x=(LEFT - 8) y=(UPPER) text-anchor="end" { "0" }
                    line.axis x1=(LEFT) y1=(UPPER) x2=(WIDTH) y2=(UPPER) {}
                    text x="0" y=(LOWER - HIGH - 12) { (t(Text::OpenYuan)) }
                    @if 0 < most_open {
                        text.axis x=(LEFT - 8) y=(LOWER - HIGH + 10) text-anchor="end" { (yuan(Fen::new(most_open))) }
                    }
                    text.axis x=(LEFT - 8) y=(LOWER) text-anchor="end" { "0" }
                    line.axis x1=(LEFT) y1=(LOWER) x2=(WIDTH) y2=(LOWER) {}
                    @for (place, day) in (0_i64..).zip(&page.days) {
                        (one_day(view, day, LEFT + place * STEP, most, most_open, label(day.date, this)))
                    }
                }
            }
            p.quiet { (told) " " (t(Text::DaysLegend)) }
        }
    }
}

/// More than this on one day is told as "more than this" above its bar; the day's label has the number.
const MOST_ABOVE_A_BAR: i64 = 999;

fn shown(differences: i64) -> String {
    if MOST_ABOVE_A_BAR < differences { format!("{MOST_ABOVE_A_BAR}+") } else { differences.to_string() }
}

/// What stands under a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    None,
    Date,
    /// Of the page's own day.
    This,
}

/// Mondays have their date, unless it would touch the mark of the page's own day.
fn label(day: Date, this: Option<Date>) -> Label {
    let apart = this.map(|this| day.duration_until(this).as_hours().abs() / 24);
    match (day.weekday(), apart) {
        (_, Some(0)) => Label::This,
        (Weekday::Monday, Some(1)) => Label::None,
        (Weekday::Monday, _) => Label::Date,
        _ => Label::None,
    }
}

fn one_day(view: &View, day: &DayFigures, x: i64, most: i64, most_open: i64, label: Label) -> Markup {
    let this = label == Label::This;
    let mark = Mark::of_run(day.state);
    let (upper, lower) = (share(day.differences, most, HIGH), share(day.open_risk.get(), most_open, HIGH));
    let values: [&dyn std::fmt::Display; 4] =
        [&day.date, &view.text(mark.text), &count(day.differences), &yuan(day.open_risk)];
    html! {
        g {
            title { (view.fill(Text::DayTold, &values)) }
            rect.under x=(x) y=(UPPER - HIGH) width=(STEP) height=(LOWER - UPPER + HIGH) {}
            rect.fill x=(x + 4) y=(UPPER - upper) width=(STEP - 8) height=(upper) {}
            rect.open x=(x + 4) y=(LOWER - lower) width=(STEP - 8) height=(lower) {}
            @if 0 < day.differences {
                text.many x=(x + STEP / 2) y=(UPPER - upper - 3) text-anchor="middle" { (shown(day.differences)) }
            }
            @if day.differences == 0 || day.state != State::Differences {
                text class={ "daysign " (mark.tone) } x=(x + STEP / 2) y=(UPPER - 4) text-anchor="middle" { (mark.sign) }
            }
            @if label != Label::None {
                text class=(if this { "axis this" } else { "axis" }) x=(x + STEP / 2) y=(if this { LOWER + 34 } else { LOWER + 16 })
                    text-anchor="middle" { (short_day(day.date)) }
            }
            @if this { path.this d={ "M" (x + STEP / 2 - 5) " " (LOWER + 20) " l5 -14 l5 14 z" } {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_date_of_a_monday_does_not_touch_the_mark_of_the_page() {
        let monday = date(2026, 11, 30);
        let labels = [monday, date(2026, 12, 1), date(2026, 12, 2)].map(|this| label(monday, Some(this)));
        assert_eq!(labels, [Label::This, Label::None, Label::Date]);
        assert_eq!(label(date(2026, 12, 1), None), Label::None);
    }
}
