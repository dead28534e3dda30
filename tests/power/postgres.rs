//! Postgres: a row counts from the answer to its commit on.

use std::path::Path;

use e2e::{
    disk::Disk,
    ports::Port,
    postgres::{Postgres, Size},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::task::JoinSet;

use super::{Acknowledged, Loss, WRITERS, loses_something, nothing_is_lost};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_committed_is_lost_when_commits_are_synchronous() {
    nothing_is_lost(cut("on").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_rows_are_lost_when_commits_are_not_synchronous() {
    if let Err(why) = loses_something(async || cut("off").await).await {
        e2e::disk::skipped(&why);
    }
}

async fn cut(synchronous_commit: &str) -> Result<Loss, String> {
    let disk = Disk::try_new()?;
    let port = Port::reserve();
    let mut server = start(&disk, &port).await;
    let pool = connect(&server, synchronous_commit).await;
    sqlx::query("CREATE TABLE written (id bigint PRIMARY KEY)").execute(&pool).await.expect("a new database");
    // The WAL writer makes up for missing flushes within a fraction of a second, and stopping many processes takes as long.
    for setting in ["ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()"] {
        sqlx::query(setting).execute(&pool).await.expect("we are its superuser");
    }
    // The cluster is old; only the rows are new.
    disk.settle();

    let committed = Acknowledged::none();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(insert(pool.clone(), i64::try_from(writer).expect("small"), committed.clone()));
    }
    let before = committed.enough().await;
    let frozen = server.freeze();
    let image = disk.copy(&frozen);
    drop(frozen);
    server.kill();
    writers.shutdown().await;
    drop((server, disk));

    let disk = Disk::of(image)?;
    let server = start(&disk, &port).await;
    let pool = connect(&server, synchronous_commit).await;
    let found = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM written WHERE id = ANY($1)").bind(&before);
    let found = found.fetch_one(&pool).await.expect("the table was there before");
    drop(server);
    let acknowledged = before.len();
    Ok(Loss { acknowledged, lost: acknowledged - usize::try_from(found).expect("a count") })
}

/// Inserts until it is ended, one row per commit.
async fn insert(pool: PgPool, writer: i64, committed: Acknowledged<i64>) {
    let writers = i64::try_from(WRITERS).expect("small");
    for n in 0.. {
        let id = n * writers + writer;
        if sqlx::query("INSERT INTO written (id) VALUES ($1)").bind(id).execute(&pool).await.is_err() {
            return;
        }
        committed.add(id);
    }
}

async fn start(disk: &Disk, port: &Port) -> Postgres {
    let data = disk.folder().join("postgres");
    Postgres::start(Size::Small, &data, &log(disk.folder()), port, true).await
}

fn log(folder: &Path) -> std::path::PathBuf {
    folder.join("postgres.log")
}

async fn connect(server: &Postgres, synchronous_commit: &str) -> PgPool {
    let options: PgConnectOptions = server.url("orders").parse().expect("our own URL is well formed");
    let options = options.options([("synchronous_commit", synchronous_commit)]);
    let connections = u32::try_from(WRITERS).expect("small");
    PgPoolOptions::new().max_connections(connections).connect_with(options).await.expect("it answers")
}
