//! The verdict in one line and one colour, and what belongs right under it.

use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::Run;
use proto::reconcile::v1::run::State;

use super::super::figures::{count, yuan};
use super::super::marks::Mark;
use super::super::texts::Text;
use super::super::view::View;
use super::{RunPage, differences, is_compared};

/// Runs of earlier engines counted refunds and compared none.
const FIRST_WITH_REFUNDS: i32 = 4;

pub(super) fn headline(view: &View, page: &RunPage) -> Markup {
    let run = &page.run;
    let mark = Mark::of_run(run.state());
    html! {
        p class={ "verdict " (mark.tone) } role="status" {
            span.sign aria-hidden="true" { (mark.sign) } " "
            strong { (view.text(mark.text)) } (view.text(Text::Colon)) (told(view, page))
        }
        @if matches!(run.state(), State::ControlFailed | State::BillInvalid) { (refused(view, page)) }
        @if is_compared(run.state()) { (unproved(view, run)) }
        @if !run.current && run.state() != State::Running { (superseded(view, page)) }
    }
}

fn told(view: &View, page: &RunPage) -> String {
    let run = &page.run;
    match run.state() {
        State::Running | State::Unspecified => view.text(Text::UnderWay).to_owned(),
        State::Balanced => agreed(view, run),
        State::Waiting => {
            let waiting = [&count(run.waiting_count) as &dyn std::fmt::Display, &yuan(Fen::new(run.waiting_sum_fen))];
            format!("{} {}", agreed(view, run), view.fill(Text::StillWaiting, &waiting))
        }
        State::Differences => {
            let risk = run.differences.iter().fold(0_i64, |sum, of_code| sum.saturating_add(of_code.sum_fen));
            let found = view.fill(Text::Found, &[&count(differences(run)), &yuan(Fen::new(risk))]);
            let today = page.days.iter().find(|day| day.date.to_string() == run.bill_date);
            let open = today.map(|day| match day.open {
                0 => view.text(Text::NoneOpen).to_owned(),
                open => view.fill(Text::StillOpen, &[&count(open), &yuan(day.open_risk)]),
            });
            format!("{found} {}", open.unwrap_or_default())
        }
        State::ControlFailed | State::BillInvalid => view.fill(Text::NothingUsed, &[&run.problem]),
    }
}

fn agreed(view: &View, run: &Run) -> String {
    let (payments, refunds) = (run.matched_count, run.matched_refund_count);
    let mut told = match payments {
        0 => view.text(Text::NoPayments).to_owned(),
        payments => view.fill(Text::PaymentsAgree, &[&count(payments), &yuan(Fen::new(run.matched_sum_fen))]),
    };
    if 0 < refunds {
        let sum = yuan(Fen::new(run.matched_refund_sum_fen));
        told = format!("{told} {}", view.fill(Text::RefundsAgree, &[&count(refunds), &sum]));
    }
    told
}

/// What was not looked at must not shine.
fn unproved(view: &View, run: &Run) -> Markup {
    let without_money = run.accounts.iter().any(|account| account.state == "NOT_FETCHED");
    let refunds_aside = run.engine_version < FIRST_WITH_REFUNDS && 0 < run.bill_refund_count;
    html! {
        @if without_money { p.note { (view.text(Text::MoneyNotLookedAt)) } }
        @if 0 < run.bill_revoked_count {
            p.note { (view.fill(Text::ReversalsCounted,
                &[&count(run.bill_revoked_count), &yuan(Fen::new(run.bill_revoked_sum_fen))])) }
        }
        @if refunds_aside {
            p.note { (view.fill(Text::RefundsNotCompared,
                &[&count(run.bill_refund_count), &yuan(Fen::new(run.bill_refund_sum_fen))])) }
        }
    }
}

/// A refused bill: where and what, and what still counts.
fn refused(view: &View, page: &RunPage) -> Markup {
    let run = &page.run;
    // The engine begins with the place: "trade bill, line 17, column 手续费: not an amount".
    let (place, what) = run.problem.split_once(": ").unwrap_or(("", &run.problem));
    let valid = page.versions.iter().find(|version| version.current && version.name != run.name);
    html! {
        dl.facts {
            @if !place.is_empty() { dt { (view.text(Text::Where)) } dd lang="en" { (place) } }
            dt { (view.text(Text::What)) } dd lang="en" { (what) }
            dt { (view.text(Text::StillCounts)) }
            dd {
                @match valid {
                    Some(version) => {
                        a href=(view.link(&format!("/{}", version.name), &[])) {
                            (view.fill(Text::Version, &[&version.version]))
                        }
                        " " (Mark::of_run(version.state()).label(view))
                    }
                    None => { (view.text(Text::NoVersionCounts)) }
                }
            }
            dt { (view.text(Text::WhatNext)) } dd { (view.text(Text::FetchedAgain)) }
        }
    }
}

fn superseded(view: &View, page: &RunPage) -> Markup {
    let newest = page.versions.iter().find(|version| version.current && version.version > page.run.version);
    html! {
        @if let Some(newest) = newest {
            p.note { (view.text(Text::LaterVersion)) " "
                a href=(view.link(&format!("/{}", newest.name), &[])) { (view.fill(Text::Version, &[&newest.version])) }
                " · "
                a href=(view.link("/diff", &[("from", &page.run.name), ("to", &newest.name)])) {
                    (view.text(Text::WhatChanged))
                }
            }
        }
    }
}
