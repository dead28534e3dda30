//! What the run was made from, its other versions, and the run as a file.

use maud::{Markup, html};
use proto::reconcile::v1::{Input, Run};

use super::super::figures::{beijing, count, instant, short_hash};
use super::super::marks::{Mark, input_name};
use super::super::texts::Text;
use super::super::view::View;
use super::{RunPage, is_compared};

pub(super) fn provenance(view: &View, page: &RunPage) -> Markup {
    let run = &page.run;
    html! {
        @if is_compared(run.state()) { (files(view, run)) }
        h2 #inputs { (view.text(Text::MadeFrom)) }
        (inputs(view, run))
        (versions(view, page))
    }
}

fn files(view: &View, run: &Run) -> Markup {
    html! {
        h2 #files { (view.text(Text::AsFile)) }
        p.files {
            @for (form, told) in [("xlsx", Text::AsXlsx), ("csv", Text::AsCsv), ("json", Text::AsJson)] {
                a href=(view.link(&format!("/{}/export.{form}", run.name), &[])) download { (view.text(told)) } " "
            }
        }
    }
}

fn inputs(view: &View, run: &Run) -> Markup {
    let t = |text| view.text(text);
    // A refused bill was there, whatever became of its hash.
    let no_bill = if is_compared(run.state()) { t(Text::NoBill) } else { "–" };
    html! {
        div.wide { table.inputs {
            tbody {
                @for input in &run.inputs { (one_input(view, input)) }
                @if run.inputs.is_empty() {
                    tr { th scope="row" { (t(Text::InputTrade)) } td colspan="2" { (hash(&run.bill_sha256, no_bill)) } }
                    tr { th scope="row" { (t(Text::BookPayments)) } td colspan="2" { (hash(&run.books_sha256, t(Text::NotCompared))) } }
                }
                tr { th scope="row" { (t(Text::Rules)) } td colspan="2" { (view.fill(Text::EngineVersion, &[&run.engine_version])) } }
                @if !run.as_of.is_empty() { tr { th scope="row" { (t(Text::MadeOn)) } td colspan="2" { (run.as_of) } } }
                tr { th scope="row" { (t(Text::Begun)) } td colspan="2" { (beijing(instant(run.start_time.as_ref()))) } }
                tr { th scope="row" { (t(Text::Finished)) } td colspan="2" { (beijing(instant(run.end_time.as_ref()))) } }
                @if !run.result_sha256.is_empty() {
                    tr { th scope="row" { (t(Text::Result)) } td colspan="2" { (hash(&run.result_sha256, "–")) } }
                }
            }
        } }
    }
}

fn one_input(view: &View, input: &Input) -> Markup {
    let name = input_name(view, &input.input);
    html! {
        tr {
            th scope="row" { (name) }
            @match input.state.as_str() {
                "NONE" => { td colspan="2" { (view.text(Text::NoBill)) } }
                "NOT_FETCHED" => { td colspan="2" { (view.text(Text::NotFetched)) } }
                _ => { td { (hash(&input.sha256, "–")) } td.n { (view.fill(Text::Bytes, &[&count(input.bytes)])) } }
            }
        }
    }
}

/// A hash by its first digits, with the whole of it under them for whoever wants to compare.
fn hash(hash: &str, none: &str) -> Markup {
    html! {
        @if hash.is_empty() { (none) } @else {
            details.hash { summary.id title=(hash) { (short_hash(hash)) "…" } span.id { (hash) } }
        }
    }
}

fn versions(view: &View, page: &RunPage) -> Markup {
    let t = |text| view.text(text);
    html! {
        @if !page.versions.is_empty() {
            h2 #versions { (t(Text::Versions)) }
            div.wide { table.versions {
                thead { tr {
                    th scope="col" { (t(Text::VersionHead)) } th scope="col" { (t(Text::Verdict)) } th.n scope="col" { (t(Text::DifferencesHead)) }
                    th scope="col" { (t(Text::Finished)) } th scope="col" { (t(Text::WhatChanged)) }
                } }
                tbody { @for version in &page.versions { (one_version(view, page, version)) } }
            } }
        }
    }
}

fn one_version(view: &View, page: &RunPage, version: &Run) -> Markup {
    let this = version.name == page.run.name;
    // The earlier of the two comes first, whichever of them is looked at.
    let (from, to) = if version.version < page.run.version { (version, &page.run) } else { (&page.run, version) };
    let comparable = !this && is_compared(from.state()) && is_compared(to.state());
    html! {
        tr class=[this.then_some("this")] {
            td {
                @if this { strong { (version.version) } " " span.quiet { (view.text(Text::ThisPage)) } }
                @else { a href=(view.link(&format!("/{}", version.name), &[])) { (version.version) } }
                @if version.current { " " span.quiet { (view.text(Text::Counts)) } }
            }
            td { (Mark::of_run(version.state()).label(view)) }
            td.n { @if is_compared(version.state()) { (count(super::differences(version))) } @else { "–" } }
            td { (beijing(instant(version.end_time.as_ref()))) }
            td {
                @if comparable {
                    a href=(view.link("/diff", &[("from", &from.name), ("to", &to.name)])) {
                        (from.version) " → " (to.version)
                    }
                }
            }
        }
    }
}
