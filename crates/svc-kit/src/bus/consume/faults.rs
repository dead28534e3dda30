//! Whose fault a failure is. A message is only to blame when the handler applies others; a handler that fails on everything
//! is broken itself, and its backlog must not become dead letters.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An applied message that is younger than this shows that the handler works.
const RECENT: Duration = Duration::from_mins(5);

/// Most messages whose failures are remembered. When there are more, the oldest message's are forgotten, which only means that
/// it is kept longer.
const MAX_REMEMBERED: usize = 10_000;

/// What this process has seen of one durable's messages since its start.
#[derive(Debug, Default)]
pub(super) struct Faults {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    applied: Option<Instant>,
    /// By their place in the stream: how often each failed while the handler worked for others.
    strikes: BTreeMap<u64, u64>,
}

impl Faults {
    /// A message was applied.
    pub(super) fn applied(&self, sequence: u64, now: Instant) {
        let mut seen = self.seen();
        seen.applied = Some(now);
        seen.strikes.remove(&sequence);
    }

    /// A message failed. Returns how often it did so while the handler worked for others.
    pub(super) fn failed(&self, sequence: u64, now: Instant) -> u64 {
        let mut seen = self.seen();
        let works = seen.applied.is_some_and(|applied| now.saturating_duration_since(applied) < RECENT);
        let strikes = seen.strikes.entry(sequence).or_default();
        *strikes += u64::from(works);
        let strikes = *strikes;
        if MAX_REMEMBERED < seen.strikes.len() {
            seen.strikes.pop_first();
        }
        strikes
    }

    /// The handler has decided about a message.
    pub(super) fn forget(&self, sequence: u64) {
        self.seen().strikes.remove(&sequence);
    }

    /// Whether a message has failed, and nothing was decided since.
    pub(super) fn is_suspect(&self, sequence: u64) -> bool {
        self.seen().strikes.contains_key(&sequence)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing that is done under the lock can panic halfway.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_to_blame_only_while_others_are_applied() {
        let (faults, begin) = (Faults::default(), Instant::now());
        assert_eq!([faults.failed(1, begin), faults.failed(1, begin)], [0, 0], "nothing was ever applied");
        assert!(faults.is_suspect(1) && !faults.is_suspect(2));
        faults.applied(2, begin);
        assert_eq!([faults.failed(1, begin), faults.failed(1, begin + RECENT / 2)], [1, 2]);
        assert_eq!(faults.failed(1, begin + RECENT), 2, "nothing was applied lately");
        faults.applied(1, begin);
        assert!(!faults.is_suspect(1));
        assert_eq!(faults.failed(1, begin), 1, "what was applied begins anew");
        faults.forget(1);
        assert!(!faults.is_suspect(1));
    }

    #[test]
    fn failures_of_a_long_backlog_do_not_fill_the_memory() {
        let (faults, now) = (Faults::default(), Instant::now());
        let many = u64::try_from(MAX_REMEMBERED).expect("a small number") + 1;
        (0..many).for_each(|sequence| {
            faults.failed(sequence, now);
        });
        assert_eq!(faults.seen().strikes.len(), MAX_REMEMBERED);
        assert!(!faults.is_suspect(0) && faults.is_suspect(1));
    }
}
