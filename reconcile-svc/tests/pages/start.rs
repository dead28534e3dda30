use jiff::ToSpan as _;
use jiff::civil::date;
use money::Fen;
use reconcile_svc::report::{StartPage, start_page};
use reconcile_svc::runs::{DiscrepancyState, RunState};
use reconcile_svc::store::overview::{DayRun, Known, Needed, OpenDay};
use reconciliation::Code;

use crate::fixtures::{balanced, broken, id, refused};
use crate::look::text;
use crate::{now, rendered};

/// Merchants with thirty days each; the third in every five has something open.
fn start(merchants: usize) -> StartPage {
    let today = date(2026, 11, 22);
    let names: Vec<String> = (0..merchants)
        .map(|place| match place {
            0 => "acme-mini".to_owned(),
            1 => "a-merchant-with-a-very-long-name".to_owned(),
            place => format!("merchant-{place:03}"),
        })
        .collect();
    let mut page = StartPage {
        today,
        merchants: Vec::new(),
        more: merchants == 100,
        days: Vec::new(),
        open: Vec::new(),
        needed: Vec::new(),
        newest: vec![broken(), refused(), balanced()],
    };
    for (place, name) in names.iter().enumerate() {
        page.merchants.push(Known { merchant: name.clone(), completed: Some(now() - 40.minutes()) });
        for back in 1..=30_i64 {
            let kind = (place * 7 + usize::try_from(back).expect("small") * 3) % 29;
            let state = match kind {
                0 => RunState::ControlFailed,
                1 | 2 => RunState::Differences,
                3 => RunState::Waiting,
                4 => RunState::Running,
                5 if place == 1 => continue,
                _ => RunState::Balanced,
            };
            let bill_date = today.saturating_sub(back.days());
            let differences = if state == RunState::Differences { 3 + back * 41 } else { 0 };
            page.days.push(DayRun {
                run_id: id(u128::try_from(place).expect("small") * 100 + u128::try_from(back).expect("small")),
                merchant: name.clone(),
                bill_date,
                state,
                differences,
                waiting: 2,
            });
            if kind == 1 {
                page.open.push(OpenDay {
                    merchant: name.clone(),
                    bill_date,
                    count: 2,
                    critical: i64::from(place == 2),
                    risk: Fen::new(back * 123_456),
                    oldest: now() - (back * 24).hours(),
                });
            }
        }
    }
    let needed = |place: usize, code: Code| Needed {
        discrepancy_id: id(9_000 + u128::try_from(place).expect("small")),
        merchant: names[place % names.len()].clone(),
        bill_date: today.saturating_sub(1.day()),
        code,
        number: format!("{:032x}", 0xfeed_0000_usize + place),
        risk: Fen::new(1_234_500),
        state: if place == 3 { DiscrepancyState::Proposed } else { DiscrepancyState::Open },
        critical: code.is_critical(),
        assignee: if place == 1 { "王小明".into() } else { String::new() },
        open_time: now() - 3.hours(),
    };
    page.needed = [Code::P3, Code::F4, Code::P6, Code::R3, Code::F1]
        .into_iter()
        .enumerate()
        .map(|(place, code)| needed(place, code))
        .collect();
    page
}

#[test]
fn the_start_page_shows_what_is_open_and_who_is_needed() {
    let page = start(8);
    let open: i64 = page.open.iter().map(|day| day.risk.get()).sum();
    let html = rendered("start", |view| start_page(&page, view));
    let shown = text(&html);
    assert!(shown.contains(&format!("Open (yuan) {}", reconcile_svc::report::yuan(Fen::new(open)))), "{shown}");
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    let urgent =
        ["P3 in the bill", "F4 balance broken", "Bill refused ! look today", "P6 payment amounts differ"].map(at);
    assert!(urgent.is_sorted(), "{shown}");
    let refused = page.days.iter().find(|day| day.state == RunState::ControlFailed).expect("a refused day");
    let cell = format!(
        "<td class=\"refused\"><a href=\"/runs/{}\" aria-label=\"{} Bill refused\">✕</a></td>",
        refused.run_id, refused.bill_date
    );
    assert!(html.contains(&cell), "{cell}");
    assert!(shown.contains("Newest runs"), "{shown}");
}

#[test]
fn a_hundred_merchants_fit_on_a_page() {
    let html = rendered("start-100", |view| start_page(&start(100), view));
    assert_eq!(html.matches("<th scope=\"row\">").count(), 100);
    assert!(html.contains("/?after=merchant-099"), "the others are behind them");
}

#[test]
fn a_start_page_with_nothing_to_do_says_so() {
    let mut page = start(3);
    page.days.retain(|day| matches!(day.state, RunState::Balanced | RunState::Waiting));
    (page.open, page.needed) = (Vec::new(), Vec::new());
    let shown = text(&rendered("start-quiet", |view| start_page(&page, view)));
    assert!(shown.contains("Open (yuan) 0.00"), "{shown}");
    assert!(shown.contains("nothing: whatever is open settles itself"), "{shown}");
}

#[test]
fn before_the_first_run_the_start_page_says_when_it_comes() {
    let page = StartPage { merchants: Vec::new(), newest: Vec::new(), ..start(1) };
    let shown = text(&rendered("start-empty", |view| start_page(&page, view)));
    assert!(shown.contains("No run yet. Each day is reconciled from 10:00 Beijing time"), "{shown}");
    assert!(shown.contains("payctl recon run 2026-11-21 --all"), "{shown}");
}
