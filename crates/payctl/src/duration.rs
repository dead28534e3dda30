//! Lengths of time as people type them.

use std::time::Duration;

use jiff::SignedDuration;

/// Longest time that anything here makes sense for.
const MOST: Duration = Duration::from_hours(10 * 366 * 24);

/// Reads `90s`, `10m`, `1h30m`, `2d` or `1h 30m`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let explain = || format!("\"{text}\" is no length of time, such as 90s, 10m, 1h30m or 2d");
    // Days are 24 hours here; jiff leaves them to calendars.
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.trim().parse::<u64>().map_err(|_| explain())?, rest.trim()),
        None => (0, text.trim()),
    };
    let rest: SignedDuration =
        if rest.is_empty() && days != 0 { SignedDuration::ZERO } else { rest.parse().map_err(|_| explain())? };
    let days = days.checked_mul(24 * 60 * 60).map(Duration::from_secs);
    let sum = Duration::try_from(rest).ok().and_then(|rest| days?.checked_add(rest));
    sum.filter(|sum| *sum <= MOST).ok_or_else(explain)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn lengths_of_time_are_read_as_people_type_them() {
        for (text, seconds) in
            [("90s", 90), ("10m", 600), ("1h30m", 5_400), ("1h 30m", 5_400), ("2d", 172_800), ("1d1h", 90_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in ["", "10", "d", "-1h", "soon", "99999d", "18446744073709551615d"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
