//! reconcile-svc goes away and comes back.

use e2e::{
    Options, Part, World, eventually,
    reconciling::RunState,
    sandbox_client::{Fault, FaultPoint, once},
    selling::MERCHANT,
    story,
};
use proto::reconcile::v1::{ListRunsRequest, Run};

use crate::reconcile::{next_morning, noon, sell};

#[test]
fn facts_that_came_while_it_was_killed_are_in_its_books_when_it_is_back() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        world.kill(Part::ReconcileSvc);
        sell(world, MERCHANT, &[250, 399]).await;
        world.start(Part::ReconcileSvc).await;
        next_morning(world).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.book_count, run.book_sum_fen), (RunState::Balanced, 3, 749));
    });
}

#[test]
fn a_run_that_it_was_killed_with_is_taken_up_and_finished() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100, 250]).await;
        next_morning(world).await;
        world.books_are_written().await;

        // The bill never comes, so the run is in its middle when the process dies.
        let never = world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::Late { delay_ms: 60_000 })).await;
        let request = proto::reconcile::v1::RunReconciliationRequest {
            request_id: uuid::Uuid::new_v4().to_string(),
            merchant: MERCHANT.to_owned(),
            bill_date: day.to_string(),
        };
        let mut client = world.reconcile();
        let call = tokio::spawn(async move { client.run_reconciliation(request).await });
        eventually("the bill is asked for", async || world.sandbox.hits(&never).await == 1).await;
        let begun = only_run(world).await;
        assert_eq!(begun.state(), RunState::Running);
        world.kill(Part::ReconcileSvc);
        call.await.expect("the caller lives").expect_err("nobody answers");
        // A download that nobody waits for any more would hold up the gateway's own end.
        world.kill(Part::PayGateway);
        world.start(Part::PayGateway).await;

        lease_ends(world).await;
        world.start(Part::ReconcileSvc).await;
        let run = eventually("the run is finished by itself", async || {
            let run = only_run(world).await;
            if run.state() == RunState::Running { Err("still running") } else { Ok(run) }
        })
        .await;
        assert_eq!((&run.name, run.version, run.state()), (&begun.name, 1, RunState::Balanced));
        assert_eq!((run.bill_count, run.matched_sum_fen), (2, 350));
        world.tells("recon.v1.run.completed.>", 1).await;
    });
}

#[test]
fn a_run_under_way_is_finished_before_it_stops() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        world.books_are_written().await;
        let late = world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::Late { delay_ms: 1_500 })).await;
        let request = proto::reconcile::v1::RunReconciliationRequest {
            request_id: uuid::Uuid::new_v4().to_string(),
            merchant: MERCHANT.to_owned(),
            bill_date: day.to_string(),
        };
        let mut client = world.reconcile();
        let call = tokio::spawn(async move { client.run_reconciliation(request).await });
        eventually("the bill is asked for", async || world.sandbox.hits(&late).await == 1).await;
        world.stop(Part::ReconcileSvc);
        let run = call.await.expect("the caller lives").expect("what was accepted is answered").into_inner();
        assert_eq!((run.state(), run.version), (RunState::Balanced, 1));

        world.start(Part::ReconcileSvc).await;
        assert_eq!(world.reconcile_day(MERCHANT, day).await.name, run.name);
    });
}

async fn only_run(world: &World) -> Run {
    let listed = world.reconcile().list_runs(ListRunsRequest::default()).await.expect("runs can be listed");
    let [run] = <[Run; 1]>::try_from(listed.into_inner().runs).expect("there is one run");
    run
}

/// What a dead process holds is free when its lease is over: 60 s on the database's clock, which no command moves.
async fn lease_ends(world: &World) {
    let runs = world.postgres.pool("reconcile");
    let ended = sqlx::query("UPDATE runs SET lease_until = now() WHERE state = 'RUNNING'").execute(&runs).await;
    assert_eq!(ended.expect("the database answers").rows_affected(), 1, "the killed process held one day");
    runs.close().await;
}
