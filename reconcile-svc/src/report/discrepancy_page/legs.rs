//! The four legs side by side.

use maud::{Markup, html};
use proto::reconcile::v1::{Leg, LegField};

use super::super::language::Language;
use super::super::texts::Text;
use super::super::view::View;

/// Fields of one leg that a page shows.
const MAX_FIELDS: usize = 100;

/// Shortest number that is set in narrow letters.
const LONG: usize = 20;

/// Names that our own legs give their fields. Fields of files keep the names of their columns.
const NAMES: [(&str, Text); 31] = [
    ("line", Text::FieldLine),
    ("file", Text::FieldFile),
    ("order_no", Text::FieldOrderNo),
    ("app", Text::FieldApp),
    ("out_trade_no", Text::OurNumber),
    ("transaction_id", Text::ProvidersNumber),
    ("out_refund_no", Text::OurRefundNumber),
    ("refund_id", Text::ProvidersRefundNumber),
    ("mch_id", Text::FieldMchId),
    ("opening balance", Text::FieldOpening),
    ("closing balance", Text::FieldClosing),
    ("closing balance of the day before", Text::FieldClosedBefore),
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

/// What our own legs say in words.
const VALUES: [Text; 12] = [
    Text::ValuePaid,
    Text::ValueSurplusClosed,
    Text::ValueSurplusPaid,
    Text::ValuePaidByOther,
    Text::ValueNotPaidClosed,
    Text::ValueNotPaidOpen,
    Text::ValueCallback,
    Text::ValueQuery,
    Text::ValueBillQuery,
    Text::ValueNoFile,
    Text::ValueNotFetched,
    Text::ValueNoLongerKept,
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
            @for rows in leg.fields[..leg.fields.len().min(MAX_FIELDS)].chunk_by(|one, next| row_of(one).0 == row_of(next).0) {
                @if let Some(row) = rows.first().and_then(|field| row_of(field).0) {
                    h4 { (view.fill(Text::RowOfFile, &[&row])) }
                }
                (fields(view, rows))
            }
        }
    }
}

fn fields(view: &View, fields: &[LegField]) -> Markup {
    html! {
            dl { @for field in fields {
                div class=[field.differs.then_some("differs")] {
                    dt { (field_name(view, row_of(field).1)) }
                    dd { @if field.differs { strong.ne { "≠ " (view.text(Text::Differs)) } " " }
                        @if is_number(&field.value) { span.id { (field.value) } } @else { (value(view, &field.value)) } }
                }
            } }
    }
}

/// The number of the row that a field is of, when a file has several, and the field's own name.
fn row_of(field: &LegField) -> (Option<&str>, &str) {
    let numbered = field.name.split_once(": ").filter(|(row, _)| row.bytes().all(|byte| byte.is_ascii_digit()));
    numbered.map_or((None, field.name.as_str()), |(row, name)| (Some(row), name))
}

fn value<'a>(view: &View, value: &'a str) -> &'a str {
    VALUES.iter().find(|known| known.told_in(Language::En) == value).map_or(value, |text| view.text(*text))
}

/// Whether it is one of the long numbers by which a payment or refund is named.
fn is_number(value: &str) -> bool {
    LONG <= value.len() && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/'))
}

fn field_name<'a>(view: &View, name: &'a str) -> &'a str {
    NAMES.iter().find(|(known, _)| *known == name).map_or(name, |(_, text)| view.text(*text))
}
