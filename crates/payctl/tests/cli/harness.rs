//! Runs the program with nothing from the test's own environment.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// What it printed, as the one JSON object that it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Fails unless it ended like this.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }
}

/// Runs it.
pub(crate) fn payctl(arguments: &[&str]) -> Ended {
    payctl_reading(arguments, b"")
}

/// Runs it with something on stdin.
pub(crate) fn payctl_reading(arguments: &[&str], stdin: &[u8]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_payctl"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever refuses its arguments does not read, which is not this side's mistake.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

/// The merchants of development.
pub(crate) fn merchants() -> String {
    format!("{}/../../deploy/dev/merchants", env!("CARGO_MANIFEST_DIR"))
}

/// The file of one of them.
pub(crate) fn merchant(name: &str) -> String {
    format!("{}/{name}.toml", merchants())
}

/// The key of one of them.
pub(crate) fn key(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}.key", merchants())).unwrap().trim_end().to_owned()
}

/// A folder with one file in it.
pub(crate) struct Kept {
    _folder: TempDir,
    path: PathBuf,
}

impl Kept {
    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap()
    }
}

/// Writes a file.
pub(crate) fn kept(name: &str, content: &[u8]) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    Kept { _folder: folder, path }
}
