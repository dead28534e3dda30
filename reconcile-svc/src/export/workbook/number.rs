//! The one door from integers to the floating point that a workbook stores.

/// Digits that the programs which read a workbook keep of a number.
const MOST_DIGITS: usize = 15;

/// A decimal text of ours (`-1234.56`, `0.15600`, `17`) as the number that is nearest to it, which these programs show as exactly
/// that text. `None` for more digits than they keep: such a value is written as text and loses nothing.
///
/// The decimal text is read, and nothing is divided, because reading rounds once and to the nearest.
pub(super) fn number(decimal: &str) -> Option<f64> {
    let digits = decimal.bytes().filter(u8::is_ascii_digit).count();
    if MOST_DIGITS < digits { None } else { decimal.parse().ok() }
}

#[cfg(test)]
mod tests {
    use money::Fen;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_round_is_no_number() {
        assert_eq!(number("9999999999999.99").map(|yuan| yuan.to_string()).as_deref(), Some("9999999999999.99"));
        assert_eq!(number("10000000000000.00"), None);
        assert_eq!(number("-0.01").map(|yuan| yuan.to_string()).as_deref(), Some("-0.01"));
    }

    proptest! {
        #[test]
        fn every_amount_comes_back_to_the_fen(fen in -999_999_999_999_999_i64..=999_999_999_999_999) {
            let stored = number(&Fen::new(fen).to_yuan()).expect("15 digits");
            // As the file has it: the shortest text that is this number.
            prop_assert_eq!(Fen::parse_yuan(&stored.to_string()), Ok(Fen::new(fen)));
            prop_assert_eq!(format!("{stored:.2}"), Fen::new(fen).to_yuan());
        }
    }
}
