use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;
use wechat_pay::time;

#[test]
fn beijing_is_eight_hours_ahead_in_summer_and_in_winter() {
    for (text, utc) in [
        ("20170330102422", "2017-03-30T02:24:22Z"),
        ("20200701000000", "2020-06-30T16:00:00Z"),
        ("19880701000000", "1988-06-30T16:00:00Z"),
        ("20200229235959", "2020-02-29T15:59:59Z"),
    ] {
        let at: Timestamp = utc.parse().unwrap();
        assert_eq!(time::parse_14(text), Ok(at));
        assert_eq!(time::print_14(at), text);
    }
}

#[test]
fn a_payment_a_second_before_midnight_belongs_to_its_own_day() {
    let late: Timestamp = "2020-01-01T15:59:59Z".parse().unwrap();
    let next: Timestamp = "2020-01-01T16:00:00Z".parse().unwrap();
    assert_eq!(time::bill_date(late), date(2020, 1, 1));
    assert_eq!(time::bill_date(next), date(2020, 1, 2));
    assert_eq!(time::day_start(date(2020, 1, 2)), Some(next));
    assert_eq!(time::print_date(date(2020, 1, 2)), "20200102");
    assert_eq!(time::parse_date("20200102"), Ok(date(2020, 1, 2)));
}

#[test]
fn other_texts_are_no_times() {
    for text in
        ["", "20200101", "2020010112000", "202001011200000", "20201301120000", "20200230120000", "2020010112+000"]
    {
        assert!(time::parse_14(text).is_err(), "{text}");
    }
    for text in ["2020-01-01", "2020/01/01 12:00:00", "2020-01-01T12:00:00", "2020-01-01 24:00:00", "2020-1-1 12:00:00"]
    {
        assert!(time::parse_spaced(text).is_err(), "{text}");
    }
    for text in ["", "2020010", "20200000", "20210229", "2020-1-1", "２０２０"] {
        assert!(time::parse_date(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn printed_then_parsed_is_identity(seconds in -60_000_000_000_i64..250_000_000_000) {
        let at = Timestamp::from_second(seconds).unwrap();
        prop_assert_eq!(time::parse_14(&time::print_14(at)), Ok(at));
        prop_assert_eq!(time::parse_spaced(&time::print_spaced(at)), Ok(at));
        let day = time::bill_date(at);
        prop_assert_eq!(time::parse_date(&time::print_date(day)), Ok(day));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,24}") {
        prop_assert!(time::parse_14(&text).is_err() || text.len() == 14);
        prop_assert!(time::parse_spaced(&text).is_err() || text.len() == 19);
        prop_assert!(time::parse_date(&text).is_err() || text.len() == 8);
    }
}
