use crate::harness::{PATH, World, post, sent, until};

const TRANSACTION: &str = "4200002026081400000000000001";

#[tokio::test]
async fn a_callback_that_was_accepted_is_finished_before_the_process_ends() {
    let mut world = World::start().await;
    let _idle = tokio::net::TcpStream::connect(world.service.http).await.expect("it listens");
    world.gate.hold_answers();
    let http = world.service.http;
    let callback = tokio::spawn(async move { post(http, PATH, sent(TRANSACTION).as_bytes()).await });
    until("its publish is under way", async || (world.service.metric("publish_under_way").await == 1).then_some(()))
        .await;
    world.service.terminate();
    until("no new work is sent to it", async || (!world.service.is_ready().await).then_some(())).await;
    world.gate.release();
    assert!(callback.await.expect("no panic").is_success());
    assert!(world.service.ended_by_itself().await.success());
    assert_eq!(world.nats.stored().await.len(), 1);
}

#[tokio::test]
async fn a_killed_process_keeps_what_it_answered_with_success() {
    let world = World::start().await;
    assert!(world.notify(&sent(TRANSACTION)).await.is_success());
    let World { service, nats, .. } = world;
    drop(service); // kill -9
    assert_eq!(nats.stored().await.len(), 1);
}
