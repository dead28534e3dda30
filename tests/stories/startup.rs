//! A start that cannot succeed says why in one line and ends; one that may succeed later waits and says what for.

mod servers;
mod settings;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use e2e::{Part, programs};

/// Bounds a hang; a start that waits for a server gives up after half a minute.
const END_TIME: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(5);

/// The teams of development.
const APPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/dev/apps.toml");
/// The merchants of development.
const MERCHANTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/dev/merchants");

/// A program that has ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    /// The one line that says why; everything before it is what the program did until then.
    fn reason(&self) -> &str {
        let errors: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "one line says why: {self:?}");
        assert_eq!(self.stderr.lines().last(), Some(errors[0]), "it is the last line: {self:?}");
        assert_eq!(self.code, Some(1), "{self:?}");
        errors[0]
    }
}

/// Runs one of our programs with these settings, and nothing else of ours, until it ends.
fn run(part: Part, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(programs::ours(part.program()));
    command.args(arguments).env_clear().env("LOG_FORMAT", "text");
    // Nobody's ports, also when it starts by mistake.
    command.env("LISTEN", "127.0.0.1:0").env("ADMIN_LISTEN", "127.0.0.1:0").env("REPORT_LISTEN", "127.0.0.1:0");
    command.envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{part} does not start: {error}"));
    let started = Instant::now();
    // What it prints fits into the pipes, so it need not be read meanwhile.
    while child.try_wait().expect("it is our child").is_none() {
        if END_TIME < started.elapsed() {
            child.kill().expect("it runs");
            let output = child.wait_with_output().expect("it is our child");
            panic!("{part} did not end: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(PAUSE);
    }
    let output = child.wait_with_output().expect("it is our child");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}
