use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan as _};
use money::{Fen, MilliFen};

/// Holds and tolerances: configuration with a version, part of what pins a run. Principal has no tolerance and no field here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// P5 and R2: days after the bill day until which the other side may still come.
    pub book_only_days: i8,
    /// F2: days after the bill day until which the movement may still come.
    pub fund_days: i8,
    /// R4: working days (Monday to Friday) after which a refund that is under way is stuck.
    pub refund_working_days: u8,
    /// F1: how far a fee may be from rate × amount, per row.
    pub fee_tolerance: MilliFen,
    /// P7: how far total may be from payer's amount plus coupons.
    pub settlement_tolerance: Fen,
}

impl Rules {
    /// Names the values of [`Rules::CURRENT`]. Raise it with any of them.
    pub const VERSION: i32 = 1;

    /// The rules in force.
    pub const CURRENT: Rules = Rules {
        book_only_days: 2,
        fund_days: 3,
        refund_working_days: 3,
        fee_tolerance: MilliFen::new(1000),
        settlement_tolerance: Fen::ZERO,
    };

    /// The day on which a payment or refund that only our books have becomes a difference.
    pub fn book_only_due(&self, day: Date) -> Date {
        day.saturating_add(days(self.book_only_days))
    }

    /// The day on which a trade row without its movement becomes a difference.
    pub fn fund_due(&self, day: Date) -> Date {
        day.saturating_add(days(self.fund_days))
    }

    /// The day on which a refund accepted on `day` that is still under way is stuck: the one after the last working day that it
    /// may take. Public holidays are not known here, so after one it may be told a few days early.
    pub fn refund_due(&self, day: Date) -> Date {
        let mut due = day;
        let mut left = self.refund_working_days;
        while 0 < left {
            due = due.saturating_add(1.day());
            if !matches!(due.weekday(), Weekday::Saturday | Weekday::Sunday) {
                left -= 1;
            }
        }
        due.saturating_add(1.day())
    }
}

fn days(count: i8) -> Span {
    i64::from(count).days()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_refund_accepted_on_a_thursday_is_stuck_on_the_wednesday_after() {
        assert_eq!(Rules::CURRENT.refund_due(date(2026, 11, 26)), date(2026, 12, 2));
    }

    #[test]
    fn what_only_our_books_have_is_a_difference_on_the_second_day_after() {
        assert_eq!(Rules::CURRENT.book_only_due(date(2026, 11, 30)), date(2026, 12, 2));
    }
}
