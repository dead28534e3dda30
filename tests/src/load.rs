//! What the load generator tells when it is done. It is a process of its own (`load`), so that nothing of it is measured as ours.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// What became of the arrivals of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Arrivals that were due in the run's time.
    pub due: u64,
    /// Answered as they should be.
    pub good: u64,
    /// Answered otherwise.
    pub refused: u64,
    /// Not answered at all.
    pub broken: u64,
    /// Microseconds from the first arrival to the last answer.
    pub took_us: u64,
    /// From when an arrival was due to its good answer; from its sending when everything was due at once.
    pub latency: Spread,
    /// From when an arrival was due to its fact on the bus, of those whose fact was waited for.
    pub told: Option<Told>,
    /// What the first wrong answer said.
    pub first_wrong: Option<String>,
}

/// Facts on the bus that answer to arrivals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How many came.
    pub facts: u64,
    /// Microseconds from the first arrival to the last fact.
    pub took_us: u64,
    /// How long each took.
    pub latency: Spread,
}

/// A distribution, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub p50: u64,
    /// One of a hundred took longer.
    pub p99: u64,
    /// One of a thousand took longer.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

impl Outcome {
    /// Good answers per second.
    pub fn per_second(&self) -> u64 {
        per_second(self.good, Duration::from_micros(self.took_us))
    }
}

/// How many per second, rounded down.
pub fn per_second(count: u64, time: Duration) -> u64 {
    let per_second = u128::from(count) * 1_000_000 / time.as_micros().max(1);
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

/// What takes longer counts as this: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Measured times, with an error of at most one thousandth each.
#[derive(Debug)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("three digits are allowed"))
    }
}

impl Times {
    /// Notes one.
    pub fn note(&mut self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(us);
    }

    /// Takes in what somebody else measured.
    pub fn join(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// Their distribution.
    pub fn spread(&self) -> Spread {
        let at = |quantile| self.0.value_at_quantile(quantile);
        Spread { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: self.0.max() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_tells_the_middle_and_the_end_in_microseconds() {
        let mut times = Times::default();
        (1..=1000).for_each(|ms| times.note(Duration::from_millis(ms)));
        let spread = times.spread();
        let about = |found: u64, ms: u64| (ms * 999..=ms * 1002).contains(&found);
        assert!(about(spread.p50, 500) && about(spread.p99, 990) && about(spread.max, 1000), "{spread:?}");
    }

    #[test]
    fn rates_are_whole_numbers_per_second() {
        assert_eq!(per_second(999, Duration::from_millis(500)), 1998);
        assert_eq!(per_second(1, Duration::ZERO), 1_000_000);
    }
}
