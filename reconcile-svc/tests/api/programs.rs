//! A private Postgres, shared by the tests that run at the same time, and a NATS server for each test.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// Generous: a loaded machine may be ten times slower than ours.
const START_TIME: Duration = Duration::from_mins(2);

/// Pause between two looks at something that is starting.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running Postgres without TCP: its socket is in its own folder, so nothing can be in its way.
pub(crate) struct Postgres {
    server: Child,
    folder: TempDir,
}

impl Postgres {
    /// The one that runs, or a new one. It ends when the last test that holds it does.
    pub(crate) fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *running = Arc::downgrade(&started);
            started
        })
    }

    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for Postgres");
        let data = folder.path().join("data");
        let path = folder.path().to_str().expect("a readable path");
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(folder.path()), "give the folder to the user postgres");
        }
        let mut initdb = postgres_command("initdb");
        initdb.arg("-D").arg(&data).args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        done(&mut initdb, "run initdb");
        let log = fs::File::create(folder.path().join("log")).expect("a log file");
        let server = postgres_command("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300", "-k", path])
            .stdout(Stdio::null())
            .stderr(log)
            // Its own group, so that an interrupt at the terminal reaches the test first.
            .process_group(0)
            .spawn()
            .expect("Postgres starts");
        Self { server, folder }
    }

    /// An empty database.
    pub(crate) async fn database(&self) -> String {
        let deadline = Instant::now() + START_TIME;
        let mut connection = loop {
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(connection) => break connection,
                Err(error) if deadline < Instant::now() => {
                    let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                    panic!("Postgres does not answer: {error}\n{log}");
                }
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.path().display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is Postgres' fast shutdown: it ends its own processes.
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let deadline = Instant::now() + START_TIME;
        while matches!(self.server.try_wait(), Ok(None)) {
            if deadline < Instant::now() {
                let _ = self.server.kill();
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// A running NATS server with JetStream.
pub(crate) struct Nats {
    server: Child,
    folder: TempDir,
}

impl Nats {
    pub(crate) fn start() -> Self {
        let program =
            std::env::var_os("TONGBAO_NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
        let folder = tempfile::tempdir().expect("a folder for NATS");
        // Streams reserve what they may become, whatever the disk of this machine has left.
        let config = folder.path().join("nats.conf");
        let store = folder.path().join("store");
        let text = format!("jetstream {{ store_dir: \"{}\", max_file_store: 1TB }}\n", store.display());
        fs::write(&config, text).expect("the folder takes a file");
        let server = Command::new(&program)
            // Port -1 is any free one; the server writes it into the folder.
            .args(["-a", "127.0.0.1", "-p", "-1", "-c"])
            .arg(&config)
            .arg("--ports_file_dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let server = server.unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}): put nats-server 2.14 or newer on PATH, or name it in TONGBAO_NATS_SERVER",
                program.display()
            )
        });
        Self { server, folder }
    }

    /// Where it listens, once it does.
    pub(crate) async fn url(&mut self) -> String {
        let deadline = Instant::now() + START_TIME;
        loop {
            if let Some(url) = announced(self.folder.path()) {
                return url;
            }
            let ended = self.server.try_wait().expect("the server is ours");
            assert!(ended.is_none(), "nats-server ended at once: {ended:?}");
            assert!(Instant::now() < deadline, "nats-server does not listen");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn announced(folder: &Path) -> Option<String> {
    let mut ports = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let file = ports.find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    // A file that is half written is not JSON yet.
    let told: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    Some(told["nats"][0].as_str()?.to_owned())
}

/// A program of Postgres, as a user that it accepts.
fn postgres_command(program: &str) -> Command {
    let program = postgres_program(program);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn postgres_program(program: &str) -> PathBuf {
    let named = std::env::var_os("TONGBAO_POSTGRES_BIN").map(PathBuf::from);
    let folders = named.map_or_else(usual_folders, |folder| vec![folder]);
    let found = folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{program} of Postgres 15 or newer is not found: install it, or name its folder in TONGBAO_POSTGRES_BIN")
    })
}

fn usual_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(PathBuf::from("/usr/lib/postgresql/15/bin")).chain(std::env::split_paths(&path)).collect()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id can be run");
    output.stdout.trim_ascii() == b"0"
}

fn done(command: &mut Command, what: &str) {
    // A folder that the user postgres may not enter would be a confusing failure.
    let output: Output = command.current_dir("/").output().unwrap_or_else(|error| panic!("cannot {what}: {error}"));
    assert!(output.status.success(), "cannot {what}: {}", String::from_utf8_lossy(&output.stderr));
}
