//! What reconcile-svc does not hear.

use std::time::Instant;

use e2e::{
    Link, Options, eventually,
    proxy::{Direction, Fault},
    reconciling::RunState,
    selling::MERCHANT,
    story,
};
use sqlx::PgPool;

use super::BOUNDED;
use crate::reconcile::{next_morning, noon, sell};

/// The server's numbers of sessions in which the job that asks for repairs looks for some, and waits for a lock.
async fn waiting(database: &PgPool) -> Vec<i32> {
    let waiting = "SELECT pid FROM pg_stat_activity
                   WHERE application_name = 'reconcile-svc' AND wait_event_type = 'Lock' AND query LIKE '%d.repair_at <= now()%'";
    sqlx::query_scalar(waiting).fetch_all(database).await.expect("the database answers")
}

#[test]
fn books_whose_commit_got_no_answer_and_a_run_whose_ack_was_lost_are_written_and_told_once() {
    let options = Options::default().with_reconcile();
    let options = options.through(Link::ReconcileSvcToPostgres).through(Link::ReconcileSvcToNats);
    story(options, async |world| {
        let (postgres, nats) = (world.link(Link::ReconcileSvcToPostgres), world.link(Link::ReconcileSvcToNats));
        let day = noon(world).await;
        postgres.lose_commit_of("INSERT INTO provider_payments");
        sell(world, MERCHANT, &[100, 250]).await;
        postgres.strikes(Fault::LoseCommit, 1).await;
        next_morning(world).await;
        nats.lose_acks(1);
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.book_count, run.book_sum_fen), (RunState::Balanced, 2, 350));
        nats.strikes(Fault::LoseAck, 1).await;
        world.tells("recon.v1.run.completed.>", 1).await;
    });
}

#[test]
fn a_bill_that_breaks_off_on_its_way_from_the_gateway_is_fetched_again_and_nothing_is_opened() {
    story(Options::default().with_reconcile().through(Link::ReconcileSvcToPayGateway), async |world| {
        let link = world.link(Link::ReconcileSvcToPayGateway);
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        link.cut_after(Direction::ToClient, 100);
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!(link.observed(Fault::CutAfter), 1);
        assert_eq!((run.state(), run.matched_sum_fen), (RunState::Balanced, 100));
        assert_eq!(world.facts("recon.v1.discrepancy.>").await, []);
    });
}

#[test]
fn a_job_whose_statement_is_never_answered_goes_on_by_another_connection() {
    story(Options::default().with_reconcile().through(Link::ReconcileSvcToPostgres), async |world| {
        let link = world.link(Link::ReconcileSvcToPostgres);
        let database = world.postgres.pool("reconcile");
        // Every statement about differences waits for this one, for as long as the service lets it.
        let mut lock = database.begin().await.expect("the database answers");
        sqlx::query("LOCK TABLE discrepancies").execute(&mut *lock).await.expect("nobody holds it for long");
        let mut gone = 0;
        let session = eventually("the job is in the middle of a statement whose answer will not come", async || {
            let before = waiting(&database).await;
            if before.is_empty() {
                return Err("it does not wait".to_owned());
            }
            gone += link.half_open();
            // Who still waits has no answer yet, and its connection is gone.
            let after = waiting(&database).await;
            after.into_iter().find(|one| before.contains(one)).ok_or_else(|| "it was answered just then".to_owned())
        })
        .await;
        assert!(1 <= gone, "it had a connection");
        let began = Instant::now();
        eventually("the job asks again", async || {
            let waiting = waiting(&database).await;
            if waiting.iter().any(|other| *other != session) { Ok(()) } else { Err(format!("{waiting:?}")) }
        })
        .await;
        assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
        lock.rollback().await.expect("the database answers");
        database.close().await;
    });
}
