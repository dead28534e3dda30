//! One running program of a world.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::watchdog;

/// How long a program may take to end after it was asked to: longer than a service's own drain.
const END_TIME: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(5);

/// A child whose lines go to a log. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Option<Child>,
    ended: Option<ExitStatus>,
    log: PathBuf,
    last: Signal,
}

/// How a program is asked to end, or to stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Finish and end.
    Terminate,
    /// Postgres: end without waiting for sessions, but cleanly.
    Interrupt,
    /// Postgres: end at once, but leave nothing in the system's shared memory, as a kill would.
    Quit,
    /// No chance to do anything.
    Kill,
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Signal::Terminate => "TERM",
            Signal::Interrupt => "INT",
            Signal::Quit => "QUIT",
            Signal::Kill => "KILL",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        }
    }
}

impl Process {
    /// Starts `command`; what it prints is appended to `log`. `last` is how it ends when it is dropped, or when this
    /// process dies.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(name: &str, mut command: Command, log: &Path, last: Signal) -> Self {
        let lines = open(log);
        let errors = lines.try_clone().expect("a file can be opened twice");
        command.stdin(Stdio::null()).stdout(lines).stderr(errors);
        // Its own group, so that Ctrl-C at the terminal reaches only us, who end the others.
        command.process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        watchdog::watch(child.id(), last.word());
        Self { name: name.to_owned(), child: Some(child), ended: None, log: log.to_owned(), last }
    }

    /// Sends a signal to it, by its id.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap_or_else(|| panic!("{} has ended", self.name));
        assert!(send(child.id(), signal), "{} cannot be sent {}", self.name, signal.word());
    }

    /// Asks it to end and waits.
    ///
    /// # Panics
    /// When it has ended already, or does not end in time.
    pub fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(started.elapsed() < END_TIME, "{} does not end; its log is {}", self.name, self.log.display());
            std::thread::sleep(PAUSE);
        }
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// Never: it is our child.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let Some(child) = self.child.as_mut() else { return self.ended };
        let status = child.try_wait().expect("it is our child")?;
        watchdog::forget(child.id());
        self.child = None;
        self.ended = Some(status);
        self.ended
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.child.is_some() && self.ended().is_none()
    }

    /// Lets it run on after us.
    ///
    /// # Panics
    /// When it has ended.
    #[expect(clippy::zombie_processes, reason = "it outlives us, and then it is not our child any more")]
    pub fn leave_running(mut self) {
        let child = self.child.take();
        let child = child.unwrap_or_else(|| panic!("{} has ended; its log is {}", self.name, self.log.display()));
        watchdog::forget(child.id());
    }

    /// Its id.
    ///
    /// # Panics
    /// When it has ended.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap_or_else(|| panic!("{} has ended; its log is {}", self.name, self.log.display())).id()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its lines are.
    pub fn log(&self) -> &Path {
        &self.log
    }
}

/// The last lines of a log.
pub fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if self.last != Signal::Kill && send(child.id(), self.last) {
            let asked = Instant::now();
            while asked.elapsed() < END_TIME && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(PAUSE);
            }
        }
        // A failure means that it has ended; there is nobody to tell.
        let _ = child.kill();
        let _ = child.wait();
        watchdog::forget(child.id());
    }
}

/// Sends a signal to any process; whether there was one. The standard library can only kill; `kill` of the shell can all signals.
pub fn send(pid: u32, signal: Signal) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -\"$0\" \"$1\"", signal.word(), &pid.to_string()]);
    shell.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// When the process of this id began, in the system's own words: no two processes of one id began at the same time. `None` when there is none, or only its exit status is left.
pub fn began(pid: u32) -> Option<String> {
    if let Ok(boot) = fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        // "id (name) state parent … start …": the name may hold anything, even brackets.
        let told = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = told.rsplit_once(") ")?.1.split(' ').collect();
        let (state, start) = (fields.first()?, fields.get(19)?);
        return (!matches!(*state, "Z" | "X")).then(|| format!("{}/{start}", boot.trim()));
    }
    let ps =
        Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&ps.stdout);
    let (state, start) = text.trim().split_once(' ')?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

fn open(log: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()))
}

#[cfg(test)]
mod tests {
    use super::began;

    #[test]
    fn a_process_that_has_ended_is_not_there() {
        assert!(began(std::process::id()).is_some());
        let mut child = std::process::Command::new("true").spawn().expect("every system has it");
        child.wait().expect("it is our child");
        assert_eq!(began(child.id()), None);
    }
}
