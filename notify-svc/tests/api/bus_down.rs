use crate::harness::{World, sent, until};

const TRANSACTION: &str = "4200002026081400000000000001";

#[tokio::test]
async fn without_the_bus_callbacks_are_refused_and_taken_when_they_come_again() {
    let mut world = World::start().await;
    let before = sent("4200002026081400000000000000");
    assert!(world.notify(&before).await.is_success());

    world.nats.kill();
    until("it is not ready", async || (!world.service.is_ready().await).then_some(())).await;
    let answer = world.notify(&sent(TRANSACTION)).await;
    assert_eq!((answer.status, answer.return_code()), (503, "FAIL"), "{answer:?}");
    // Which of the two depends on whether the loss was already known when the callback came.
    let (known, unknown) = (world.service.ended("bus_down").await, world.service.ended("unacknowledged").await);
    assert_eq!(known + unknown, 1);

    world.nats.start_again().await;
    world.gate.lead_to(world.nats.address());
    world.notify_until_taken(&sent(TRANSACTION)).await;
    until("it is ready again", async || world.service.is_ready().await.then_some(())).await;
    // What was answered with success before the crash is there too.
    assert!(world.notify(&before).await.is_success());
    assert_eq!(world.nats.stored().await.len(), 2);
}

#[tokio::test]
async fn a_lost_ack_is_answered_with_fail_and_the_repeat_does_not_double_the_fact() {
    let world = World::with(&["--publish-time-ms", "500"]).await;
    world.gate.hold_answers();
    let answer = world.notify(&sent(TRANSACTION)).await;
    assert_eq!((answer.status, answer.return_code()), (503, "FAIL"), "{answer:?}");
    until("the fact is stored although nobody said so", async || (world.nats.stored().await.len() == 1).then_some(()))
        .await;
    world.gate.release();
    world.notify_until_taken(&sent(TRANSACTION)).await;
    assert_eq!(world.nats.stored().await.len(), 1);
}
