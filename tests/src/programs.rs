//! Where programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder of the workspace.
///
/// # Panics
/// Never: this crate lies in it.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// The folder that cargo builds into.
///
/// # Panics
/// When nothing was built there.
pub fn target_folder() -> PathBuf {
    let program = ours("sandbox");
    program.ancestors().nth(2).expect("programs lie in target/<profile>").to_owned()
}

/// One of our own programs, beside the one that runs.
///
/// # Panics
/// When it was not built.
pub fn ours(name: &str) -> PathBuf {
    let running = env::current_exe().expect("this program knows its file");
    let found = running.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} was not built; run `cargo build --workspace --bins` first, as `make test` does")
    })
}

/// nats-server.
///
/// # Panics
/// When it is neither named nor on PATH.
pub fn nats_server() -> PathBuf {
    named("TONGBAO_NATS_SERVER").or_else(|| on_path("nats-server")).unwrap_or_else(|| missing("nats-server"))
}

/// A program of Postgres.
///
/// # Panics
/// When Postgres is neither named nor on PATH.
pub fn postgres(name: &str) -> PathBuf {
    let named = named("TONGBAO_POSTGRES_BIN").map(|folder| folder.join(name));
    named.or_else(|| on_path(name)).unwrap_or_else(|| missing(name))
}

fn missing(program: &str) -> ! {
    panic!("{program} is missing: run scripts/provision, as `make test` does")
}

/// A path that the environment names, or else the last run of `scripts/provision`.
fn named(variable: &str) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let dev = env::var_os("TONGBAO_DEV_DIR").map_or_else(|| workspace().join(".dev"), PathBuf::from);
    let text = fs::read_to_string(dev.join("provision.env")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix('='))?;
    // The file is for shells; only a shell reads a path with quoted characters.
    (!value.is_empty() && !value.contains(['\\', '\'', '"', '$'])).then(|| value.into())
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether we are root, whom Postgres refuses to run as.
///
/// # Panics
/// When the system has no `id`.
pub fn are_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| {
        let id = Command::new("id").arg("-u").output().expect("every system has id");
        id.stdout.trim_ascii() == b"0"
    })
}

/// A command that runs as the user `postgres` when we are root, with the same process id.
pub fn as_postgres(program: &Path) -> Command {
    if !are_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}
