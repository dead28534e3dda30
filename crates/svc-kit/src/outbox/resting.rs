//! Rows that the stream has refused: each rests for a while, and the others go on without it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::schedule::Schedule;

/// Most rows that rest at one time. More than that are no bad rows but a stream that refuses everything.
const MAX_ROWS: usize = 1024;

/// A row that was not refused again for this long after its rest was published by somebody else.
const FORGET_TIME: Duration = Duration::from_mins(1);

/// The rows that this process leaves alone for now. It is not written down: after a restart each is tried once more.
#[derive(Debug)]
pub(super) struct Resting {
    rows: BTreeMap<i64, Rest>,
    schedule: Schedule,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    refusals: u32,
}

impl Default for Resting {
    fn default() -> Self {
        // A full stream that has room again is noticed in half a minute.
        let schedule = "1s,2s,5s,10s,20s".parse().expect("this is a schedule");
        Self { rows: BTreeMap::new(), schedule }
    }
}

impl Resting {
    /// The rows that rest now.
    pub(super) fn rows(&mut self, now: Instant) -> Vec<i64> {
        self.rows.retain(|_, rest| now < rest.until + FORGET_TIME);
        self.rows.iter().filter(|(_, rest)| now < rest.until).map(|(seq, _)| *seq).collect()
    }

    /// Lets a row rest that was refused; `false` when too many rest already.
    pub(super) fn refused(&mut self, seq: i64, now: Instant) -> bool {
        let refusals = self.rows.get(&seq).map_or(0, |rest| rest.refusals).saturating_add(1);
        if MAX_ROWS <= self.rows.len() && !self.rows.contains_key(&seq) {
            return false;
        }
        let until = now + self.schedule.after_jittered(refusals);
        self.rows.insert(seq, Rest { until, refusals });
        true
    }

    /// The row was published.
    pub(super) fn published(&mut self, seq: i64) {
        self.rows.remove(&seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST_REST: Duration = Duration::from_secs(22);

    #[test]
    fn a_refused_row_rests_longer_each_time_and_then_has_its_turn() {
        let (mut resting, mut now) = (Resting::default(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..6 {
            assert!(resting.refused(7, now));
            assert_eq!(resting.rows(now), [7]);
            let rest = resting.rows[&7].until - now;
            rests.push(rest);
            now += rest;
            assert_eq!(resting.rows(now), [0; 0], "its rest is over");
        }
        assert!(rests[..5].is_sorted(), "{rests:?}");
        assert!(rests.iter().all(|rest| *rest <= LONGEST_REST), "{rests:?}");
    }

    #[test]
    fn a_published_row_is_forgotten_and_so_is_one_that_somebody_else_has_published() {
        let (mut resting, now) = (Resting::default(), Instant::now());
        assert!(resting.refused(7, now) && resting.refused(8, now));
        resting.published(7);
        assert_eq!(resting.rows(now), [8]);
        assert_eq!(resting.rows(now + LONGEST_REST + FORGET_TIME), [0; 0]);
        assert!(resting.rows.is_empty());
    }

    #[test]
    fn no_more_rows_rest_than_the_limit() {
        let (mut resting, now) = (Resting::default(), Instant::now());
        let limit = i64::try_from(MAX_ROWS).expect("a small number");
        assert!((0..limit).all(|seq| resting.refused(seq, now)));
        assert!(!resting.refused(limit, now), "there is no room");
        assert!(resting.refused(0, now), "it had its place already");
        assert_eq!(resting.rows(now).len(), MAX_ROWS);
    }
}
