//! Waiting for a condition, never for a time.

use std::{fmt::Debug, time::Duration};

/// Generous: it bounds a hang, it measures nothing.
pub const DEADLINE: Duration = Duration::from_secs(90);
/// Between two looks.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// What a look at the world can say.
pub trait Look {
    /// What is there once it holds.
    type Found;
    /// Found, or what was seen instead.
    fn look(self) -> Result<Self::Found, String>;
}

impl Look for bool {
    type Found = ();

    fn look(self) -> Result<(), String> {
        self.then_some(()).ok_or_else(|| "false".to_owned())
    }
}

impl<T> Look for Option<T> {
    type Found = T;

    fn look(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".to_owned())
    }
}

impl<T, E: Debug> Look for Result<T, E> {
    type Found = T;

    fn look(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Looks until it holds.
///
/// # Panics
/// After [`DEADLINE`], with what was last seen.
#[track_caller]
pub fn eventually<L: Look>(what: &str, mut look: impl AsyncFnMut() -> L) -> impl Future<Output = L::Found> {
    let place = std::panic::Location::caller();
    async move {
        let started = tokio::time::Instant::now();
        loop {
            // A look that hangs is a failure, too.
            let seen = match tokio::time::timeout(DEADLINE, look()).await {
                Ok(look) => match look.look() {
                    Ok(found) => return found,
                    Err(seen) => seen,
                },
                Err(_) => "a look that never ended".to_owned(),
            };
            assert!(started.elapsed() < DEADLINE, "{place}: never happened: {what}; last seen: {seen}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
