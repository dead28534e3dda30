//! Whether a process can do its work now, part by part.

use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The parts of a process that must be ready before it gets work. Clones share the parts.
#[derive(Clone, Debug)]
pub struct Readiness {
    parts: Arc<watch::Sender<Vec<NamedPart>>>,
}

#[derive(Debug)]
struct NamedPart {
    name: &'static str,
    /// Why it is not ready; `None` when it is.
    reason: Option<Cow<'static, str>>,
}

/// A part that is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotReady {
    /// The name given to [`Readiness::part`].
    pub part: &'static str,
    /// Why, for people.
    pub reason: Cow<'static, str>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// Without parts, and so ready.
    pub fn new() -> Self {
        Self { parts: Arc::new(watch::Sender::new(Vec::new())) }
    }

    /// Adds a part, not ready because it is starting. A name that was given before means the same part.
    pub fn part(&self, name: &'static str) -> Part {
        self.parts.send_if_modified(|parts| {
            let new = parts.iter().all(|part| part.name != name);
            if new {
                parts.push(NamedPart { name, reason: Some(Cow::Borrowed("starting")) });
            }
            new
        });
        Part { name, readiness: self.clone() }
    }

    /// Adds a part that is ready until `stop` fires, so that no new work is sent to a process that drains.
    pub fn until(&self, stop: CancellationToken) {
        let part = self.part("accepting");
        part.ready();
        tokio::spawn(async move {
            stop.cancelled().await;
            part.not_ready("stopping");
        });
    }

    /// What is not ready now; empty when everything is.
    pub fn not_ready(&self) -> Vec<NotReady> {
        let parts = self.parts.borrow();
        let told = parts.iter().filter_map(|part| Some(NotReady { part: part.name, reason: part.reason.clone()? }));
        told.collect()
    }

    /// Whether everything is ready now.
    pub fn is_ready(&self) -> bool {
        self.parts.borrow().iter().all(|part| part.reason.is_none())
    }

    /// Waits until everything is ready.
    pub async fn ready(&self) {
        let mut parts = self.parts.subscribe();
        let all_ready = |parts: &Vec<NamedPart>| parts.iter().all(|part| part.reason.is_none());
        // The sender is ours, so this ends only when everything is ready.
        let _ = parts.wait_for(all_ready).await;
    }

    /// Sees each change, the present state included.
    pub(crate) fn changes(&self) -> impl futures::Stream<Item = bool> + Send + use<> {
        let readiness = self.clone();
        let mut parts = self.parts.subscribe();
        parts.mark_changed();
        futures::stream::unfold((parts, readiness), |(mut parts, readiness)| async move {
            parts.changed().await.ok()?;
            Some((readiness.is_ready(), (parts, readiness)))
        })
    }
}

/// Says whether one part is ready. Clones speak for the same part.
#[derive(Clone, Debug)]
pub struct Part {
    name: &'static str,
    readiness: Readiness,
}

impl Part {
    /// The part can do its work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// The part cannot do its work, because of `reason` (without secrets: it is shown to whoever asks).
    pub fn not_ready(&self, reason: impl Into<Cow<'static, str>>) {
        self.set(Some(reason.into()));
    }

    fn set(&self, reason: Option<Cow<'static, str>>) {
        self.readiness.parts.send_if_modified(|parts| {
            let Some(part) = parts.iter_mut().find(|part| part.name == self.name) else { return false };
            let changed = part.reason != reason;
            part.reason = reason;
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_ready_when_every_part_is() {
        let readiness = Readiness::new();
        assert!(readiness.is_ready());
        let (postgres, nats) = (readiness.part("postgres"), readiness.part("nats"));
        postgres.ready();
        nats.not_ready("disconnected");
        assert_eq!(readiness.not_ready(), [NotReady { part: "nats", reason: "disconnected".into() }]);
        nats.ready();
        assert!(readiness.is_ready());
    }

    #[test]
    fn a_part_asked_for_twice_is_one_part() {
        let readiness = Readiness::new();
        readiness.part("nats").ready();
        let again = readiness.part("nats");
        assert!(readiness.is_ready());
        again.not_ready("disconnected");
        assert_eq!(readiness.not_ready().len(), 1);
    }

    #[tokio::test]
    async fn waiting_for_readiness_ends_when_the_last_part_is_ready() {
        let readiness = Readiness::new();
        let part = readiness.part("nats");
        let waiting = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.ready().await }
        });
        part.ready();
        let generous = std::time::Duration::from_mins(1);
        tokio::time::timeout(generous, waiting).await.expect("woken").expect("no panic");
        assert!(readiness.is_ready());
    }
}
