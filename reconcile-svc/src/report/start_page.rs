//! The page of the morning: every merchant, the last 30 days, and what a person has to do.

mod grid;
mod needed;
mod newest;

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::Run;

use super::figures::{age, count, yuan};
use super::frame::frame;
use super::texts::Text;
use super::view::View;
use crate::runs::RunState;
use crate::store::overview::{DayRun, Known, Needed, OpenDay};

/// Days that the page shows, yesterday first.
pub(super) const DAYS: i8 = 30;

/// Everything that the start page shows.
#[derive(Clone, Debug)]
pub struct StartPage {
    /// Civil date in Asia/Shanghai.
    pub today: Date,
    /// Merchants by name; at most a page of them.
    pub merchants: Vec<Known>,
    /// Whether there are more merchants behind the last one.
    pub more: bool,
    /// Runs of the days shown, of all merchants.
    pub days: Vec<DayRun>,
    /// What is open, of all merchants and days.
    pub open: Vec<OpenDay>,
    /// What waits for a person, most urgent first.
    pub needed: Vec<Needed>,
    /// The newest runs.
    pub newest: Vec<Run>,
}

/// What is open, put together.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    count: i64,
    critical: i64,
    risk: Fen,
    oldest: Option<jiff::Timestamp>,
}

impl Open {
    fn add(&mut self, day: &OpenDay) {
        self.count = self.count.saturating_add(day.count);
        self.critical = self.critical.saturating_add(day.critical);
        // A sum that does not fit is shown as the largest that does.
        self.risk = self.risk.checked_add(day.risk).unwrap_or(Fen::new(i64::MAX));
        self.oldest = Some(self.oldest.map_or(day.oldest, |oldest| oldest.min(day.oldest)));
    }
}

/// The start page.
pub fn start_page(page: &StartPage, view: &View) -> String {
    let mut of_merchant: HashMap<&str, Open> = HashMap::new();
    let mut all = Open::default();
    for day in &page.open {
        of_merchant.entry(&day.merchant).or_default().add(day);
        all.add(day);
    }
    let body = html! {
        h1 { (view.text(Text::Reconciliation)) }
        @if page.merchants.is_empty() && page.newest.is_empty() {
            p { (view.text(Text::NoRunYet)) }
            p.quiet { (view.text(Text::RunNow)) }
            pre { code { "payctl recon run " (page.today.saturating_sub(1.day())) " --all" } }
        } @else {
            (totals(view, page, &all))
            (needed::needed(view, page))
            (grid::grid(view, page, &of_merchant))
            (newest::newest(view, &page.newest))
        }
    };
    frame(view, view.text(Text::Reconciliation), &body)
}

/// Totals over all merchants.
fn totals(view: &View, page: &StartPage, all: &Open) -> Markup {
    let t = |text| view.text(text);
    let yesterday = page.today.saturating_sub(1.day());
    let of_yesterday =
        |is: fn(RunState) -> bool| page.days.iter().filter(|day| day.bill_date == yesterday && is(day.state)).count();
    let agree = of_yesterday(|state| matches!(state, RunState::Balanced | RunState::Waiting));
    let compared = of_yesterday(RunState::is_compared);
    let refused = page.days.iter().filter(|day| is_refused(day.state)).count();
    let oldest = all.oldest.map_or_else(|| "–".to_owned(), |oldest| age(view, oldest, view.now()));
    html! {
        dl.tiles {
            div class=(if 0 < all.count { "bad" } else { "good" }) {
                dt { (t(Text::OpenAmount)) } dd { (yuan(all.risk)) }
                dd.quiet { (view.fill(Text::OpenOnes, &[&count(all.count), &count(all.critical)])) }
            }
            div { dt { (t(Text::OldestOpen)) } dd { (oldest) } }
            div class=(if refused == 0 { "good" } else { "refused" }) {
                dt { (t(Text::RefusedDays)) } dd { (refused) } dd.quiet { (view.fill(Text::InLastDays, &[&DAYS])) }
            }
            div { dt { (view.fill(Text::DayAgrees, &[&yesterday])) } dd { (agree) }
                dd.quiet { (view.fill(Text::OfCompared, &[&compared])) } }
        }
    }
}

/// Nothing of the day's bill was used.
const fn is_refused(state: RunState) -> bool {
    matches!(state, RunState::ControlFailed | RunState::BillInvalid)
}
