//! Waiting on a clock that can jump.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Clock;

/// Longest nap before the time is read again, because the system's clock can be corrected while we sleep.
const NAP: Duration = Duration::from_secs(30);

impl Clock {
    /// Waits until this clock tells `deadline` or later. A jump of the clock over `deadline` ends the wait at once.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        // Subscribed before the time is read, so that no jump falls between the two.
        let mut jumps = self.offset_ms.subscribe();
        loop {
            let left = deadline.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(NAP)) => {}
                // The clock holds the sender, so this cannot fail while we borrow the clock.
                _ = jumps.changed() => {}
            }
        }
    }

    /// Waits for `duration` on this clock.
    pub async fn sleep(&self, duration: Duration) {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let deadline = self.now().saturating_add(duration).unwrap_or(Timestamp::MAX);
        self.sleep_until(deadline).await;
    }

    /// Waits for the clock's next jump, counted from this call (not from the first poll). A clock that is not followed
    /// never jumps.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clone();
        let mut jumps = self.offset_ms.subscribe();
        async move {
            // The clone keeps the sender alive, so this ends with a jump or not at all.
            let _ = jumps.changed().await;
            drop(clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENEROUS: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_jump_wakes_a_sleeper_whose_time_has_come() {
        let (clock, hand) = Clock::adjustable();
        let deadline = clock.now() + SignedDuration::from_hours(24);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(deadline).await;
                clock.now()
            }
        });
        hand.advance(Duration::from_hours(25));
        let woken = tokio::time::timeout(GENEROUS, sleeper).await.expect("woken at once").expect("no panic");
        assert!(deadline <= woken);
    }

    #[tokio::test]
    async fn a_deadline_in_the_past_is_no_wait() {
        let clock = Clock::system();
        let past = clock.now() - SignedDuration::from_hours(1);
        tokio::time::timeout(GENEROUS, clock.sleep_until(past)).await.expect("at once");
    }

    #[tokio::test]
    async fn a_short_sleep_ends_by_itself() {
        let clock = Clock::system();
        let before = clock.now();
        clock.sleep(Duration::from_millis(5)).await;
        assert!(before + SignedDuration::from_millis(5) <= clock.now());
    }

    #[tokio::test]
    async fn a_jump_between_asking_and_waiting_is_not_missed() {
        let (clock, hand) = Clock::adjustable();
        let changed = clock.changed();
        hand.advance(Duration::from_secs(1));
        tokio::time::timeout(GENEROUS, changed).await.expect("the jump is seen");
    }
}
