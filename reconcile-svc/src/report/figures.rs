//! Numbers, instants and ages as people read them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use money::{Fen, MilliFen};

use super::texts::Text;
use super::view::View;

/// Yuan with two decimals and a comma at every thousand: `-1,234,567.80`.
pub fn yuan(amount: Fen) -> String {
    separated(&amount.to_yuan())
}

/// Yuan with five decimals, as fees have them.
fn fine_yuan(amount: MilliFen) -> String {
    separated(&amount.to_yuan())
}

/// Yuan with five decimals, of which the last three stand apart, so that amounts above and below have their points in one line.
pub(super) fn fine(amount: MilliFen) -> Markup {
    let told = fine_yuan(amount);
    let (coarse, rest) = told.split_at(told.len().saturating_sub(3));
    html! { (coarse) span.rest { (rest) } }
}

/// A count with a comma at every thousand.
pub(super) fn count(number: i64) -> String {
    separated(&number.to_string())
}

/// Puts the commas into the whole part of a decimal number.
fn separated(number: &str) -> String {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = unsigned.find('.').map_or((unsigned, ""), |point| unsigned.split_at(point));
    let mut grouped = String::with_capacity(number.len() + whole.len() / 3);
    grouped.push_str(sign);
    for (place, digit) in whole.chars().enumerate() {
        if 0 < place && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

/// `part` of `whole` on a scale of `length`; something that is there is never shorter than 1.
pub(super) fn share(part: i64, whole: i64, length: i64) -> i64 {
    if part <= 0 || whole <= 0 {
        return 0;
    }
    let scaled = i128::from(part) * i128::from(length) / i128::from(whole);
    i64::try_from(scaled).unwrap_or(length).clamp(1, length.max(1))
}

/// An instant as people in Beijing read it; a dash for none.
pub(super) fn beijing(at: Option<Timestamp>) -> String {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    at.map_or_else(|| "–".to_owned(), |at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The instant of a message.
pub(super) fn instant(wire: Option<&pbjson_types::Timestamp>) -> Option<Timestamp> {
    wire.and_then(proto::time::from_wire)
}

/// From one instant to another, in the largest unit that tells something.
pub(super) fn age(view: &View, since: Timestamp, until: Timestamp) -> String {
    let minutes = until.duration_since(since).as_mins().max(0);
    let (text, number) = match minutes {
        0 => (Text::UnderAMinute, 0),
        1..60 => (Text::Minutes, minutes),
        60..2880 => (Text::Hours, minutes / 60),
        _ => (Text::Days, minutes / 1440),
    };
    view.fill(text, &[&number])
}

/// `11-21`: the day in the grid and under the chart.
pub(super) fn short_day(day: Date) -> String {
    format!("{:02}-{:02}", day.month(), day.day())
}

/// The first digits of a hash; people compare these, and the whole one is beside it.
pub(super) fn short_hash(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::language::Language;
    use super::*;

    #[test]
    fn yuan_have_a_comma_at_every_thousand() {
        let told =
            [0, 1, -60, 99_999, 100_000, -100_000, 123_456_789, i64::MAX, i64::MIN].map(|fen| yuan(Fen::new(fen)));
        let expected = [
            "0.00",
            "0.01",
            "-0.60",
            "999.99",
            "1,000.00",
            "-1,000.00",
            "1,234,567.89",
            "92,233,720,368,547,758.07",
            "-92,233,720,368,547,758.08",
        ];
        assert_eq!(told, expected);
        assert_eq!(fine_yuan(MilliFen::new(123_456_700_001)), "1,234,567.00001");
        assert_eq!(count(-1_000), "-1,000");
    }

    proptest! {
        #[test]
        fn without_its_commas_an_amount_is_what_the_bill_prints(fen in any::<i64>()) {
            let text = yuan(Fen::new(fen));
            prop_assert_eq!(Fen::parse_yuan(&text.replace(',', "")), Ok(Fen::new(fen)));
        }

        #[test]
        fn a_share_stays_on_its_scale(part in any::<i64>(), whole in any::<i64>(), length in 1_i64..1000) {
            let share = share(part, whole, length);
            prop_assert!((0..=length).contains(&share));
            prop_assert_eq!(0 < share, 0 < part && 0 < whole);
        }
    }

    #[test]
    fn an_age_is_told_in_the_unit_that_people_use() {
        let since: Timestamp = "2026-11-20T00:00:00Z".parse().expect("an instant");
        let told = |language| {
            let view = View::new(language, since);
            [0, 59, 60, 47 * 60, 48 * 60, 10 * 1440]
                .map(|minutes| age(&view, since, since + jiff::SignedDuration::from_mins(minutes)))
        };
        assert_eq!(told(Language::En), ["under 1 min", "59 min", "1 h", "47 h", "2 d", "10 d"]);
        assert_eq!(told(Language::Zh), ["不到 1 分钟", "59 分钟", "1 小时", "47 小时", "2 天", "10 天"]);
    }

    #[test]
    fn an_instant_is_shown_in_beijing_time() {
        assert_eq!(beijing("2026-11-20T16:00:00Z".parse().ok()), "2026-11-21 00:00:00");
        assert_eq!(beijing(None), "–");
    }
}
