//! The long-lived tasks of a process, and how they end.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long accepted work may take to finish after the stop was asked for. Kubernetes' grace period must be longer.
pub const DRAIN_TIME: Duration = Duration::from_secs(20);

/// How long tasks that serve until the end of the drain may take to end themselves.
const LAST_TIME: Duration = Duration::from_secs(2);

/// The named long-lived tasks of one process and the token that stops them. Clones share the same tasks.
///
/// A task ends well when it returns `Ok` after the stop was asked for. An error, a panic, or an end that nobody asked for
/// stops the whole process: half a service is worse than a restart.
#[derive(Clone, Debug)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Fired by a signal, by [`Tasks::stop`]'s holder, or by the first failure.
    stop: CancellationToken,
    /// Fired when the drain is over.
    drained: CancellationToken,
    drain_time: Duration,
    tracked: TaskTracker,
    last: TaskTracker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    running: Vec<Running>,
    failure: Option<anyhow::Error>,
}

#[derive(Debug)]
struct Running {
    id: u64,
    name: String,
    part: Part,
    abort: AbortHandle,
}

/// When a task is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// At the stop.
    Work,
    /// After the drain.
    Last,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// No tasks yet, and no signal listened to: for tests, and for parts of a process run by hand.
    pub fn new() -> Self {
        Self::with_drain_time(DRAIN_TIME)
    }

    fn with_drain_time(drain_time: Duration) -> Self {
        let shared = Shared {
            stop: CancellationToken::new(),
            drained: CancellationToken::new(),
            drain_time,
            tracked: TaskTracker::new(),
            last: TaskTracker::new(),
            state: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// No tasks yet; SIGTERM and SIGINT fire the stop.
    pub fn until_signal() -> anyhow::Result<Self> {
        let tasks = Self::new();
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
        let stop = tasks.stop();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                () = stop.cancelled() => return,
            };
            tracing::info!(signal = name, "{name}: stopping, at most {} s", DRAIN_TIME.as_secs());
            stop.cancel();
        });
        Ok(tasks)
    }

    /// Fired when the process is to stop: accept nothing new, finish what was accepted.
    pub fn stop(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// Fired when every task of [`Tasks::spawn`] has ended or ran out of time. What must answer during the drain, such as
    /// the admin server, waits for this one.
    pub fn drained(&self) -> CancellationToken {
        self.shared.drained.clone()
    }

    /// Starts a long-lived task. It must return soon after the stop is asked for, having finished what it accepted.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start(Part::Work, name.into(), task);
    }

    /// Starts a task that goes on through the drain and ends when [`Tasks::drained`] fires.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn_last<F>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start(Part::Last, name.into(), task);
    }

    /// Serves until the stop is asked for, then drains.
    ///
    /// # Errors
    /// The first failure of a task, or the names of the tasks that were still busy when the time to drain was over.
    pub async fn run(&self) -> anyhow::Result<()> {
        self.shared.stop.cancelled().await;
        self.shared.tracked.close();
        let in_time = tokio::time::timeout(self.shared.drain_time, self.shared.tracked.wait()).await.is_ok();
        let late: Vec<String> = if in_time { Vec::new() } else { self.abort(Part::Work) };
        self.shared.drained.cancel();
        self.shared.last.close();
        if tokio::time::timeout(LAST_TIME, self.shared.last.wait()).await.is_err() {
            self.abort(Part::Last);
        }
        if let Some(failure) = self.state().failure.take() {
            return Err(failure);
        }
        if late.is_empty() {
            tracing::info!("stopped; everything accepted was finished");
            return Ok(());
        }
        let allowed = self.shared.drain_time;
        Err(anyhow!("still busy {allowed:?} after the stop was asked for, and cut off: {}", late.join(", ")))
    }

    fn start<F>(&self, part: Part, name: String, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let (tracker, asked) = match part {
            Part::Work => (&self.shared.tracked, self.stop()),
            Part::Last => (&self.shared.last, self.drained()),
        };
        let tasks = self.clone();
        // Held while spawning, so that the task is listed before it can end.
        let mut state = self.state();
        let id = state.next_id;
        state.next_id = id.wrapping_add(1);
        let label = name.clone();
        let handle = tracker.spawn(async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            let failure = match outcome {
                Ok(Ok(())) if asked.is_cancelled() => None,
                Ok(Ok(())) => Some(anyhow!("{label} ended although nobody asked it to")),
                Ok(Err(error)) => Some(error.context(format!("{label} failed"))),
                Err(panic) => Some(anyhow!("{label} panicked: {}", panic_text(&*panic))),
            };
            tasks.ended(id, failure);
        });
        state.running.push(Running { id, name, part, abort: handle.abort_handle() });
    }

    fn ended(&self, id: u64, failure: Option<anyhow::Error>) {
        let mut state = self.state();
        state.running.retain(|running| running.id != id);
        if let Some(failure) = failure {
            tracing::error!("{failure:#}; stopping the process");
            state.failure.get_or_insert(failure);
            self.shared.stop.cancel();
        }
    }

    /// Cuts off the running tasks of `part`, and names them.
    fn abort(&self, part: Part) -> Vec<String> {
        let state = self.state();
        let late = state.running.iter().filter(|running| running.part == part);
        late.inspect(|running| running.abort.abort()).map(|running| running.name.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The lock is never held across code that can panic, so a poisoned state is still whole.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    async fn failure_of(tasks: &Tasks) -> String {
        format!("{:#}", tasks.run().await.expect_err("the process must fail"))
    }

    #[tokio::test]
    async fn accepted_work_is_finished_before_the_process_ends() {
        let tasks = Tasks::new();
        let stop = tasks.stop();
        let (finished, finish) = oneshot::channel();
        tasks.spawn("worker", async move {
            stop.cancelled().await;
            tokio::task::yield_now().await;
            finished.send("done").map_err(|_| anyhow!("nobody waits"))
        });
        tasks.stop().cancel();
        tasks.run().await.expect("a clean end");
        assert_eq!(finish.await, Ok("done"));
    }

    #[tokio::test]
    async fn an_error_in_one_task_stops_the_others_and_is_the_reason() {
        let tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("patient", async move {
            stop.cancelled().await;
            Ok(())
        });
        tasks.spawn("relay", async { Err(anyhow!("stream is gone")) });
        assert_eq!(failure_of(&tasks).await, "relay failed: stream is gone");
    }

    #[tokio::test]
    async fn a_panic_stops_the_process_with_its_text() {
        let tasks = Tasks::new();
        tasks.spawn("relay", async { panic!("seat {} is empty", 7) });
        assert_eq!(failure_of(&tasks).await, "relay panicked: seat 7 is empty");
    }

    #[tokio::test]
    async fn an_end_that_nobody_asked_for_stops_the_process() {
        let tasks = Tasks::new();
        tasks.spawn("consumer", async { Ok(()) });
        assert_eq!(failure_of(&tasks).await, "consumer ended although nobody asked it to");
    }

    #[tokio::test]
    async fn what_is_busy_after_the_drain_time_is_named_and_cut_off() {
        let tasks = Tasks::with_drain_time(Duration::from_millis(10));
        tasks.spawn("stuck", std::future::pending());
        tasks.stop().cancel();
        assert!(failure_of(&tasks).await.ends_with("and cut off: stuck"));
    }

    #[tokio::test]
    async fn the_last_tasks_go_on_until_the_work_has_ended() {
        let tasks = Tasks::new();
        let (stop, drained) = (tasks.stop(), tasks.drained());
        let (worked, work) = oneshot::channel();
        tasks.spawn_last("admin", async move {
            drained.cancelled().await;
            // Sent before `drained` fired, so it is here already.
            let mut work: oneshot::Receiver<()> = work;
            work.try_recv().context("the work had not ended")
        });
        tasks.spawn("worker", async move {
            stop.cancelled().await;
            worked.send(()).map_err(|()| anyhow!("nobody waits"))
        });
        tasks.stop().cancel();
        tasks.run().await.expect("a clean end");
    }
}
