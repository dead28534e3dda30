//! Values of a cell, and how text of strangers is kept from being obeyed.

use jiff::civil::{Date, DateTime};
use jiff::tz;
use money::Fen;
use proto::time::from_wire;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing there.
    Empty,
    /// Text: never a formula, never a number, so that an order's number keeps all its digits.
    Text(String),
    /// Money.
    Amount(Fen),
    /// A civil date in Asia/Shanghai.
    Date(Date),
    /// An instant on the clocks of Asia/Shanghai, to the second.
    Instant(DateTime),
}

impl Cell {
    /// Text, or nothing when it is empty.
    pub(super) fn text(text: &str) -> Cell {
        if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
    }

    /// Fen of one side; the wire says 0 when that side does not have it.
    pub(super) fn side(fen: i64) -> Cell {
        if fen == 0 { Cell::Empty } else { Cell::Amount(Fen::new(fen)) }
    }

    /// A date of the wire; a text that is none stays one.
    pub(super) fn date(text: &str) -> Cell {
        text.parse().map_or_else(|_| Cell::text(text), Cell::Date)
    }

    /// An instant of the wire.
    pub(super) fn instant(wire: Option<&pbjson_types::Timestamp>) -> Cell {
        wire.and_then(from_wire).map_or(Cell::Empty, |at| Cell::Instant(beijing(at)))
    }
}

/// What the clocks in Beijing show, to the second.
pub(super) fn beijing(at: jiff::Timestamp) -> DateTime {
    let civil = tz::offset(8).to_datetime(at);
    civil.with().subsec_nanosecond(0).build().unwrap_or(civil)
}

/// Text that no spreadsheet program takes for a formula when it opens a CSV file: an apostrophe stands before what begins like one.
pub(super) fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA_SIGNS) { format!("'{text}") } else { text.to_owned() }
}

/// What a formula or a command begins with; full-width forms are read as the plain ones in Chinese editions.
const FORMULA_SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_made_harmless_and_nothing_else_is_touched() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝cmd|' /C calc'!A0"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "S-1", "4200000001202611", "a=b", "茶", "'=1"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn a_side_that_lacks_it_has_no_amount() {
        assert_eq!(Cell::side(0), Cell::Empty);
        assert_eq!(Cell::side(-5), Cell::Amount(Fen::new(-5)));
    }

    #[test]
    fn instants_are_told_on_the_clocks_of_beijing() {
        let at = "2026-11-20T16:00:00.75Z".parse().expect("an instant");
        let shown: DateTime = "2026-11-21T00:00:00".parse().expect("a civil time");
        assert_eq!(Cell::instant(Some(&proto::time::to_wire(at))), Cell::Instant(shown));
        assert_eq!(Cell::instant(None), Cell::Empty);
    }

    #[test]
    fn a_date_that_is_none_stays_text() {
        assert_eq!(Cell::date("2026-11-21"), Cell::Date(jiff::civil::date(2026, 11, 21)));
        assert_eq!(Cell::date("soon"), Cell::Text("soon".to_owned()));
        assert_eq!(Cell::date(""), Cell::Empty);
    }
}
