//! What reconcile-svc does not hear.

use e2e::{
    Link, Options,
    proxy::{Direction, Fault},
    reconciling::RunState,
    selling::MERCHANT,
    story,
};

use crate::reconcile::{next_morning, noon, sell};

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
