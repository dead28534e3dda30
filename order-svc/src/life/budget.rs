//! How many calls each account may make: a budget per merchant and kind, so that a storm of retries is impossible, and a rest
//! after the provider has said that it takes no more.
//!
//! Budgets run on the machine's monotonic clock, because they protect the provider from our real speed. A rest is a time that the
//! provider has asked for, and runs on the clock of business like every other turn.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use svc_kit::clock::Clock;

use super::ask::soon;

/// What a call costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Asking the provider to accept an attempt.
    Prepay,
    /// Asking about an attempt or a refund.
    Query,
    /// Closing an attempt.
    Close,
    /// Giving money back.
    Refund,
    /// Charging a pay code or a face.
    Charge,
    /// Taking a charge back.
    Reverse,
}

/// Calls per second of one merchant over all replicas. WeChat documents 150 refunds a second, and 6 a second that fail; for the
/// other calls it documents no number, and ours stay well below what one account has ever needed.
/// Source: WeChat Pay v2 reference, refund, limits.
const PER_SECOND: [(Kind, u32); 6] = [
    (Kind::Prepay, 500),
    (Kind::Query, 300),
    (Kind::Close, 100),
    (Kind::Refund, 150),
    (Kind::Charge, 300),
    (Kind::Reverse, 100),
];
/// Refunds a second that may fail.
const FAILED_REFUNDS_PER_SECOND: u32 = 6;
/// How long a kind rests after the provider has said that it takes no more. Source: WeChat Pay v2 reference, action
/// `backoff_retry_same_params`: at least 60 s.
pub const REST: Duration = Duration::from_mins(1);
/// Longest wait for a place in the budget; whoever waits longer comes again later.
const PATIENCE: Duration = Duration::from_secs(5);

type Limiter = DefaultKeyedRateLimiter<String>;

/// The budgets of every merchant, as far as this process may use them. Clones share them.
#[derive(Clone, Debug)]
pub struct Budgets {
    limiters: Arc<[(Kind, Limiter); 6]>,
    failures: Arc<Limiter>,
    resting: Arc<Mutex<HashMap<(String, Kind), Timestamp>>>,
    clock: Clock,
}

/// Why a call must not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The provider takes no more of this kind for so long.
    Resting(Duration),
    /// Too many calls of ours wait already.
    Exhausted,
}

impl Budgets {
    /// This process's share when `replicas` processes share the budgets.
    pub fn shared_by(replicas: NonZeroU32, clock: Clock) -> Self {
        let of = |per_second: u32| {
            let share = NonZeroU32::new(per_second / replicas).unwrap_or(NonZeroU32::MIN);
            RateLimiter::keyed(Quota::per_second(share))
        };
        Self {
            limiters: Arc::new(PER_SECOND.map(|(kind, per_second)| (kind, of(per_second)))),
            failures: Arc::new(of(FAILED_REFUNDS_PER_SECOND)),
            resting: Arc::default(),
            clock,
        }
    }

    /// Waits for a place in the budget.
    ///
    /// # Errors
    /// [`Denied`], and nothing may be sent.
    pub async fn take(&self, merchant: &str, kind: Kind) -> Result<(), Denied> {
        if let Some(rest) = self.rest(merchant, kind) {
            return Err(Denied::Resting(rest));
        }
        let limiter = self.limiters.iter().find(|(of, _)| *of == kind).map(|(_, limiter)| limiter);
        let Some(limiter) = limiter else { return Ok(()) }; // Every kind has one.
        let waited = tokio::time::timeout(PATIENCE, limiter.until_key_ready(&merchant.to_owned())).await;
        waited.map_err(|_| Denied::Exhausted)
    }

    /// The provider has said that it takes no more calls of this kind.
    pub fn limited(&self, merchant: &str, kind: Kind) {
        tracing::warn!(merchant, ?kind, "the provider takes no more calls; resting for {} s", REST.as_secs());
        self.rest_for(merchant, kind, REST);
    }

    /// A refund has failed, which the provider allows only few of: when they are used up, refunds rest.
    pub fn refund_failed(&self, merchant: &str) {
        if self.failures.check_key(&merchant.to_owned()).is_err() {
            self.rest_for(merchant, Kind::Refund, Duration::from_secs(1));
        }
    }

    fn rest_for(&self, merchant: &str, kind: Kind, rest: Duration) {
        let until = soon(self.clock.now(), rest);
        let mut resting = self.resting();
        // Only merchants whose calls were made come here, so the map stays as small as their list.
        let known = resting.entry((merchant.to_owned(), kind)).or_insert(until);
        *known = until.max(*known);
    }

    /// How long this kind still rests.
    fn rest(&self, merchant: &str, kind: Kind) -> Option<Duration> {
        let mut resting = self.resting();
        let key = (merchant.to_owned(), kind);
        let left = Duration::try_from(resting.get(&key)?.duration_since(self.clock.now())).unwrap_or_default();
        // No rest is longer than that; a clock that was set back must not make it one.
        if left.is_zero() || REST < left {
            resting.remove(&key);
            return None;
        }
        Some(left)
    }

    fn resting(&self) -> MutexGuard<'_, HashMap<(String, Kind), Timestamp>> {
        // Nothing panics while it is held.
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use svc_kit::clock::Clock;

    use super::{Budgets, Denied, FAILED_REFUNDS_PER_SECOND, Kind};

    fn budgets() -> Budgets {
        Budgets::shared_by(NonZeroU32::MIN, Clock::system())
    }

    #[tokio::test]
    async fn a_kind_that_the_provider_limits_rests_a_minute_and_others_go_on() {
        let (clock, hand) = Clock::adjustable();
        let budgets = Budgets::shared_by(NonZeroU32::MIN, clock);
        budgets.limited("acme-mini", Kind::Refund);
        assert!(matches!(budgets.take("acme-mini", Kind::Refund).await, Err(Denied::Resting(_))));
        assert_eq!(budgets.take("acme-mini", Kind::Query).await, Ok(()));
        assert_eq!(budgets.take("acme-shop", Kind::Refund).await, Ok(()));
        hand.advance(super::REST);
        assert_eq!(budgets.take("acme-mini", Kind::Refund).await, Ok(()));
    }

    #[tokio::test]
    async fn refunds_rest_once_more_of_them_have_failed_than_the_provider_allows() {
        let budgets = budgets();
        for _ in 0..FAILED_REFUNDS_PER_SECOND {
            budgets.refund_failed("acme-mini");
        }
        assert_eq!(budgets.take("acme-mini", Kind::Refund).await, Ok(()));
        // However slow this machine: faster than six a second sooner or later.
        while budgets.take("acme-mini", Kind::Refund).await.is_ok() {
            budgets.refund_failed("acme-mini");
        }
        assert_eq!(budgets.take("acme-shop", Kind::Refund).await, Ok(()));
    }

    #[tokio::test]
    async fn replicas_share_one_budget() {
        let budgets = Budgets::shared_by(NonZeroU32::new(150).expect("not zero"), Clock::system());
        let started = std::time::Instant::now();
        for _ in 0..2 {
            assert_eq!(budgets.take("acme-mini", Kind::Refund).await, Ok(()));
        }
        assert!(std::time::Duration::from_millis(900) <= started.elapsed(), "one a second, and not 150");
    }
}
