//! A Postgres pool with every wait bounded, and a start that waits for the database with a message.
//!
//! A lost network is noticed by the server through TCP keep-alive; sqlx has no read timeout, so callers put their own
//! deadline around what must answer.

mod kept;

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, Row as _};
use tokio::time::Instant;

use crate::admin::Part;
use crate::process::Tasks;

pub use kept::{Kept, Taken};

/// The oldest server we run on, as `server_version_num` tells it.
const OLDEST_VERSION: u32 = 150_000;

/// How long one attempt to connect may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// Between two attempts to connect at the start.
const PAUSE: Duration = Duration::from_millis(200);

/// [`Settings::idle_in_transaction_timeout`], unless somebody sets another.
pub(crate) const IDLE_IN_TRANSACTION_TIME: Duration = Duration::from_secs(15);

/// An idle connection is closed after this time.
const IDLE_TIME: Duration = Duration::from_mins(10);

/// A connection is replaced after this time, so that a failover or a new address is noticed.
const LIFETIME: Duration = Duration::from_mins(30);

/// How long a connection that is given back may take to answer.
const RELEASE_TIME: Duration = Duration::from_secs(5);

/// A connection that answered less than this ago is not asked before it is used.
const FRESH_TIME: Duration = Duration::from_secs(1);

/// How long one step of a background loop may take. sqlx has no read timeout of its own: a database that went silent without
/// a word would stop a loop for ever.
pub const STEP_TIME: Duration = Duration::from_secs(10);

/// How often a running process asks whether the database answers, and how long that may take.
const WATCH_TIME: Duration = Duration::from_secs(5);

/// Ends a step that takes longer than [`STEP_TIME`], as if the database were away. Its transaction rolls back, unless its commit was
/// on its way.
///
/// # Errors
/// The step's own, or [`sqlx::Error::Io`] with [`std::io::ErrorKind::TimedOut`].
pub async fn timely<T>(step: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(STEP_TIME, step).await.unwrap_or_else(|_| {
        let silent = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database is silent");
        Err(sqlx::Error::Io(silent))
    })
}

/// Limits of one process's use of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Shown in `pg_stat_activity`: the name of the process.
    pub application_name: String,
    /// Connections at most. All processes together must stay under the server's `max_connections`.
    pub max_connections: u32,
    /// Connections kept open when nothing happens.
    pub min_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_timeout: Duration,
    /// The server cuts off a statement that takes longer.
    pub statement_timeout: Duration,
    /// The server cuts off a statement that waits longer for a lock.
    pub lock_timeout: Duration,
    /// The server ends a session whose transaction is open and idle for longer: its locks would stop everyone.
    pub idle_in_transaction_timeout: Duration,
    /// How long a start waits for a database that cannot be reached.
    pub start_timeout: Duration,
    /// Every statement of the process finds its rows by an index, also in a table that is still small.
    pub by_index: bool,
    /// Plans are kept whatever the values are: for connections whose statements take lists of ids. Postgres would go on making a
    /// new plan for each list, because it takes one of unknown length for a longer one than any that comes, and that takes longer
    /// than executing it. Not for statements with optional conditions: their best index depends on the values.
    pub keep_plans: bool,
}

/// A connection keeps the plan of a statement until statistics are made anew, and for a table of a few rows the cheapest plan is
/// to read all of it. When the table then grows by thousands of rows a second, that plan reads all of those, each time. So a
/// process whose statements all have their index says so, and gets it at once. What has no index is still read, without the
/// compiler that the high price of such a plan would call for.
const BY_INDEX: [(&str, &str); 4] =
    [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off")];

/// See [`Settings::keep_plans`].
const KEEP_PLANS: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];

impl Settings {
    /// The usual limits for a process of this name.
    pub fn new(application_name: impl Into<String>) -> Self {
        Self {
            application_name: application_name.into(),
            max_connections: 16,
            min_connections: 1,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: IDLE_IN_TRANSACTION_TIME,
            start_timeout: Duration::from_secs(30),
            by_index: false,
            keep_plans: false,
        }
    }

