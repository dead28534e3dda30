//! Which processes `up` left running: name, id, and when each began, so that an id which the system has given to a stranger
//! is never ended.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use e2e::process::{Signal, began, send};

use crate::folders::folder;

/// How long a process may take to end: longer than a service's own drain.
const END_TIME: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);

/// One process that `up` started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Its name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) pid: u32,
    /// When it began, in the system's own words.
    began: String,
}

/// Writes down processes that run now.
pub(crate) fn write(processes: &[(String, u32)]) -> anyhow::Result<()> {
    let mut text = String::new();
    for (name, pid) in processes {
        let began = began(*pid).with_context(|| format!("{name} ended at once"))?;
        writeln!(text, "{name}\t{pid}\t{began}").expect("a text takes everything");
    }
    fs::write(file(), text).with_context(|| format!("cannot write {}", file().display()))
}

/// What was written down, in that order; nothing when nothing was.
pub(crate) fn read() -> anyhow::Result<Vec<Recorded>> {
    let text = match fs::read_to_string(file()) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file().display())),
    };
    text.lines()
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            let (name, pid, began) = (parts.next(), parts.next(), parts.next());
            let recorded = name.zip(pid.and_then(|pid| pid.parse().ok())).zip(began);
            let ((name, pid), began) = recorded.with_context(|| format!("{} holds nonsense", file().display()))?;
            Ok(Recorded { name: name.to_owned(), pid, began: began.to_owned() })
        })
        .collect()
}

/// Forgets them.
pub(crate) fn forget() -> anyhow::Result<()> {
    fs::remove_file(file()).with_context(|| format!("cannot remove {}", file().display()))
}

fn file() -> PathBuf {
    folder("up").join("pids")
}

impl Recorded {
    /// Whether it still runs, and is still the one that was started.
    pub(crate) fn runs(&self) -> bool {
        began(self.pid).as_ref() == Some(&self.began)
    }

    /// Asks it to end, and insists when it does not. False when it had ended before.
    pub(crate) fn end(&self) -> anyhow::Result<bool> {
        // Postgres waits for its sessions when it is asked the usual way.
        let polite = if self.name == "postgres" { Signal::Interrupt } else { Signal::Terminate };
        if !self.runs() || !send(self.pid, polite) {
            return Ok(false);
        }
        if !self.wait() && self.runs() {
            send(self.pid, Signal::Kill);
            if !self.wait() {
                bail!("{} (process {}) does not end", self.name, self.pid);
            }
        }
        Ok(true)
    }

    fn wait(&self) -> bool {
        let asked = Instant::now();
        while asked.elapsed() < END_TIME {
            if !self.runs() {
                return true;
            }
            std::thread::sleep(PAUSE);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Recorded, began};

    #[test]
    fn a_process_is_known_by_its_id_and_its_beginning() {
        let pid = std::process::id();
        let began = began(pid).expect("this process runs");
        let me = Recorded { name: "test".to_owned(), pid, began };
        assert!(me.runs());
        // The same id, given to a stranger later.
        let stranger = Recorded { began: format!("{}0", me.began), ..me };
        assert!(!stranger.runs());
        assert!(!stranger.end().expect("there is nothing to end"));
    }
}
