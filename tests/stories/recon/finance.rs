//! Somebody of finance at a terminal.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use e2e::{World, programs};
use serde_json::Value;
use tempfile::TempDir;

/// A terminal in a folder of its own.
#[derive(Debug)]
pub(super) struct Finance {
    reconcile_url: String,
    token: Option<String>,
    folder: TempDir,
}

impl Finance {
    /// Anybody, who may read.
    pub(super) fn of(world: &World) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { reconcile_url: world.addresses().reconcile.url(), token: None, folder }
    }

    /// A person with a token.
    pub(super) fn as_person(&self, token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { reconcile_url: self.reconcile_url.clone(), token: Some(token.to_owned()), folder }
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a command prints that ends with this code.
    #[track_caller]
    pub(super) fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let ended = self.run(code, arguments);
        String::from_utf8(ended.stdout).expect("it prints text")
    }

    /// What a command says on stderr that ends with this code and prints nothing.
    #[track_caller]
    pub(super) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let ended = self.run(code, arguments);
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "", "{arguments:?}");
        String::from_utf8(ended.stderr).expect("it prints text")
    }

    /// The one JSON object that a command prints.
    #[track_caller]
    pub(super) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let told = self.ends(code, &[arguments, &["--json"]].concat());
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> Output {
        let mut command = Command::new(programs::ours("payctl"));
        command.arg("recon").args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("RECONCILE_URL", &self.reconcile_url);
        command.envs(self.token.as_ref().map(|token| ("PERSON_TOKEN", token)));
        let ended = command.output().expect("payctl was built");
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        ended
    }
}

/// Asserts that all of these stand in a text.
#[track_caller]
pub(super) fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}