    fn options(&self, url: &SecretString) -> anyhow::Result<PgConnectOptions> {
        // The parser's own text can hold parts of the URL, so it is not passed on.
        let options: PgConnectOptions = url.expose_secret().parse().map_err(|_| {
            anyhow!("the database URL is not a Postgres URL, such as postgres://user:password@host:5432/database")
        })?;
        let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
        let options = if self.by_index { options.options(BY_INDEX) } else { options };
        let options = if self.keep_plans { options.options(KEEP_PLANS) } else { options };
        Ok(options.application_name(&self.application_name).options([
            ("statement_timeout", milliseconds(self.statement_timeout)),
            ("lock_timeout", milliseconds(self.lock_timeout)),
            ("idle_in_transaction_session_timeout", milliseconds(self.idle_in_transaction_timeout)),
            // Ignored on a Unix socket, which cannot lose its network.
            ("tcp_keepalives_idle", "15".to_owned()),
            ("tcp_keepalives_interval", "5".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
        ]))
    }
}

/// Opens a pool on the database at `url`, once the database answers and is new enough.
///
/// While it cannot be reached, is starting, or has no free connection, this waits with a message, at most
/// [`Settings::start_timeout`]. A wrong password, an unknown database or an old server is final at once.
///
/// # Errors
/// One line that says what is wrong and names host, port and database, never the password.
pub async fn connect(url: &SecretString, settings: &Settings) -> anyhow::Result<PgPool> {
    let options = settings.options(url)?;
    let place = place(&options);
    let deadline = Instant::now() + settings.start_timeout;
    let mut waiting = false;
    loop {
        let attempt = deadline.min(Instant::now() + CONNECT_TIME);
        let error = match tokio::time::timeout_at(attempt, check(&options)).await {
            Ok(Ok(())) => break,
            Ok(Err(error)) if !is_worth_waiting(&error) => {
                return Err(plain(error).context(format!("cannot use the Postgres database {place}")));
            }
            Ok(Err(error)) => error,
            Err(_elapsed) => anyhow!("no answer in {CONNECT_TIME:?}"),
        };
        if deadline <= Instant::now() + PAUSE {
            let waited = settings.start_timeout.as_secs();
            return Err(plain(error).context(format!("cannot reach the Postgres database {place} (waited {waited} s)")));
        }
        if !waiting {
            tracing::info!("waiting for the Postgres database {place}: {error:#}");
            waiting = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .min_connections(settings.min_connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(IDLE_TIME)
        .max_lifetime(LIFETIME)
        // The pool's own test has no limit: a connection whose other end is gone would keep its place for ever.
        .after_release(|conn, _| Box::pin(is_free(conn)))
        .test_before_acquire(false)
        .before_acquire(|conn, known| {
            // It came back in good order a moment ago: asking once more would cost as much as a statement.
            let is_fresh = known.idle_for < FRESH_TIME;
            Box::pin(async move { if is_fresh { Ok(true) } else { is_heard(conn).await } })
        })
        .connect_lazy_with(options))
}

/// Whether a connection of the pool still answers. One that does not is thrown away.
async fn is_heard(conn: &mut PgConnection) -> sqlx::Result<bool> {
    soon(conn.ping()).await.map(|()| true)
}

/// Whether a connection that comes back answers, and is in no transaction. One whose `BEGIN` was given up before its answer is in one
/// that sqlx 0.9 knows nothing of: whoever got it next would believe in commits that are none.
async fn is_free(conn: &mut PgConnection) -> sqlx::Result<bool> {
    // In a transaction now() is when that began. Without one it is when a simple query came; a prepared one comes in several messages.
    let free = async { sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(conn).await?.try_get(0) };
    soon(free).await
}

async fn soon<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let silent = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the connection is silent"));
    tokio::time::timeout(RELEASE_TIME, answer).await.map_err(silent)?
}

/// Brings the database to this release's shape: `migrate(&pool, sqlx::migrate!()).await?`. Several processes may do so at
/// once; one works, the others wait for it.
///
/// Migrations of a later release are left alone: migrations only expand, so an older release runs on a newer shape, and
/// going back a release needs no change of the database.
///
/// # Errors
/// When a migration fails, or one that was applied has been modified since.
pub async fn migrate(pool: &PgPool, mut migrator: Migrator) -> anyhow::Result<()> {
    migrator.set_ignore_missing(true);
    let connection = pool.acquire().await.context("cannot migrate the database")?;
    // Detached, because its limits are its own: building an index may take longer than any statement of ours.
    let mut connection = connection.detach();
    connection.execute("SET statement_timeout = '10min'; SET lock_timeout = '1min'").await?;
    migrator.run(&mut connection).await.context("cannot migrate the database")?;
    connection.close().await.context("cannot close the connection that migrated")
}

/// Keeps `part` ready while the database answers. A database that went away makes the process not ready, never dead:
/// it works again when the database does.
pub fn watch(pool: PgPool, part: Part, tasks: &Tasks) {
    let stop = tasks.stop();
    tasks.spawn("postgres watch", async move {
        while !stop.is_cancelled() {
            match tokio::time::timeout(WATCH_TIME, pool.execute("SELECT 1")).await {
                Ok(Ok(_)) => part.ready(),
                // The error itself is logged by whoever needed the database; here it could repeat every few seconds.
                Ok(Err(_)) => part.not_ready("does not answer"),
                Err(_elapsed) => part.not_ready("answers too slowly"),
            }
            let _ = tokio::time::timeout(WATCH_TIME, stop.cancelled()).await;
        }
        Ok(())
    });
}

/// `name at host:5432` or `name at /socket/folder`: what an error may say about a URL.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{database} at {}", socket.display()),
        None => format!("{database} at {}:{}", options.get_host(), options.get_port()),
    }
}

