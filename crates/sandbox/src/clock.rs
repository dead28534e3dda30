//! The sandbox's time: the machine's time plus an offset that only grows, so that a day passes by command.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::control::ClockState;

/// The furthest that the clock can be moved in all: ten years, so that no date leaves the calendar.
const MAX_OFFSET_MS: i64 = 10 * 366 * 24 * 3600 * 1000;

/// One sleep, so that a machine whose own clock was set is noticed.
const MAX_SLEEP: Duration = Duration::from_mins(1);

/// The clock of one sandbox.
#[derive(Debug)]
pub(crate) struct Clock {
    offset_ms: watch::Sender<i64>,
}

/// The clock cannot be moved that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock can be moved by ten years in all")]
pub(crate) struct TooFar;

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { offset_ms: watch::Sender::new(0) }
    }

    /// The present instant, in whole milliseconds.
    pub(crate) fn now(&self) -> Timestamp {
        self.read().now
    }

    /// Instant and offset, taken together.
    pub(crate) fn read(&self) -> ClockState {
        let offset_ms = *self.offset_ms.borrow();
        let ms = machine_now().as_millisecond().saturating_add(offset_ms);
        ClockState { now: Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX), offset_ms }
    }

    /// Moves the clock forward and wakes everyone who waits for it.
    pub(crate) fn advance(&self, by_ms: u64) -> Result<ClockState, TooFar> {
        let mut moved = Ok(());
        self.offset_ms.send_if_modified(|offset_ms| {
            let sum = i64::try_from(by_ms).ok().and_then(|by_ms| offset_ms.checked_add(by_ms));
            match sum.filter(|sum| *sum <= MAX_OFFSET_MS) {
                Some(sum) => *offset_ms = sum,
                None => moved = Err(TooFar),
            }
            moved.is_ok() && by_ms != 0
        });
        moved.map(|()| self.read())
    }

    /// Returns when the offset is no longer `known_ms`.
    pub(crate) async fn moved_from(&self, known_ms: i64) {
        let mut offset_ms = self.offset_ms.subscribe();
        // The sender is ours, so the channel cannot be closed while we are here.
        let _ = offset_ms.wait_for(|offset_ms| *offset_ms != known_ms).await;
    }

    /// Returns when `instant` has come, however it came.
    pub(crate) async fn reached(&self, instant: Timestamp) {
        loop {
            let state = self.read();
            if instant <= state.now {
                return;
            }
            let wait = instant.duration_since(state.now);
            tokio::select! {
                () = tokio::time::sleep(positive(wait).min(MAX_SLEEP)) => {}
                () = self.moved_from(state.offset_ms) => {}
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the sandbox's clock; everything else takes the time from it")]
fn machine_now() -> Timestamp {
    Timestamp::now()
}

/// At least a millisecond, because a sleep may end a little early.
fn positive(wait: SignedDuration) -> Duration {
    wait.unsigned_abs().max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_the_sum_of_what_was_advanced() {
        let clock = Clock::new();
        assert_eq!(clock.advance(1_500).unwrap().offset_ms, 1_500);
        assert_eq!(clock.advance(0).unwrap().offset_ms, 1_500);
        assert_eq!(clock.advance(86_400_000).unwrap().offset_ms, 86_401_500);
    }

    #[test]
    fn the_clock_cannot_leave_the_calendar() {
        let clock = Clock::new();
        assert_eq!(clock.advance(u64::MAX), Err(TooFar));
        assert_eq!(clock.read().offset_ms, 0);
    }

    #[tokio::test]
    async fn who_waits_for_an_instant_wakes_when_the_clock_jumps_over_it() {
        let clock = Clock::new();
        let in_a_day = clock.now() + SignedDuration::from_hours(24);
        tokio::join!(clock.reached(in_a_day), async { clock.advance(25 * 3600 * 1000).unwrap() });
        assert!(in_a_day <= clock.now());
    }
}
