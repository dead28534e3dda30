//! When each arrival is due, and what became of all of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use e2e::load::{Outcome, Times};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::Pace;

/// How long answers are waited for after the last arrival.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hands out arrivals; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    began: Instant,
    pace: Pace,
    /// One permit for each arrival that is due and that nobody has taken.
    waiting: Arc<Semaphore>,
    /// How many there will be, unless everything is due at once.
    planned: u64,
    next: Arc<AtomicU64>,
}

/// One arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Counted from 0.
    pub(crate) number: u64,
    /// When its latency begins.
    pub(crate) due: Instant,
}

/// How one arrival ended.
#[derive(Debug)]
pub(crate) enum Answer {
    Good,
    Refused(String),
    Broken(String),
}

impl Arrivals {
    /// At most `count`, from now on. A thread of its own lets them in, because a timer of the runtime counts in milliseconds.
    pub(crate) fn begin(pace: Pace, count: u64) -> Self {
        let waiting = Arc::new(Semaphore::new(0));
        let count = match pace.rate {
            0 => count,
            rate => count.min(u64::from(rate) * pace.ms / 1000),
        };
        let planned = if pace.rate == 0 { 0 } else { count };
        let arrivals = Self { began: Instant::now(), pace, waiting, planned, next: Arc::default() };
        let gate = arrivals.clone();
        thread::spawn(move || gate.let_in(count));
        arrivals
    }

    fn let_in(&self, count: u64) {
        let mut inside = 0;
        while inside < count {
            let due = self.due_by(Instant::now()).min(count);
            self.waiting.add_permits(usize::try_from(due - inside).unwrap_or(usize::MAX));
            inside = due;
            if inside < count {
                thread::sleep(self.due(inside).saturating_duration_since(Instant::now()));
            }
        }
        // Whoever still waits learns that nobody comes any more, once the last one was taken.
        while self.next.load(Ordering::Relaxed) < count && self.began.elapsed() < self.pace.time() + PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        self.waiting.close();
    }

    fn due(&self, number: u64) -> Instant {
        match self.pace.rate {
            0 => self.began,
            rate => self.began + Duration::from_nanos(number * 1_000_000_000 / u64::from(rate)),
        }
    }

    fn due_by(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.began).as_nanos();
        match self.pace.rate {
            0 => u64::MAX,
            rate => u64::try_from(passed * u128::from(rate) / 1_000_000_000 + 1).unwrap_or(u64::MAX),
        }
    }

    /// The next one; `None` when there are no more, or the time is over.
    pub(crate) async fn next(&self) -> Option<Arrival> {
        self.waiting.acquire().await.ok()?.forget();
        let now = Instant::now();
        if self.pace.rate == 0 && self.pace.time() < now - self.began {
            self.waiting.close();
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Some(Arrival { number, due: if self.pace.rate == 0 { now } else { self.due(number) } })
    }

    /// When arrival `number` was due.
    pub(crate) fn was_due(&self, number: u64) -> Instant {
        self.due(number)
    }
}

/// What one worker saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    times: Times,
    due: u64,
    good: u64,
    refused: u64,
    broken: u64,
    first_wrong: Option<String>,
    last: Option<Instant>,
}

impl Seen {
    pub(crate) fn note(&mut self, arrival: Arrival, answer: Answer) {
        let now = Instant::now();
        self.due += 1;
        self.last = Some(now);
        let wrong = match answer {
            Answer::Good => {
                self.good += 1;
                self.times.note(now - arrival.due);
                return;
            }
            Answer::Refused(said) => {
                self.refused += 1;
                said
            }
            Answer::Broken(why) => {
                self.broken += 1;
                why
            }
        };
        self.first_wrong.get_or_insert(wrong);
    }
}

/// Waits for all workers and puts together what they saw.
pub(crate) async fn collect(
    mut workers: JoinSet<anyhow::Result<Seen>>,
    arrivals: &Arrivals,
) -> anyhow::Result<Outcome> {
    let began = arrivals.began;
    let (mut outcome, mut times, mut last) = (Outcome::default(), Times::default(), began);
    while let Some(worker) = workers.join_next().await {
        let seen = worker.context("a worker broke down")??;
        outcome.due += seen.due;
        outcome.good += seen.good;
        outcome.refused += seen.refused;
        outcome.broken += seen.broken;
        outcome.first_wrong = outcome.first_wrong.or(seen.first_wrong);
        times.join(&seen.times);
        last = last.max(seen.last.unwrap_or(began));
    }
    // Whoever was due and was never served is missed, too.
    outcome.due = outcome.due.max(arrivals.planned);
    outcome.latency = times.spread();
    outcome.took_us = u64::try_from((last - began).as_micros()).unwrap_or(u64::MAX);
    Ok(outcome)
}
