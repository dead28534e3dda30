use std::collections::BTreeSet;

use tokio::task::JoinSet;

use crate::harness::{MCH_ID, PATH, World, deliver, sent, until};

/// The number of the n-th transaction.
fn transaction(n: usize) -> String {
    format!("42000020260814{n:014}")
}

/// Delivers these transactions all at once, each again and again until it is taken.
fn deliver_all(world: &World, transactions: impl IntoIterator<Item = usize>) -> JoinSet<()> {
    transactions.into_iter().map(|n| deliver(world.service.http, PATH, sent(&transaction(n)))).collect()
}

/// Waits until this many facts wait behind the publish that is under way, or the bus gave up meanwhile.
async fn queued(world: &World, least: u64) {
    until("callbacks wait for the bus", async || {
        let enough = least <= world.service.metric("publish_waiting").await;
        (enough || !world.service.is_ready().await).then_some(())
    })
    .await;
}

async fn assert_stored_once(world: &World, count: usize) {
    let stored = world.nats.stored().await;
    let ids: BTreeSet<_> = stored.iter().map(|message| message.headers["Nats-Msg-Id"].clone()).collect();
    let expected: BTreeSet<_> = (0..count).map(|n| format!("paid:wechat-v2:{MCH_ID}:{}", transaction(n))).collect();
    assert_eq!(ids, expected);
    assert_eq!(stored.len(), count, "each exactly once");
}

#[tokio::test]
async fn two_hundred_callbacks_at_once_are_all_kept_once_and_share_publishes() {
    let world = World::start().await;
    world.gate.hold_answers();
    let deliveries = deliver_all(&world, 0..200);
    // At most a hundred are taken for the first publish; the others wait.
    queued(&world, 100).await;
    world.gate.release();
    deliveries.join_all().await;
    assert_stored_once(&world, 200).await;
    let publishes = world.service.metric("publish_batch_size_count").await;
    let facts = world.service.metric("publish_batch_size_sum").await;
    assert!(publishes < facts, "{facts} facts in {publishes} publishes");
}

#[tokio::test]
async fn a_fact_that_is_known_does_not_keep_its_neighbours_from_being_kept() {
    let world = World::start().await;
    assert!(world.notify(&sent(&transaction(0))).await.is_success());
    world.gate.hold_answers();
    let first = deliver_all(&world, 1..2);
    until("a publish is under way", async || {
        let under_way = world.service.metric("publish_under_way").await == 1;
        (under_way || !world.service.is_ready().await).then_some(())
    })
    .await;
    // The known one is in the middle of what is published together next, and one is there twice.
    let others = deliver_all(&world, [2, 3, 0, 4, 4, 5]);
    queued(&world, 6).await;
    world.gate.release();
    first.join_all().await;
    others.join_all().await;
    assert_stored_once(&world, 6).await;
}

#[tokio::test]
async fn what_cannot_wait_any_more_is_refused_at_once_and_kept_when_it_comes_again() {
    let flags = ["--queue-length", "4", "--request-time-ms", "18000", "--publish-time-ms", "18000"];
    let world = World::with(&flags).await;
    world.gate.hold_answers();
    let deliveries = deliver_all(&world, 0..20);
    until("callbacks are refused", async || (1 <= world.service.ended("overloaded").await).then_some(())).await;
    world.gate.release();
    deliveries.join_all().await;
    assert_stored_once(&world, 20).await;
}
