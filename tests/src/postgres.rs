//! A private Postgres: its own folder and port, its own processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{
    eventually,
    frozen::Frozen,
    ports::Port,
    process::{Process, Signal},
    programs, watchdog,
};

/// What a new cluster is told, and in which database it is told so. Our two databases are all that is left: the others would
/// only make each copy slower.
const MAKING_DATABASES: [(&str, &str); 2] = [
    (
        "template1",
        "ALTER DATABASE postgres RENAME TO orders;
ALTER DATABASE template0 IS_TEMPLATE false;
DROP DATABASE template0;",
    ),
    (
        "orders",
        "ALTER DATABASE template1 IS_TEMPLATE false;
ALTER DATABASE template1 RENAME TO reconcile;",
    ),
];

/// What every cluster of ours is told: where it listens, and nothing that makes a commit less durable.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
dynamic_shared_memory_type = mmap
log_min_messages = log
";

/// How much a cluster is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A story's: little memory, short log segments, nothing that runs by itself.
    Small,
    /// As a person would set it up who means to use it.
    Usual,
}

impl Size {
    fn word(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Usual => "usual",
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Size::Small => "shared_buffers = 32MB\nautovacuum_naptime = 1h\n",
            Size::Usual => "shared_buffers = 512MB\nmax_wal_size = 4GB\nmin_wal_size = 4GB\n",
        }
    }

    /// Megabytes of a segment of its log.
    fn segment(self) -> u8 {
        match self {
            Size::Small => 1,
            Size::Usual => 16,
        }
    }
}

/// A Postgres that runs, or has been stopped and may run again. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    data: PathBuf,
    log: PathBuf,
    port: u16,
    /// Whether the data outlives this.
    keep: bool,
    process: Option<Process>,
}

impl Postgres {
    /// Starts one at `port` on the folder `data`, which is filled when it is not there, and removed in the end unless it is
    /// to be kept.
    ///
    /// # Panics
    /// When it cannot be made or does not answer.
    pub async fn start(size: Size, data: &Path, log: &Path, port: &Port, keep: bool) -> Self {
        let (from, to) = (data.to_owned(), data.to_owned());
        // Copying a cluster takes a moment, and the other parts start meanwhile.
        let copied = tokio::task::spawn_blocking(move || {
            if !from.join("PG_VERSION").exists() {
                copy(&template(size), &to);
            }
        });
        copied.await.expect("the template can be copied");
        let mut postgres =
            Self { data: data.to_owned(), log: log.to_owned(), port: port.number(), keep, process: None };
        postgres.again().await;
        postgres
    }

    /// Starts it again after [`Postgres::stop`] or [`Postgres::kill`].
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn again(&mut self) {
        self.process = Some(self.spawn());
        eventually("Postgres answers", async || {
            // After a kill, old sessions may hold the data folder for a moment, and the new server gives up.
            if !self.process.as_mut().is_some_and(Process::runs) {
                self.process = Some(self.spawn());
            }
            let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(2));
            let pool = pool.connect(&self.url("orders")).await.map_err(|error| error.to_string())?;
            let one: Result<i32, _> = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await;
            pool.close().await;
            one.map_err(|error| error.to_string())
        })
        .await;
    }

    fn spawn(&self) -> Process {
        let mut command = programs::as_postgres(&programs::postgres("postgres"));
        command.arg("-D").arg(&self.data).arg("-p").arg(self.port.to_string());
        command.current_dir("/").env("LC_ALL", "C");
        Process::start("postgres", command, &self.log, Signal::Quit)
    }

    /// Ends it without waiting for its sessions.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Interrupt);
        }
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Kill);
        }
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// A pool on one of its databases, for looking.
    ///
    /// # Panics
    /// Never: the URL is our own.
    pub fn pool(&self, database: &str) -> PgPool {
        let options = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(30));
        options.connect_lazy(&self.url(database)).expect("our own URL is well formed")
    }

    /// Lets it stand still, with all its sessions, until it dies.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) -> Frozen {
        Frozen::freeze(self.process.as_ref().expect("only what runs can be frozen"))
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::runs)
    }

    /// Its process, when it runs.
    pub(crate) fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Hands its process over.
    pub(crate) fn into_process(mut self) -> Option<Process> {
        self.process.take()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.process = None;
        if !self.keep {
            let _ = fs::remove_dir_all(&self.data); // What is left lies in a folder for temporary things.
        }
    }
}

/// The URL of a database of the Postgres at `port`.
pub fn url(port: u16, database: &str) -> String {
    format!("postgres://tongbao@127.0.0.1:{port}/{database}")
}

/// Where the data of a world in `folder` lies until the world ends. Postgres never runs as root, and the user it runs as
/// then may not see into root's folders.
pub fn temporary_data(folder: &Path) -> PathBuf {
    if !programs::are_root() {
        return folder.join("postgres");
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let data = std::env::temp_dir().join(format!("tongbao-postgres-{}-{name}", std::process::id()));
    watchdog::remove_at_the_end(&data);
    data
}

/// One maker per process is enough; another process may make one at the same time.
static MAKING: Mutex<()> = Mutex::new(());

/// An empty cluster with our databases, made once per machine and copied for each world: initdb takes seconds.
fn template(size: Size) -> PathBuf {
    let version = Command::new(programs::postgres("postgres")).arg("--version").output().expect("Postgres was found");
    let version = String::from_utf8_lossy(&version.stdout);
    let version: String = version.chars().filter(char::is_ascii_alphanumeric).collect();
    let user = if programs::are_root() { "root" } else { "user" };
    let name = format!("tongbao-template-6-{}-{version}-{user}-{}", size.word(), owner());
    let template = std::env::temp_dir().join(name);
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if template.join("PG_VERSION").exists() {
        return template;
    }
    // Made aside and moved into place whole, so that two makers do not meet.
    let aside =
        std::env::temp_dir().join(format!("tongbao-template-making-{}-{}", std::process::id(), fastrand::u64(..)));
    let mut initdb = programs::as_postgres(&programs::postgres("initdb"));
    initdb.arg("-D").arg(&aside).args(["-U", "tongbao", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    run(initdb.arg(format!("--wal-segsize={}", size.segment())).current_dir("/"));
    let mut settings = programs::as_postgres(Path::new("/bin/sh"));
    run(settings
        .args(["-c", "printf '%s' \"$1\" >> \"$0\"/postgresql.conf"])
        .arg(&aside)
        .arg(format!("{SETTINGS}{}", size.settings()))
        .current_dir("/"));
    for (connected, commands) in MAKING_DATABASES {
        let mut single = programs::as_postgres(Path::new("/bin/sh"));
        let script = format!("printf '%s\\n' \"$2\" | \"$0\" --single -D \"$1\" {connected}");
        single.args(["-c", &script]).arg(programs::postgres("postgres")).arg(&aside).arg(commands);
        run(single.current_dir("/"));
    }
    if fs::rename(&aside, &template).is_err() {
        // Somebody was faster; theirs is as good.
        let _ = fs::remove_dir_all(&aside);
    }
    template
}

/// Whose template it is, so that two users of one machine do not meet either.
fn owner() -> String {
    let id = Command::new("id").arg("-u").output().expect("every system has id");
    String::from_utf8_lossy(id.stdout.trim_ascii()).into_owned()
}

fn copy(template: &Path, data: &Path) {
    if let Some(above) = data.parent() {
        fs::create_dir_all(above).expect("the world's folder can be made");
    }
    // With its owner, because Postgres serves only what is its own.
    run(Command::new("cp").arg("-a").arg(template).arg(data));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
