//! Lists of differences: of a run, of what waits, of what two versions do not share.

use std::collections::HashMap;

use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::Discrepancy;
use proto::reconcile::v1::discrepancy::State;

use super::figures::{age, instant, yuan};
use super::language::Language;
use super::marks::{Mark, account_name, critical, meaning};
use super::texts::Text;
use super::view::View;
use crate::sentence::in_chinese;

/// Whose order a number belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderOf {
    /// The team.
    pub app: String,
    /// The team's own number; `None` when its event has not come.
    pub order_no: Option<String>,
}

/// A table of differences, in the order given.
pub(super) fn table(view: &View, found: &[Discrepancy], orders: &HashMap<String, OrderOf>) -> Markup {
    let t = |text| view.text(text);
    html! {
        div.wide { table.list {
            thead { tr {
                th scope="col" { (t(Text::Code)) }
                th scope="col" { (t(Text::Numbers)) }
                th.n scope="col" { (t(Text::InBill)) }
                th.n scope="col" { (t(Text::InBooks)) }
                th.n scope="col" { (t(Text::AtRisk)) }
                th scope="col" { (t(Text::State)) }
                th scope="col" { (t(Text::Why)) }
            } }
            tbody { @for one in found { (row(view, one, orders.get(&one.out_trade_no))) } }
        } }
    }
}

fn row(view: &View, found: &Discrepancy, order: Option<&OrderOf>) -> Markup {
    let t = |text| view.text(text);
    html! {
        tr {
            td data-label=(t(Text::Code)) {
                a.code href=(view.link(&format!("/{}", found.name), &[])) { (found.code) }
                " " span.meaning { (meaning(view, &found.code)) }
                @if found.critical { " " (critical(view)) }
            }
            td data-label=(t(Text::Numbers)) { (numbers(view, found))
                @if let Some(order) = order {
                    div.quiet { (order.app) " " span.id { (order.order_no.as_deref().unwrap_or("?")) } }
                }
            }
            td.n data-label=(t(Text::InBill)) { (amount(found.bill_amount_fen)) }
            td.n data-label=(t(Text::InBooks)) { (amount(found.book_amount_fen)) }
            td.n data-label=(t(Text::AtRisk)) { (yuan(Fen::new(found.risk_fen))) }
            td data-label=(t(Text::State)) { (state(view, found)) }
            td.why data-label=(t(Text::Why)) { (why(view, found)) }
        }
    }
}

/// What it is, in one sentence of the reader's language, and the engine's own where that one says more.
pub(super) fn why(view: &View, found: &Discrepancy) -> Markup {
    let sentence = match view.language() {
        Language::En => None,
        Language::Zh => in_chinese(found),
    };
    html! {
        @match sentence {
            Some(sentence) => {
                (sentence.text)
                @if sentence.is_less { div.quiet.engine lang="en" { (found.explanation) } }
            }
            None => span lang="en" { (found.explanation) },
        }
    }
}

/// Its state, with how long it has been there or until when it may wait.
pub(super) fn state(view: &View, found: &Discrepancy) -> Markup {
    let since = instant(found.open_time.as_ref());
    let until = instant(found.resolve_time.as_ref()).unwrap_or(view.now());
    let note = match found.state() {
        State::Held => view.fill(Text::UntilDay, &[&found.due_date]),
        State::Waived => view.fill(Text::UntilDay, &[&found.waived_until]),
        _ => since.map(|since| age(view, since, until)).unwrap_or_default(),
    };
    html! {
        (Mark::of_discrepancy(found.state()).label(view))
        " " span.quiet.date { (note) }
        (assignee(view, &found.assignee))
    }
}

/// Who looks after it, if anybody does.
pub(super) fn assignee(view: &View, name: &str) -> Markup {
    html! { @if !name.is_empty() { div.quiet { (view.text(Text::With)) " " (name) } } }
}

/// The numbers by which people find it elsewhere.
fn numbers(view: &View, found: &Discrepancy) -> Markup {
    let all = [
        (Text::OurRefundNumber, &found.out_refund_no),
        (Text::ProvidersRefundNumber, &found.refund_id),
        (Text::OurNumber, &found.out_trade_no),
        (Text::ProvidersNumber, &found.transaction_id),
        (Text::MovementNumber, &found.movement),
    ];
    html! {
        @if !found.account.is_empty() { div { (account_name(view, &found.account)) } }
        @for (name, number) in all.into_iter().filter(|(_, number)| !number.is_empty()) {
            div.id title=(view.text(name)) { (number) }
        }
    }
}

/// An amount of one side; a dash where that side has nothing.
pub(super) fn amount(fen: i64) -> String {
    if fen == 0 { "–".to_owned() } else { yuan(Fen::new(fen)) }
}
