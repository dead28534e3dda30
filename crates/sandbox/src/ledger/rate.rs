//! How often a merchant may call. Counted by the sandbox's clock.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::control::RefundRate;

/// What is counted together.
const WINDOW: SignedDuration = SignedDuration::from_secs(1);

/// How long a merchant is shut out that asked for too much nonsense.
const BLOCKED: SignedDuration = SignedDuration::from_mins(1);

/// The calls of the last second.
#[derive(Debug, Default)]
pub(crate) struct Window(VecDeque<Timestamp>);

impl Window {
    /// Counts a call, unless `most` were counted within the second before it.
    pub(crate) fn admit(&mut self, most: usize, now: Timestamp) -> bool {
        while self.0.front().is_some_and(|at| *at + WINDOW <= now) {
            self.0.pop_front();
        }
        let admitted = self.0.len() < most;
        if admitted {
            self.0.push_back(now);
        }
        admitted
    }
}

/// Why a refund is not even looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limited {
    /// Too many requests in this second.
    Requests,
    /// Too many wrong ones; shut out for a minute.
    Failures,
}

/// How often merchants ask for refunds.
#[derive(Debug, Default)]
pub(crate) struct RefundRates {
    limits: RefundRate,
    /// By merchant number.
    callers: HashMap<String, Caller>,
}

#[derive(Debug, Default)]
struct Caller {
    requests: Window,
    failures: Window,
    blocked_until: Option<Timestamp>,
}

impl RefundRates {
    /// Sets how often merchants may ask from now on.
    pub(crate) fn set(&mut self, limits: RefundRate) {
        *self = RefundRates { limits, callers: HashMap::new() };
    }

    /// Counts a request.
    pub(crate) fn admit(&mut self, mch_id: &str, now: Timestamp) -> Result<(), Limited> {
        let most = self.limits.per_second;
        let caller = self.callers.entry(mch_id.to_owned()).or_default();
        if caller.blocked_until.is_some_and(|until| now < until) {
            return Err(Limited::Failures);
        }
        if caller.requests.admit(to_usize(most), now) { Ok(()) } else { Err(Limited::Requests) }
    }

    /// Counts a request that was wrong.
    pub(crate) fn failed(&mut self, mch_id: &str, now: Timestamp) {
        let most = self.limits.failing_per_second;
        let caller = self.callers.entry(mch_id.to_owned()).or_default();
        if !caller.failures.admit(to_usize(most), now) {
            caller.blocked_until = Some(now.checked_add(BLOCKED).unwrap_or(Timestamp::MAX));
        }
    }
}

fn to_usize(count: u32) -> usize {
    usize::try_from(count).expect("a count of 32 bits is an index")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(ms: i64) -> Timestamp {
        NOW + SignedDuration::from_millis(ms)
    }

    #[test]
    fn a_merchant_may_ask_150_times_in_a_second() {
        let mut rates = RefundRates::default();
        for at in 0..150 {
            assert_eq!(rates.admit("m1", after(at)), Ok(()));
        }
        assert_eq!(rates.admit("m1", after(999)), Err(Limited::Requests));
        assert_eq!(rates.admit("m2", after(999)), Ok(()));
        // The first of them is a second ago now.
        assert_eq!(rates.admit("m1", after(1_000)), Ok(()));
        assert_eq!(rates.admit("m1", after(1_000)), Err(Limited::Requests));
    }

    #[test]
    fn whoever_is_wrong_seven_times_in_a_second_is_shut_out_for_a_minute() {
        let mut rates = RefundRates::default();
        for at in 0..6 {
            rates.failed("m1", after(at));
        }
        assert_eq!(rates.admit("m1", after(6)), Ok(()));
        rates.failed("m1", after(7));
        assert_eq!(rates.admit("m1", after(8)), Err(Limited::Failures));
        assert_eq!(rates.admit("m2", after(8)), Ok(()));
        assert_eq!(rates.admit("m1", after(60_006)), Err(Limited::Failures));
        assert_eq!(rates.admit("m1", after(60_007)), Ok(()));
    }

    #[test]
    fn being_wrong_slowly_is_allowed() {
        let mut rates = RefundRates::default();
        for at in 0..100 {
            rates.failed("m1", after(at * 200));
            assert_eq!(rates.admit("m1", after(at * 200)), Ok(()), "{at}");
        }
    }
}
