//! The differences of a run, filtered and paged, and what only waits.

use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::discrepancy::State;

use super::super::differences::table;
use super::super::figures::{count, yuan};
use super::super::filter::word;
use super::super::texts::Text;
use super::super::view::View;
use super::{RunPage, differences};

pub(super) fn list(view: &View, page: &RunPage) -> Markup {
    let run = &page.run;
    let path = format!("/{}", run.name);
    let shown = &page.found.discrepancies;
    let next = &page.found.next_page_token;
    html! {
        @if is_shown(page) {
            h2 #list { (view.text(Text::TheDifferences)) " " small {
                (count(differences(run)))
                @if 0 < run.waiting_count { (view.fill(Text::AndWaiting, &[&count(run.waiting_count)])) }
            } }
            (page.filter.form(view, &path))
            @if shown.is_empty() {
                p.quiet { (view.text(if page.filter.is_set() { Text::NoneLikeThis } else { Text::NoneListed })) }
            } @else {
                (table(view, shown, &page.orders))
            }
            p.pages {
                @if page.filter.is_later_page() {
                    a href=(page.filter.link(view, &path, "")) { "⇤ " (view.text(Text::FirstPage)) } " "
                }
                @if !next.is_empty() {
                    a href=(page.filter.link(view, &path, next)) rel="next" { (view.text(Text::NextPage)) " →" }
                }
                @if !shown.is_empty() { " " span.quiet { (view.fill(Text::OnThisPage, &[&shown.len()])) } }
            }
        }
    }
}

/// Whether there is anything to list, or something was looked for.
pub(super) fn is_shown(page: &RunPage) -> bool {
    0 < differences(&page.run) || 0 < page.run.waiting_count || page.filter.is_set()
}

pub(super) fn waiting(view: &View, page: &RunPage) -> Markup {
    let run = &page.run;
    let path = format!("/{}", run.name);
    let told = [&count(run.waiting_count) as &dyn std::fmt::Display, &yuan(Fen::new(run.waiting_sum_fen))];
    let more = i64::try_from(page.waiting.len()).is_ok_and(|shown| shown < run.waiting_count);
    html! {
        @if 0 < run.waiting_count {
            h2 #waiting { (view.text(Text::WhatWaits)) " " small { (count(run.waiting_count)) } }
            p { (view.fill(Text::WaitsTold, &told)) }
            @if !page.waiting.is_empty() { (table(view, &page.waiting, &page.orders)) }
            @if more {
                p.pages { a href={ (view.link(&path, &[("state", word(State::Held))])) "#list" } { (view.text(Text::AllThatWait)) } }
            }
        }
    }
}
