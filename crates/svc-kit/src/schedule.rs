//! When to try again: a list of delays, such as `5s,10s,30s,1m,30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A schedule longer than this is a mistake, not a plan.
const MAX_DELAYS: usize = 64;

/// Longest single delay; what must be asked less often than daily is a job, not a retry.
const MAX_DELAY: Duration = Duration::from_hours(24);

/// Delays between attempts; the last one repeats for ever. It has at least one delay, and each is between 1 ms and 24 h.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    delays: Vec<Duration>,
}

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// There is nothing in it.
    #[error("a schedule needs at least one delay, such as \"5s,10s,30s,1m,30m\"")]
    Empty,
    /// It has more delays than anyone would write on purpose.
    #[error("a schedule has at most {MAX_DELAYS} delays, this one has {found}")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// One of its delays cannot be read, or is zero, or is too long.
    #[error(
        "\"{text}\" (delay {position}) is not a delay between 1ms and 24h; write a whole number and ms, s, m or h, such as 30s"
    )]
    Delay {
        /// The delay as it was written.
        text: String,
        /// Counted from 1.
        position: usize,
    },
}

impl Schedule {
    /// How long to wait after `attempts` attempts were made; the first delay follows attempt 1 (0 means the same).
    pub fn after(&self, attempts: u32) -> Duration {
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let last = self.delays.len() - 1; // A schedule is never empty.
        self.delays[index.min(last)]
    }

    /// [`Schedule::after`] with [`jittered`] added, so that what began together does not go on together.
    pub fn after_jittered(&self, attempts: u32) -> Duration {
        jittered(self.after(attempts))
    }

    /// The delays as they were written.
    pub fn delays(&self) -> &[Duration] {
        &self.delays
    }
}

/// Adds up to a tenth to `delay`, at random. It never shortens: a provider may forbid asking earlier.
pub fn jittered(delay: Duration) -> Duration {
    let tenth = u64::try_from((delay / 10).as_millis()).unwrap_or(u64::MAX);
    delay.saturating_add(Duration::from_millis(fastrand::u64(0..=tenth)))
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(ScheduleError::Empty);
        }
        let found = text.split(',').count();
        if MAX_DELAYS < found {
            return Err(ScheduleError::TooMany { found });
        }
        let delay = |(index, part): (usize, &str)| {
            parse_delay(part.trim())
                .ok_or_else(|| ScheduleError::Delay { text: part.trim().to_owned(), position: index + 1 })
        };
        Ok(Self { delays: text.split(',').enumerate().map(delay).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, delay) in self.delays.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}")?;
            match delay.as_millis() {
                ms if ms % 1000 != 0 => write!(f, "{ms}ms")?,
                ms if ms % 60_000 != 0 => write!(f, "{}s", ms / 1000)?,
                ms if ms % 3_600_000 != 0 => write!(f, "{}m", ms / 60_000)?,
                ms => write!(f, "{}h", ms / 3_600_000)?,
            }
        }
        Ok(())
    }
}

fn parse_delay(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit.trim_start() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let ms = number.parse::<u64>().ok()?.checked_mul(unit_ms)?;
    let delay = Duration::from_millis(ms);
    (Duration::ZERO < delay && delay <= MAX_DELAY).then_some(delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().expect("a schedule")
    }

    #[test]
    fn the_last_delay_repeats() {
        let asking = schedule("5s, 10s,30s,1m,30m");
        let waits = [0, 1, 2, 4, 5, 6, u32::MAX].map(|attempts| asking.after(attempts).as_secs());
        assert_eq!(waits, [5, 5, 10, 60, 1800, 1800, 1800]);
    }

    #[test]
    fn a_schedule_prints_as_it_is_written() {
        for text in ["5s,10s,30s,1m,30m", "250ms,1s,90s,2h", "24h"] {
            assert_eq!(schedule(text).to_string(), text);
        }
    }

    #[test]
    fn a_wrong_delay_is_named_with_its_place_and_a_way_out() {
        let text = "5s,ten,30s".parse::<Schedule>().expect_err("not a schedule").to_string();
        assert_eq!(
            text,
            "\"ten\" (delay 2) is not a delay between 1ms and 24h; write a whole number and ms, s, m or h, such as 30s"
        );
    }

    #[test]
    fn what_is_not_a_schedule_is_refused() {
        let too_many = vec!["1s"; MAX_DELAYS + 1].join(",");
        for text in ["", " ", "5", "0s", "25h", "5s,", "-5s", "1.5s", "5 days", "99999999999999999999h", &too_many] {
            assert!(text.parse::<Schedule>().is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn jitter_adds_at_most_a_tenth_and_never_shortens() {
        let delay = Duration::from_secs(30);
        for _ in 0..1000 {
            let actual = jittered(delay);
            assert!(delay <= actual && actual <= Duration::from_secs(33));
        }
    }
}
