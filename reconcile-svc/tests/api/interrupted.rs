use jiff_sqlx::ToSqlx as _;
use proto::reconcile::v1::run::State;
use uuid::Uuid;

use crate::bill::{self, Payment};
use crate::harness::World;

/// A run that a process began and did not finish.
async fn left_behind(world: &World, day: jiff::civil::Date, lease: &str) -> Uuid {
    let id = Uuid::new_v4();
    sqlx::query(
        "INSERT INTO runs (run_id, merchant, bill_date, version, state, holder, lease_until, engine_version, start_time)
         VALUES ($1, $2, $3, 1, 'RUNNING', $4, now() + $5::INTERVAL, 1, $6)",
    )
    .bind(id)
    .bind(bill::MERCHANT)
    .bind(day.to_sqlx())
    .bind(Uuid::new_v4())
    .bind(lease)
    .bind(world.clock.now().to_sqlx())
    .execute(&world.pool)
    .await
    .expect("a row");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_died_is_taken_up_again_as_the_same_run() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let id = left_behind(&world, day, "-1 second").await;
    let run = world.run(day).await;
    assert_eq!((run.name, run.version), (format!("runs/{id}"), 1));
    assert_eq!((run.bill_count, run.matched_count), (1, 1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_died_is_taken_up_even_when_nobody_asks() {
    let world = World::start().await;
    let day = world.day();
    let id = left_behind(&world, day, "-1 second").await;
    let name = format!("runs/{id}");
    let run = world
        .until("the run is finished", async || {
            let run = world.get(&name).await;
            (run.state() != State::Running).then_some(run)
        })
        .await;
    assert_eq!((run.state(), run.version, run.current), (State::Balanced, 1, true));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_somebody_else_holds_is_not_worked_on_twice() {
    let world = World::start().await;
    let day = world.day();
    let id = left_behind(&world, day, "1 hour").await;
    let refused = world.try_run(day).await.expect_err("somebody else holds it");
    assert_eq!(refused.code(), tonic::Code::Aborted);
    assert_eq!(svc_kit::refusal::reason_of(&refused).as_deref(), Some("IN_PROGRESS"));
    assert_eq!(world.gateway.downloads(), 0);
    let (_, page) = world.page(&format!("/runs/{id}")).await;
    assert!(page.contains("Running"), "{page}");
    world.end().await;
}
