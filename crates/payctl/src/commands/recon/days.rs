//! Bill days: civil dates in Asia/Shanghai.

use anyhow::ensure;
use jiff::{ToSpan as _, civil::Date};
use svc_kit::clock::Clock;

/// Most days of one command: WeChat keeps bills for three months.
const MOST_DAYS: usize = 93;

/// Yesterday in Beijing: the last day whose bill can be there.
pub(super) fn yesterday() -> Date {
    wechat_pay::time::bill_date(Clock::system().now()).saturating_sub(1.day())
}

/// Every day from `first` to `last`, the newest first: what a day's bill has of the day before explains what that one misses.
///
/// # Errors
/// When they stand in the wrong order, or are too many.
pub(super) fn newest_first(first: Date, last: Date) -> anyhow::Result<Vec<Date>> {
    ensure!(first <= last, "--to is before the first day: {last} is earlier than {first}");
    let days: Vec<Date> = first.series(1.day()).take_while(|day| *day <= last).take(MOST_DAYS + 1).collect();
    ensure!(days.len() <= MOST_DAYS, "from {first} to {last} is more than {MOST_DAYS} days, the most of one command");
    Ok(days.into_iter().rev().collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::newest_first;

    #[test]
    fn days_come_newest_first() {
        let days = newest_first(date(2026, 2, 27), date(2026, 3, 1)).unwrap();
        assert_eq!(days, [date(2026, 3, 1), date(2026, 2, 28), date(2026, 2, 27)]);
        assert_eq!(newest_first(date(2026, 3, 1), date(2026, 3, 1)).unwrap(), [date(2026, 3, 1)]);
    }

    #[test]
    fn days_in_the_wrong_order_and_too_many_are_refused() {
        assert!(newest_first(date(2026, 3, 2), date(2026, 3, 1)).is_err());
        assert!(newest_first(date(2026, 1, 1), date(2026, 4, 4)).unwrap_err().to_string().contains("93 days"));
    }
}
