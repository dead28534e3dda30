//! A private Postgres that listens on a Unix socket in its own folder, so that it needs no port.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tempfile::TempDir;

use crate::until;

/// Where Debian keeps the programs of the oldest version that we run on.
const USUAL_BIN: &str = "/usr/lib/postgresql/15/bin";

/// A running server; it ends, by its own process id, when this is dropped.
pub(crate) struct Postgres {
    child: Child,
    /// With the tables of outbox and inbox.
    pub(crate) pool: PgPool,
    folder: TempDir,
}

impl Postgres {
    /// As a service is given it.
    pub(crate) fn url(&self) -> SecretString {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.path().display()).into()
    }

    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let as_postgres = is_root();
        if as_postgres {
            // Postgres refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let mut initdb = program("initdb", as_postgres, folder.path());
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]);
        run(initdb.arg(&data));
        let mut postgres = program("postgres", as_postgres, folder.path());
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path());
        postgres.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"]);
        let mut child = postgres
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start postgres: {error}"));
        let options = PgConnectOptions::new_without_pgpass()
            .socket(folder.path())
            .port(5432)
            .username("postgres")
            .database("postgres");
        let mut connection = until("Postgres answers", || {
            let ended = child.try_wait().expect("the child can be asked");
            assert!(ended.is_none(), "postgres ended with {ended:?}");
            let options = options.clone();
            async move { PgConnection::connect_with(&options).await.ok() }
        })
        .await;
        for migration in [svc_kit::outbox::MIGRATION_SQL, svc_kit::inbox::MIGRATION_SQL] {
            connection.execute(migration).await.expect("the tables are created");
        }
        let pool = PgPoolOptions::new().max_connections(8).connect_lazy_with(options);
        Self { child, pool, folder }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT ends it at once with all its children; SIGKILL would leave them behind for a moment.
        let command = format!("kill -QUIT {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &command]).status();
        let _ = self.child.wait();
    }
}

fn program(name: &str, as_postgres: bool, folder: &Path) -> Command {
    let path = bin(name);
    let mut command = if as_postgres {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    // The folder that the tests run in may be closed to the user postgres.
    command.current_dir(folder).env("LC_ALL", "C");
    command
}

/// `TONGBAO_POSTGRES_BIN`, else where Debian keeps it, else PATH.
fn bin(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("TONGBAO_POSTGRES_BIN") {
        return Path::new(&folder).join(name);
    }
    let usual = Path::new(USUAL_BIN).join(name);
    if usual.exists() { usual } else { PathBuf::from(name) }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("there is `id`");
    output.stdout.trim_ascii() == b"0"
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        let program = command.get_program().display();
        panic!(
            "cannot start {program}: {error}; these tests need Postgres 15 or newer: \
             set TONGBAO_POSTGRES_BIN to the folder that holds initdb and postgres"
        )
    });
    let arguments: Vec<&OsStr> = command.get_args().collect();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?} failed: {complaint}", command.get_program().display());
}
