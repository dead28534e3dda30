//! The time. Business asks [`Clock::now`] and nobody else, so that development can follow the sandbox's clock.
//!
//! A clock is the system's clock plus an offset. In production the offset is zero for ever; in development it is the
//! sandbox's, or one that a test sets. Leases and claims in Postgres use the database's clock, never this one.

mod args;
mod follow;
mod sleep;

pub use args::ClockArgs;

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use crate::metrics::Metrics;
use crate::process::Tasks;

/// Offsets beyond ten years are mistakes, and far larger ones would leave the range of timestamps.
const MAX_OFFSET_MS: i64 = 10 * 366 * 24 * 60 * 60 * 1000;

/// Tells the time. Clones are cheap and tell the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Milliseconds that are added to the system's time. The sender lives as long as the clock, so waiting for a jump of a
    /// clock that never jumps is waiting for ever, not an error.
    offset_ms: Arc<watch::Sender<i64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::with_offset(0)
    }

    /// The clock that `args` ask for: the system's, the system's with a fixed offset, or the sandbox's. The sandbox's
    /// offset is fetched before this returns, so the process starts on the right time, and followed until `tasks` stop.
    ///
    /// # Errors
    /// When a development setting is used outside development, or the sandbox's clock does not answer in 10 s.
    pub async fn start(args: &ClockArgs, tasks: &Tasks) -> anyhow::Result<Self> {
        args.check()?;
        let clock = Self::with_offset(0);
        if let Some(offset_ms) = args.clock_offset_ms {
            clock.set_offset_ms(offset_ms)?;
            tracing::warn!(offset_ms, "this process tells a wrong time on purpose: {offset_ms} ms off");
        }
        if let Some(url) = &args.clock_url {
            follow::start(clock.clone(), url, tasks).await?;
            tracing::warn!(offset_ms = clock.offset_ms(), "following the clock at {url}");
        }
        Ok(clock)
    }

    /// A clock for tests, and the hand that moves it. It starts at the system's time.
    pub fn adjustable() -> (Self, Hand) {
        let clock = Self::system();
        (clock.clone(), Hand { clock })
    }

    /// The time now.
    ///
    /// # Panics
    /// Never: the system's time is within our lives, and offsets are at most ten years.
    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_ms());
        system_now().checked_add(offset).expect("offsets are at most ten years")
    }

    /// How far this clock is ahead of the system's, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        *self.offset_ms.borrow()
    }

    /// A new version 7 UUID that carries this clock's time, so that ids sort by creation, to the millisecond. (Before
    /// 1970 an id says 1970.)
    pub fn uuid_v7(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
    }

    /// Shows the offset as the gauge `clock_offset_ms`. Anything but 0 in production is an alarm.
    pub fn show(&self, metrics: &Metrics) {
        let gauge = metrics.gauge("clock_offset_ms", "How far this process's clock is ahead of the system's");
        gauge.set(self.offset_ms());
        let mut jumps = self.offset_ms.subscribe();
        tokio::spawn(async move {
            while jumps.changed().await.is_ok() {
                gauge.set(*jumps.borrow_and_update());
            }
        });
    }

    fn with_offset(offset_ms: i64) -> Self {
        Self { offset_ms: Arc::new(watch::Sender::new(offset_ms)) }
    }

    fn set_offset_ms(&self, offset_ms: i64) -> anyhow::Result<()> {
        if !(-MAX_OFFSET_MS..=MAX_OFFSET_MS).contains(&offset_ms) {
            bail!("a clock offset of {offset_ms} ms is more than ten years");
        }
        self.offset_ms.send_if_modified(|current| std::mem::replace(current, offset_ms) != offset_ms);
        Ok(())
    }
}

/// Moves a clock of [`Clock::adjustable`].
#[derive(Clone, Debug)]
pub struct Hand {
    clock: Clock,
}

impl Hand {
    /// Moves the clock forward; sleepers whose time has come wake at once.
    ///
    /// # Panics
    /// Beyond ten years.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let offset_ms = self.clock.offset_ms().saturating_add(by_ms);
        self.clock.set_offset_ms(offset_ms).expect("tests stay within ten years");
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where the system's time is read")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advanced_clock_tells_a_later_time_to_every_clone() {
        let (clock, hand) = Clock::adjustable();
        let clone = clock.clone();
        let before = clock.now();
        hand.advance(Duration::from_hours(24));
        assert!(before + SignedDuration::from_hours(24) <= clone.now());
        assert_eq!(clone.offset_ms(), 86_400_000);
    }

    #[test]
    fn ids_carry_the_clocks_time() {
        let (clock, hand) = Clock::adjustable();
        let early = clock.uuid_v7();
        hand.advance(Duration::from_hours(1));
        let before_ms = clock.now().as_millisecond();
        let late = clock.uuid_v7();
        assert!(early < late);
        let (seconds, nanoseconds) = late.get_timestamp().expect("version 7 carries a time").to_unix();
        let id_ms = i64::try_from(seconds).expect("small") * 1000 + i64::from(nanoseconds / 1_000_000);
        assert!(before_ms <= id_ms, "the id was made after the time was read");
    }

    #[test]
    fn an_offset_beyond_reason_is_refused() {
        assert!(Clock::system().set_offset_ms(i64::MAX).is_err());
        assert!(Clock::system().set_offset_ms(-600_000).is_ok());
    }
}
