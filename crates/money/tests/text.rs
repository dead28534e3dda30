//! Amounts as text: what is read, what is refused, and that printing and reading agree.

use money::{Fen, MilliFen, MoneyError};
use proptest::prelude::*;

#[test]
fn yuan_as_bills_print_them_are_read() {
    for (text, fen) in [
        ("0.01", 1),
        ("-0.6", -60),
        ("45.0", 4500),
        ("1", 100),
        ("0", 0),
        ("-0", 0),
        ("5.76", 576),
        ("0.01000", 1),
        ("92233720368547758.07", i64::MAX),
        ("-92233720368547758.08", i64::MIN),
    ] {
        assert_eq!(Fen::parse_yuan(text), Ok(Fen::new(fen)), "{text}");
    }
}

#[test]
fn what_is_not_whole_fen_is_refused() {
    for text in ["0.001", "-0.00130", "1.005", "0.0000000001"] {
        assert_eq!(Fen::parse_yuan(text), Err(MoneyError::NotWhole), "{text}");
    }
}

#[test]
fn what_is_not_a_plain_decimal_is_refused() {
    for text in [
        "", "-", "+1", "1e2", "1E2", ".5", "1.", "-.5", "1,000.00", " 1", "1 ", "0x10", "NaN", "--1", "1.2.3", "１",
        "¥1",
    ] {
        assert_eq!(Fen::parse_yuan(text), Err(MoneyError::Malformed), "{text}");
        assert_eq!(MilliFen::parse_yuan(text), Err(MoneyError::Malformed), "{text}");
    }
    assert_eq!(Fen::parse_yuan(&"0".repeat(41)), Err(MoneyError::Malformed));
}

#[test]
fn what_does_not_fit_is_refused() {
    for text in ["92233720368547758.08", "-92233720368547758.09", "9999999999999999999999999999999999999999"] {
        assert_eq!(Fen::parse_yuan(text), Err(MoneyError::Overflow), "{text}");
    }
    assert_eq!(MilliFen::parse_yuan("92233720368547758.07"), Err(MoneyError::Overflow));
}

#[test]
fn fees_keep_five_decimals() {
    assert_eq!(MilliFen::parse_yuan("0.04000"), Ok(MilliFen::new(4000)));
    assert_eq!(MilliFen::parse_yuan("-0.0013"), Ok(MilliFen::new(-130)));
    assert_eq!(MilliFen::parse_yuan("0.000001"), Err(MoneyError::NotWhole));
    assert_eq!(MilliFen::new(-130).to_yuan(), "-0.00130");
    assert_eq!(MilliFen::new(4000).to_fen(), Some(Fen::new(4)));
    assert_eq!(MilliFen::new(4001).to_fen(), None);
    assert_eq!(MilliFen::from_fen(Fen::new(-4)), Some(MilliFen::new(-4000)));
    assert_eq!(MilliFen::from_fen(Fen::new(i64::MAX)), None);
}

#[test]
fn yuan_are_printed_with_two_decimals() {
    assert_eq!(Fen::new(1234).to_yuan(), "12.34");
    assert_eq!(Fen::new(-60).to_string(), "-0.60");
    assert_eq!(Fen::ZERO.to_string(), "0.00");
    assert_eq!(Fen::new(i64::MIN).to_string(), "-92233720368547758.08");
    assert_eq!(format!("{:>8}", Fen::new(1)), "    0.01");
}

#[test]
fn arithmetic_says_when_it_does_not_fit() {
    let most = Fen::new(i64::MAX);
    assert_eq!(Fen::new(2).checked_add(Fen::new(3)), Some(Fen::new(5)));
    assert_eq!(Fen::new(2).checked_sub(Fen::new(3)), Some(Fen::new(-1)));
    assert_eq!(most.checked_add(Fen::new(1)), None);
    assert_eq!(Fen::new(i64::MIN).checked_sub(Fen::new(1)), None);
    assert_eq!(Fen::new(i64::MIN).checked_neg(), None);
    assert!(Fen::new(1).is_positive() && !Fen::ZERO.is_positive() && !Fen::new(-1).is_positive());
}

proptest! {
    #[test]
    fn fen_printed_then_parsed_is_identity(fen: i64) {
        prop_assert_eq!(Fen::parse_yuan(&Fen::new(fen).to_yuan()), Ok(Fen::new(fen)));
    }

    #[test]
    fn milli_fen_printed_then_parsed_is_identity(milli_fen: i64) {
        prop_assert_eq!(MilliFen::parse_yuan(&MilliFen::new(milli_fen).to_yuan()), Ok(MilliFen::new(milli_fen)));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,48}") {
        let fen = Fen::parse_yuan(&text);
        if let (Ok(fen), Ok(milli_fen)) = (fen, MilliFen::parse_yuan(&text)) {
            prop_assert_eq!(MilliFen::from_fen(fen), Some(milli_fen));
        }
    }
}
