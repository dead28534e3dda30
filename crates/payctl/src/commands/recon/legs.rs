//! The four legs side by side.

use proto::reconcile::v1::Leg;

use super::show::PLACES;
use crate::output::{table, visible, width};

/// What each leg is.
const LEGS: [(&str, &str); 4] = [("O", "orders"), ("E", "events"), ("T", "trade bill"), ("F", "fund flow")];

/// Narrowest column of a leg.
const LEAST: usize = 12;

/// One row for each thing that any leg tells, one column for each leg; `*` stands behind what differs. Long values go on in the
/// next line, so that all four fit a usual terminal.
pub(super) fn side_by_side(legs: &[Leg]) -> String {
    let names = names(legs);
    if names.is_empty() {
        return "no leg tells anything\n".to_owned();
    }
    let longest = names.iter().map(|name| width(name)).max().unwrap_or_default();
    let share = PLACES.saturating_sub(longest + 2 * LEGS.len()) / LEGS.len();
    let most = share.max(LEAST);
    let mut rows = Vec::new();
    for name in &names {
        let cells: Vec<Vec<String>> = LEGS.iter().map(|(leg, _)| wrapped(&value(legs, leg, name), most)).collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or_default().max(1);
        for line in 0..lines {
            let first = if line == 0 { name.clone() } else { String::new() };
            let told = cells.iter().map(|cell| cell.get(line).cloned().unwrap_or_default());
            rows.push(std::iter::once(first).chain(told).collect());
        }
    }
    let header: Vec<String> = LEGS.iter().map(|(leg, what)| format!("{leg} {what}")).collect();
    let header: Vec<&str> = std::iter::once("").chain(header.iter().map(String::as_str)).collect();
    table(&header, &rows)
}

/// Every name that a leg uses, in the order in which they come.
fn names(legs: &[Leg]) -> Vec<String> {
    let mut names = Vec::new();
    for field in legs.iter().flat_map(|leg| &leg.fields) {
        let name = visible(&field.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn value(legs: &[Leg], leg: &str, name: &str) -> String {
    let fields = legs.iter().filter(|told| told.leg == leg).flat_map(|told| &told.fields);
    let values = fields.filter(|field| visible(&field.name) == name);
    let values: Vec<String> =
        values.map(|field| format!("{}{}", visible(&field.value), if field.differs { "*" } else { "" })).collect();
    values.join(" ")
}

/// The text in lines of at most `most` places.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for character in text.chars() {
        let mut buffer = [0; 4];
        let character: &str = character.encode_utf8(&mut buffer);
        let full = lines.last().is_some_and(|line| most < width(line) + width(character));
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(character);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{Leg, LegField};

    use super::{PLACES, side_by_side};
    use crate::output::width;

    fn leg(leg: &str, fields: &[(&str, &str, bool)]) -> Leg {
        let field = |(name, value, differs): &(&str, &str, bool)| LegField {
            name: (*name).into(),
            value: (*value).into(),
            differs: *differs,
        };
        Leg { leg: leg.into(), fields: fields.iter().map(field).collect() }
    }

    #[test]
    fn what_the_legs_say_about_one_thing_stands_in_one_row() {
        let legs = [
            leg("O", &[("amount", "4.00", true), ("state", "PAID", false)]),
            leg("E", &[]),
            leg("T", &[("amount", "4.01", true)]),
            leg("F", &[("amount", "4.01", true)]),
        ];
        assert_eq!(
            side_by_side(&legs),
            "        O orders  E events  T trade bill  F fund flow\n\
             amount  4.00*               4.01*         4.01*\n\
             state   PAID\n"
        );
    }

    #[test]
    fn long_numbers_go_on_in_the_next_line_and_all_fits_a_usual_terminal() {
        let number = "5fa37d62e6724a3aac7e2de3e6591033";
        let told: Vec<Leg> = ["O", "E", "T", "F"].map(|name| leg(name, &[("微信支付订单号", number, false)])).into();
        let text = side_by_side(&told);
        assert!(text.lines().all(|line| width(line) <= PLACES), "{text}");
        let column: String = text.lines().skip(1).map(|line| line.split_whitespace().last().unwrap()).collect();
        assert_eq!(column, number);
    }

    #[test]
    fn legs_that_are_silent_say_so() {
        assert_eq!(side_by_side(&[leg("O", &[])]), "no leg tells anything\n");
    }
}
