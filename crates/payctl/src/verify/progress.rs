use std::{
    io::Write as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A look that is over before this needs no words.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(2);

/// Says on stderr what takes long.
#[derive(Debug)]
pub struct Progress {
    /// When the next line may be written; `None` when nobody listens.
    next: Option<Mutex<Instant>>,
}

impl Progress {
    /// Says it.
    pub fn on_stderr() -> Self {
        Self { next: Some(Mutex::new(Instant::now() + PATIENCE)) }
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self { next: None }
    }

    /// Says what is being done, unless something was said a moment ago.
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        let Some(next) = &self.next else { return };
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if *next <= now {
            *next = now + PAUSE;
            // Whoever closed stderr does not want to know.
            let _ = writeln!(std::io::stderr(), "payctl: {}", what());
        }
    }
}
