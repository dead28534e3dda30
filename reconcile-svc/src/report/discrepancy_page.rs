//! Why is this open? The four legs side by side, what can be done, and what was done.

mod legs;
mod steps;

use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::discrepancy::State;
use proto::reconcile::v1::{AuditEntry, Discrepancy, ExplainDiscrepancyResponse};

use super::differences::{amount, assignee, why};
use super::figures::{age, beijing, instant, short_hash, yuan};
use super::frame::frame;
use super::marks::{Mark, account_name, critical, meaning};
use super::texts::Text;
use super::view::View;

/// Rows of the history that a page shows: a page has a limit whatever it is about.
const MAX_HISTORY: usize = 500;

/// One difference. A response without one is an empty page, which the API never gives.
pub fn discrepancy_page(explained: &ExplainDiscrepancyResponse, view: &View) -> String {
    let empty = Discrepancy::default();
    let found = explained.discrepancy.as_ref().unwrap_or(&empty);
    let meaning = meaning(view, &found.code);
    let body = html! {
        p.crumbs {
            a href=(view.link("/", &[])) { (view.text(Text::AllMerchants)) } " › "
            a href=(view.link(&format!("/{}", found.opened_by), &[])) { (found.merchant) " · " (found.bill_date) }
        }
        h1 { (found.code) " " (meaning) @if found.critical { " " (critical(view)) } }
        (headline(view, found))
        (legs::legs(view, &explained.legs))
        (facts(view, explained, found))
        (steps::steps(view, explained, found))
        (history(view, &explained.history))
    };
    frame(view, &format!("{} {meaning}", found.code), &body)
}

fn headline(view: &View, found: &Discrepancy) -> Markup {
    let mark = Mark::of_discrepancy(found.state());
    html! {
        div class={ "verdict " (mark.tone) } role="status" {
            span.sign aria-hidden="true" { (mark.sign) } " "
            strong { (view.text(mark.text)) } (view.text(Text::Colon)) (why(view, found))
        }
        dl.tiles {
            div { dt { (view.text(Text::AtRisk)) } dd { (yuan(Fen::new(found.risk_fen))) } }
            div { dt { (view.text(Text::InBill)) } dd { (amount(found.bill_amount_fen)) } }
            div { dt { (view.text(Text::InBooks)) } dd { (amount(found.book_amount_fen)) } }
            div { dt { (view.text(Text::Age)) } dd { (aged(view, found)) } dd.quiet { (due(view, found)) (assignee(view, &found.assignee)) } }
        }
    }
}

fn aged(view: &View, found: &Discrepancy) -> String {
    let until = instant(found.resolve_time.as_ref()).unwrap_or(view.now());
    instant(found.open_time.as_ref()).map_or_else(|| "–".to_owned(), |since| age(view, since, until))
}

fn due(view: &View, found: &Discrepancy) -> String {
    match found.state() {
        State::Held => view.fill(Text::UntilDay, &[&found.due_date]),
        State::Waived => view.fill(Text::UntilDay, &[&found.waived_until]),
        _ => String::new(),
    }
}

fn facts(view: &View, explained: &ExplainDiscrepancyResponse, found: &Discrepancy) -> Markup {
    let order = format!("{} {} {}", explained.app, explained.order_no, explained.order);
    let resolution = match found.resolution.as_str() {
        "RESOLVED_BY_RERUN" => view.text(Text::EndedByRerun),
        "APPLIED" => view.text(Text::EndedApplied),
        "WAIVED" => view.text(Text::EndedWaived),
        other => other,
    };
    let numbers = [
        (Text::Order, order.trim()),
        (Text::OurNumber, &found.out_trade_no),
        (Text::ProvidersNumber, &found.transaction_id),
        (Text::OurRefundNumber, &found.out_refund_no),
        (Text::ProvidersRefundNumber, &found.refund_id),
        (Text::MovementNumber, &found.movement),
    ];
    let sentences = [
        (Text::Account, account_name(view, &found.account)),
        (Text::LastAnswer, found.answer.as_str()),
        (Text::HowItEnded, resolution),
    ];
    let run = |name: &str| html! { a href=(view.link(&format!("/{name}"), &[])) { (view.text(Text::TheRun)) } };
    html! {
        dl.facts {
            @for (name, value) in numbers.into_iter().filter(|(_, value)| !value.is_empty()) {
                dt { (view.text(name)) } dd { span.id { (value) } }
            }
            @for (name, value) in sentences.into_iter().filter(|(_, value)| !value.is_empty()) {
                dt { (view.text(name)) } dd { (value) }
            }
            dt { (view.text(Text::FirstSeen)) } dd { (beijing(instant(found.open_time.as_ref()))) " · " (run(&found.opened_by)) }
            @if !found.resolved_by.is_empty() {
                dt { (view.text(Text::GoneSince)) } dd { (beijing(instant(found.resolve_time.as_ref()))) " · " (run(&found.resolved_by)) }
            }
        }
    }
}

fn history(view: &View, entries: &[AuditEntry]) -> Markup {
    let t = |text| view.text(text);
    let hidden = entries.len().saturating_sub(MAX_HISTORY);
    html! {
        @if !entries.is_empty() {
            h2 { (t(Text::History)) }
            @if 0 < hidden { p.quiet { (view.fill(Text::OlderEntries, &[&hidden])) } }
            div.wide { table.list {
                thead { tr {
                    th scope="col" { (t(Text::When)) } th scope="col" { (t(Text::Who)) } th scope="col" { (t(Text::What)) }
                    th scope="col" { (t(Text::Detail)) } th scope="col" { (t(Text::AuditRow)) }
                } }
                tbody { @for entry in entries.iter().skip(hidden) {
                    tr {
                        td data-label=(t(Text::When)) { (beijing(instant(entry.time.as_ref()))) }
                        td data-label=(t(Text::Who)) { (entry.actor) }
                        td data-label=(t(Text::What)) { (action(view, &entry.action)) }
                        td.why data-label=(t(Text::Detail)) { (entry.detail) }
                        td data-label=(t(Text::AuditRow)) { (entry.sequence) " " span.id title=(entry.hash) { (short_hash(&entry.hash)) } }
                    }
                } }
            } }
        }
    }
}

fn action<'a>(view: &View, action: &'a str) -> &'a str {
    let text = match action {
        "OPENED" => Text::ActionOpened,
        "HELD" => Text::ActionHeld,
        "REPAIR_REQUESTED" => Text::ActionRepairRequested,
        "REPAIR_ANSWERED" => Text::ActionRepairAnswered,
        "PROPOSED" => Text::ActionProposed,
        "APPROVED" => Text::ActionApproved,
        "REJECTED" => Text::ActionRejected,
        "WAIVED" => Text::ActionWaived,
        "WAIVER_ENDED" => Text::ActionWaiverEnded,
        "NOTED" => Text::ActionNoted,
        "ASSIGNED" => Text::ActionAssigned,
        "RESOLVED" => Text::ActionResolved,
        "REOPENED" => Text::ActionReopened,
        // A later release may write words that this one does not know.
        other => return other,
    };
    view.text(text)
}
