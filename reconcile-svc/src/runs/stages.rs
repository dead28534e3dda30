//! What a run spent its time on.

use std::fmt;
use std::time::{Duration, Instant};

/// The stages of one run that have ended, and when the present one began.
#[derive(Debug)]
pub(super) struct Stages {
    ended: Vec<(&'static str, Duration)>,
    began: Instant,
}

impl Stages {
    /// The first stage begins.
    pub(super) fn begin() -> Self {
        Self { ended: Vec::new(), began: Instant::now() }
    }

    /// A stage has ended, and the next one begins.
    pub(super) fn ends(&mut self, name: &'static str) {
        let now = Instant::now();
        self.ended.push((name, now - self.began));
        self.began = now;
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, took)) in self.ended.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {} ms", took.as_millis())?;
        }
        Ok(())
    }
}
