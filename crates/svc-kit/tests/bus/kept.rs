use sqlx::PgConnection;
use svc_kit::postgres::Kept;

use crate::postgres::Postgres;
use crate::until;

/// Which session of the server a connection is.
async fn session(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await.expect("it answers")
}

#[tokio::test]
async fn a_busy_loop_keeps_its_connections_and_an_idle_one_has_none() {
    let postgres = Postgres::start().await;
    let kept = Kept::of(postgres.pool.clone());
    let (mut first, mut second) = (kept.take().await.expect("a connection"), kept.take().await.expect("another"));
    let mut sessions = [session(&mut first).await, session(&mut second).await];
    first.keep();
    second.keep();
    let (mut first, mut second) = (kept.take().await.expect("it is there"), kept.take().await.expect("it is there"));
    let mut again = [session(&mut first).await, session(&mut second).await];
    sessions.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, sessions);

    // One comes back by itself, the other because nobody uses it.
    drop(first);
    second.keep();
    let pool = &postgres.pool;
    until("the pool has all of them", || async { (u32::try_from(pool.num_idle()) == Ok(pool.size())).then_some(()) })
        .await;
}

#[tokio::test]
async fn what_is_in_the_middle_of_something_is_given_to_nobody() {
    let postgres = Postgres::start().await;
    let kept = Kept::of(postgres.pool.clone());
    let mut taken = kept.take().await.expect("a connection");
    let discarded = session(&mut taken).await;
    taken.discard();
    let mut next = kept.take().await.expect("another");
    assert_ne!(session(&mut next).await, discarded);
}
