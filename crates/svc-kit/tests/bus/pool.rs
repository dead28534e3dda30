//! What a pool gives to the next one who asks.

use std::task::Poll;

use sqlx::Row as _;
use svc_kit::postgres::{Settings, connect};

use crate::postgres::Postgres;

/// Polls before a caller gives up: before, while and after the answer to its BEGIN is on its way.
const MOST_POLLS: usize = 12;

#[tokio::test]
async fn whoever_gives_up_while_a_transaction_begins_leaves_none_to_the_next() {
    let postgres = Postgres::start().await;
    let settings = Settings { max_connections: 1, ..Settings::new("test") };
    let pool = connect(&postgres.url(), &settings).await.expect("the server is there");
    let mut given_up = 0;
    for polls in (1..=MOST_POLLS).cycle().take(10 * MOST_POLLS) {
        // Warm, so that the first poll sends something.
        sqlx::query("SELECT 1").execute(&pool).await.expect("it answers");
        let mut begin = Box::pin(pool.begin());
        for _ in 0..polls {
            if let Poll::Ready(begun) = futures::poll!(&mut begin) {
                drop(begun.expect("it begins"));
                break;
            }
            given_up += 1;
            tokio::task::yield_now().await;
        }
        drop(begin);
        let row = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(&pool).await.expect("it answers");
        let is_alone: bool = row.get(0);
        assert!(is_alone, "the next one is in a transaction of somebody who gave up after {polls} polls");
    }
    assert!(0 < given_up, "not even the first poll was too early");
}
