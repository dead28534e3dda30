use std::time::Duration;

use jiff::ToSpan as _;
use proto::reconcile::v1::Run;
use proto::reconcile::v1::run::State;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn yesterday_is_reconciled_by_itself_as_soon_as_its_bill_is_ready() {
    let world = World::start_with_schedule(true).await;
    // Far enough ahead that no run of the real today can be meant.
    let day = wechat_pay::time::bill_date(world.clock.now()).saturating_add(3.days());
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, Bill::NotReady);
    let ten = wechat_pay::time::day_start(day.saturating_add(1.days())).expect("within the calendar")
        + jiff::SignedDuration::from_hours(10);
    let ahead = Duration::try_from(ten.duration_since(world.clock.now())).expect("it lies ahead");
    world.hand.advance(ahead);
    world.counted("reconcile_runs_total{merchant=\"acme-mini\",outcome=\"bill_not_ready\"}").await;

    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    world.hand.advance(Duration::from_mins(30));
    let run = world
        .until("the day is reconciled", async || {
            let ours = |run: &Run| run.merchant == bill::MERCHANT && run.bill_date == day.to_string();
            world.runs().await.into_iter().find(|run| ours(run) && run.state() != State::Running)
        })
        .await;
    assert_eq!((run.state(), run.version, run.matched_sum_fen), (State::Balanced, 1, 100));
    world.end().await;
}
