//! A process: one `main`, named long-lived tasks, one way to stop.
//!
//! ```no_run
//! use svc_kit::process;
//!
//! fn main() -> std::process::ExitCode {
//!     process::main(|tasks| async move {
//!         let stop = tasks.stop();
//!         tasks.spawn("heartbeat", async move {
//!             stop.cancelled().await;
//!             Ok(())
//!         });
//!         Ok(()) // what is returned here lives until the drain is over: return the telemetry guard
//!     })
//! }
//! ```

mod failure;
mod settings;
mod tasks;

pub use failure::one_line;
pub use settings::{Environment, settings};
pub use tasks::{DRAIN_TIME, Tasks};

use std::process::ExitCode;
use std::time::Duration;

use crate::crash;

/// How long the runtime may take to end blocking work after everything else has ended.
const RUNTIME_END_TIME: Duration = Duration::from_secs(1);

/// Runs one process from start to exit.
///
/// `start` reads settings, connects, binds, spawns its tasks on the given [`Tasks`] and returns; SIGTERM or SIGINT while it
/// does so ends the process at once, because nothing was accepted yet. After that the process runs until a signal comes
/// or a task fails, then drains for at most [`DRAIN_TIME`]. What `start` returned is dropped last: return the telemetry
/// guard there, so that the last spans are sent.
///
/// In a build with debug assertions [`crate::crash`] may end the process at a point that the environment names.
///
/// Any error is printed as one line on stderr, `error: …: caused by …`, and the exit code is 1.
pub fn main<F, S, Kept>(start: F) -> ExitCode
where
    F: FnOnce(Tasks) -> S,
    S: Future<Output = anyhow::Result<Kept>>,
{
    if let Err(error) = crash::check() {
        return failed(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let (kept, outcome) = runtime.block_on(async {
        let tasks = match Tasks::until_signal() {
            Ok(tasks) => tasks,
            Err(error) => return (None, Err(error)),
        };
        let stop = tasks.stop();
        tokio::select! {
            started = start(tasks.clone()) => match started {
                Ok(kept) => (Some(kept), tasks.run().await),
                Err(error) => (None, Err(error)),
            },
            () = stop.cancelled() => {
                tracing::info!("stopped while starting; nothing was accepted yet");
                // A task that failed during the start has fired the stop too, and its reason must not be lost.
                (None, tasks.run().await)
            }
        }
    });
    drop(kept);
    runtime.shutdown_timeout(RUNTIME_END_TIME);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("{}", one_line(error));
    ExitCode::FAILURE
}