/// Connects once and looks at the server's version.
async fn check(options: &PgConnectOptions) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(options).await?;
    let version: String = sqlx::query_scalar("SHOW server_version_num").fetch_one(&mut connection).await?;
    let version: u32 = version.parse().context("the server's version is not a number")?;
    connection.close().await?;
    if version < OLDEST_VERSION {
        bail!("Postgres {}.{} is too old; 15 or newer is needed", version / 10_000, version % 10_000);
    }
    Ok(())
}

/// The server's own sentence, without the line of the server's source that sqlx adds.
fn plain(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(refusal)) => anyhow!("{}", refusal.message()),
        _ => error,
    }
}

/// Whether the same attempt may succeed a little later.
fn is_worth_waiting(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Io(_)) => true,
        // cannot_connect_now, admin_shutdown, crash_shutdown, too_many_connections
        Some(sqlx::Error::Database(refusal)) => {
            matches!(refusal.code().as_deref(), Some("57P03" | "57P01" | "57P02" | "53300"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::one_line;

    #[tokio::test]
    async fn a_database_that_is_not_there_is_named_without_its_password() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().display();
        let url = SecretString::from(format!("postgres://order:hunter2@localhost/orders?host={socket}"));
        let settings = Settings { start_timeout: Duration::ZERO, ..Settings::new("order-svc") };
        let error = connect(&url, &settings).await.expect_err("nothing listens there");
        let line = one_line(&error);
        let begin = format!("error: cannot reach the Postgres database orders at {socket} (waited 0 s): caused by ");
        assert!(line.starts_with(&begin), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }

    #[tokio::test]
    async fn what_is_not_a_postgres_url_is_refused_without_repeating_it() {
        let url = SecretString::from("hunter2");
        let error = connect(&url, &Settings::new("order-svc")).await.expect_err("not a URL");
        let line = one_line(&error);
        assert!(line.starts_with("error: the database URL is not a Postgres URL"), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}
