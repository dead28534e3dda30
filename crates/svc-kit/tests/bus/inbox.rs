use std::collections::HashSet;

use svc_kit::inbox;

use crate::postgres::Postgres;

fn ids<const N: usize>(ids: [&str; N]) -> HashSet<String> {
    ids.map(str::to_owned).into()
}

#[tokio::test]
async fn a_fact_is_new_once_per_durable_and_only_when_it_was_committed() {
    let postgres = Postgres::start().await;
    let mut tx = postgres.pool.begin().await.expect("a transaction");
    let new = inbox::record(&mut tx, "a", &["1", "2", "1"]).await.expect("recorded");
    assert_eq!(new, ids(["1", "2"]));
    tx.rollback().await.expect("rolled back");

    let mut tx = postgres.pool.begin().await.expect("a transaction");
    assert_eq!(inbox::record(&mut tx, "a", &["1"]).await.expect("recorded"), ids(["1"]));
    assert_eq!(inbox::record(&mut tx, "a", &["1", "2"]).await.expect("recorded"), ids(["2"]));
    assert_eq!(inbox::record(&mut tx, "b", &["1"]).await.expect("recorded"), ids(["1"]));
    assert_eq!(inbox::record::<&str>(&mut tx, "b", &[]).await.expect("recorded"), ids([]));
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn old_records_are_forgotten_and_young_ones_kept() {
    let postgres = Postgres::start().await;
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    let old: Vec<String> = (0..2_500).map(|n| format!("old-{n}")).collect();
    inbox::record(&mut connection, "a", &old).await.expect("recorded");
    sqlx::query("UPDATE applied_events SET applied_at = now() - interval '41 days'")
        .execute(&mut *connection)
        .await
        .expect("they are older now");
    inbox::record(&mut connection, "a", &["young"]).await.expect("recorded");
    assert_eq!(inbox::prune(&postgres.pool, inbox::KEEP).await.expect("pruned"), 2_500);
    assert_eq!(inbox::prune(&postgres.pool, inbox::KEEP).await.expect("pruned"), 0);
    assert_eq!(inbox::record(&mut connection, "a", &["young"]).await.expect("recorded"), ids([]));
}
