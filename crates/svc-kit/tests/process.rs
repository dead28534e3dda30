//! A whole process, started and stopped from outside. Each test runs its own file again as that process.

use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::anyhow;
use svc_kit::admin::{self, Readiness};
use svc_kit::metrics::Metrics;
use svc_kit::process::{self, Tasks};
use svc_kit::telemetry::{self, Guard, LogFormat, TelemetryArgs};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

const GENEROUS: Duration = Duration::from_mins(2);

/// Set for the process under test.
const IN_CHILD: &str = "SVC_KIT_TEST_IN_CHILD";

fn is_child() -> bool {
    std::env::var_os(IN_CHILD).is_some()
}

fn logs() -> anyhow::Result<Guard> {
    let args = TelemetryArgs { log_format: LogFormat::Json, log_filter: "info".to_owned(), otlp_endpoint: None };
    telemetry::init("test-svc", &args)
}

/// Is the process under test, to its end. It needs a thread of its own, because the test's has a runtime already.
fn be<F, S, Kept>(start: F) -> !
where
    F: FnOnce(Tasks) -> S + Send + 'static,
    S: Future<Output = anyhow::Result<Kept>>,
{
    let code = std::thread::spawn(|| process::main(start)).join().expect("no panic");
    std::process::exit(i32::from(code != ExitCode::SUCCESS))
}

/// The process under test, and what it says on stderr.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    said: Vec<String>,
}

impl Process {
    /// Runs the test called `test` again, where [`is_child`] holds.
    fn start(test: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("the path of this test"))
            .args(["--exact", test, "--nocapture"])
            .env(IN_CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this test can be started");
        let stderr = child.stderr.take().expect("stderr is piped");
        Self { child, lines: BufReader::new(stderr).lines(), said: Vec::new() }
    }

    async fn says(&mut self, text: &str) {
        while !self.said.last().is_some_and(|line| line.contains(text)) {
            let line = timeout(GENEROUS, self.lines.next_line()).await.expect("it speaks").expect("it is readable");
            self.said.push(line.unwrap_or_else(|| panic!("it ended without saying {text:?}: {:?}", self.said)));
        }
    }

    async fn terminate(&self) {
        let id = self.child.id().expect("it still runs").to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill runs");
        assert!(killed.success());
    }

    /// Waits for the end: exit code, and every line of stderr.
    async fn end(mut self) -> (Option<i32>, Vec<String>) {
        while let Some(line) = timeout(GENEROUS, self.lines.next_line()).await.expect("it ends").expect("readable") {
            self.said.push(line);
        }
        let status = timeout(GENEROUS, self.child.wait()).await.expect("it ends").expect("it can be waited for");
        (status.code(), self.said)
    }
}

#[tokio::test]
async fn an_error_at_the_start_is_one_line_and_exit_code_1() {
    if is_child() {
        let start = |_: Tasks| async {
            Err::<(), _>(anyhow!("connection refused").context("cannot reach the Postgres database orders"))
        };
        be(start);
    }
    let (code, said) = Process::start("an_error_at_the_start_is_one_line_and_exit_code_1").end().await;
    assert_eq!(said, ["error: cannot reach the Postgres database orders: caused by connection refused"]);
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn sigterm_drains_and_exits_0() {
    if is_child() {
        let start = |tasks: Tasks| async move {
            let logs = logs()?;
            let address = ([127, 0, 0, 1], 0).into();
            admin::start(address, Readiness::new(), Metrics::new(), &tasks).await?;
            let stop = tasks.stop();
            tasks.spawn("worker", async move {
                stop.cancelled().await;
                tracing::info!("the worker finished what it accepted");
                Ok(())
            });
            Ok(logs)
        };
        be(start);
    }
    let mut process = Process::start("sigterm_drains_and_exits_0");
    process.says("admin listening on 127.0.0.1:").await;
    process.terminate().await;
    process.says("the worker finished what it accepted").await;
    process.says("stopped; everything accepted was finished").await;
    let (code, said) = process.end().await;
    assert_eq!(code, Some(0), "{said:?}");
    assert!(said.iter().all(|line| line.starts_with('{') && line.ends_with('}')), "every line is JSON: {said:?}");
}

#[tokio::test]
async fn sigterm_while_starting_ends_the_process_at_once() {
    if is_child() {
        let start = |_: Tasks| async {
            let logs = logs()?;
            tracing::info!("waiting for a database that never comes");
            std::future::pending::<()>().await;
            Ok(logs)
        };
        be(start);
    }
    let mut process = Process::start("sigterm_while_starting_ends_the_process_at_once");
    process.says("waiting for a database that never comes").await;
    process.terminate().await;
    let (code, said) = process.end().await;
    assert_eq!(code, Some(0), "{said:?}");
}

#[tokio::test]
async fn a_failing_task_ends_the_process_with_its_reason() {
    if is_child() {
        let start = |tasks: Tasks| async move {
            tasks.spawn("outbox relay", async { Err(anyhow!("the stream is gone")) });
            Ok(())
        };
        be(start);
    }
    let (code, said) = Process::start("a_failing_task_ends_the_process_with_its_reason").end().await;
    assert_eq!(said, ["error: outbox relay failed: caused by the stream is gone"]);
    assert_eq!(code, Some(1));
}
