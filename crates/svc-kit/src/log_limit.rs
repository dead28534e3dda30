//! Log lines that strangers can cause are limited, so that they cannot fill a disk.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Lets a few lines through and counts the rest.
///
/// ```
/// use std::time::Duration;
/// use svc_kit::log_limit::LogLimit;
///
/// let refusals = LogLimit::new(Duration::from_secs(1), 10);
/// if let Some(swallowed) = refusals.admit() {
///     tracing::warn!(swallowed, "a callback was refused: signature wrong");
/// }
/// ```
#[derive(Debug)]
pub struct LogLimit<C: Clock = DefaultClock> {
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    swallowed: AtomicU64,
}

impl LogLimit {
    /// Lets one line through every `period` (at least 1 ns), and up to `burst` (at least 1) after a quiet time.
    pub fn new(period: Duration, burst: u32) -> Self {
        Self::on(DefaultClock::default(), period, burst)
    }
}

impl<C: Clock> LogLimit<C>
where
    C::Instant: Reference,
{
    fn on(clock: C, period: Duration, burst: u32) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period.max(Duration::from_nanos(1)))
            .expect("the period is at least 1 ns")
            .allow_burst(burst);
        Self { limiter: RateLimiter::direct_with_clock(quota, clock), swallowed: AtomicU64::new(0) }
    }

    /// `Some(n)` when the line may be written, where `n` lines were swallowed since the last one; `None` when it may not.
    pub fn admit(&self) -> Option<u64> {
        if self.limiter.check().is_ok() {
            Some(self.swallowed.swap(0, Ordering::Relaxed))
        } else {
            self.swallowed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_burst_passes_then_lines_are_counted_until_the_next_one_passes() {
        let clock = FakeRelativeClock::default();
        let limit = LogLimit::on(clock.clone(), Duration::from_secs(1), 2);
        assert_eq!([limit.admit(), limit.admit(), limit.admit(), limit.admit()], [Some(0), Some(0), None, None]);
        clock.advance(Duration::from_secs(1));
        assert_eq!([limit.admit(), limit.admit()], [Some(2), None]);
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.admit(), Some(1));
    }
}
