//! The four legs side by side.

use maud::{Markup, html};
use proto::reconcile::v1::Leg;

use super::super::texts::Text;
use super::super::view::View;

/// Fields of one leg that a page shows.
const MAX_FIELDS: usize = 100;

/// Shortest number that is set in narrow letters.
const LONG: usize = 20;

/// Names that our own legs give their fields. Fields of files keep the names of their columns, and numbers of a wire theirs.
const NAMES: [(&str, Text); 19] = [
    ("payment", Text::FieldPayment),
    ("refund", Text::FieldRefund),
    ("state", Text::State),
    ("amount", Text::FieldAmount),
    ("asked for", Text::FieldAskedFor),
    ("accepted", Text::FieldAccepted),
    ("given back", Text::FieldGivenBack),
    ("payer's amount", Text::FieldPayersAmount),
    ("refund amount", Text::FieldRefundAmount),
    ("of payment", Text::FieldOfPayment),
    ("cause", Text::FieldCause),
    ("method", Text::FieldMethod),
    ("currency", Text::FieldCurrency),
    ("told by", Text::FieldToldBy),
    ("number given out", Text::FieldGivenOut),
    ("order closed", Text::FieldOrderClosed),
    ("paid", Text::FieldPaid),
    ("accepted by the provider", Text::FieldProviderAccepted),
    ("money back", Text::FieldMoneyBack),
];

pub(super) fn legs(view: &View, legs: &[Leg]) -> Markup {
    html! {
        h2 { (view.text(Text::FourLegs)) }
        div.four { @for leg in legs.iter().take(4) { (one_leg(view, leg)) } }
    }
}

fn one_leg(view: &View, leg: &Leg) -> Markup {
    let name = match leg.leg.as_str() {
        "O" => Text::LegOrders,
        "E" => Text::LegProvider,
        "T" => Text::InputTrade,
        _ => Text::LegFunds,
    };
    html! {
        section.leg class=[leg.fields.is_empty().then_some("empty")] {
            h3 { span.letter { (leg.leg) } " " (view.text(name)) }
            @if leg.fields.is_empty() { p.quiet { (view.text(Text::NothingHere)) } }
            dl { @for field in leg.fields.iter().take(MAX_FIELDS) {
                div class=[field.differs.then_some("differs")] {
                    dt { (field_name(view, &field.name)) }
                    dd { @if field.differs { strong.ne { "≠ " (view.text(Text::Differs)) } " " }
                        @if is_number(&field.value) { span.id { (field.value) } } @else { (field.value) } }
                }
            } }
        }
    }
}

/// Whether it is one of the long numbers by which a payment or refund is named.
fn is_number(value: &str) -> bool {
    LONG <= value.len() && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/'))
}

fn field_name<'a>(view: &View, name: &'a str) -> &'a str {
    NAMES.iter().find(|(known, _)| *known == name).map_or(name, |(_, text)| view.text(*text))
}
