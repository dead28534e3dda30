//! What a pool gives to the next one who asks.

use sqlx::{Connection as _, Row as _};
use svc_kit::postgres::{Settings, connect};

use crate::postgres::Postgres;

#[tokio::test]
async fn whoever_gives_up_while_a_transaction_begins_leaves_none_to_the_next() {
    let postgres = Postgres::start().await;
    let settings = Settings { max_connections: 1, ..Settings::new("test") };
    let pool = connect(&postgres.url(), &settings).await.expect("the server is there");
    let mut connection = pool.acquire().await.expect("a connection");
    let mut begin = Box::pin(connection.begin());
    // The first poll sends it; the answer cannot be there.
    assert!(futures::poll!(&mut begin).is_pending());
    drop(begin);
    drop(connection);
    let row = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(&pool).await.expect("it answers");
    let is_alone: bool = row.get(0);
    assert!(is_alone, "the next one is in a transaction of somebody who gave up");
}

#[tokio::test]
async fn a_connection_whose_transaction_ended_is_given_again() {
    let postgres = Postgres::start().await;
    let settings = Settings { max_connections: 1, ..Settings::new("test") };
    let pool = connect(&postgres.url(), &settings).await.expect("the server is there");
    let session = "SELECT pg_backend_pid()";
    let first: i32 = sqlx::query_scalar(session).fetch_one(&pool).await.expect("it answers");
    let mut dropped = pool.begin().await.expect("it begins");
    sqlx::query("SELECT 1").execute(&mut *dropped).await.expect("it answers");
    drop(dropped);
    pool.begin().await.expect("it begins").commit().await.expect("it commits");
    let last: i32 = sqlx::query_scalar(session).fetch_one(&pool).await.expect("it answers");
    assert_eq!(last, first, "nothing was wrong with it");
}
