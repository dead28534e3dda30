//! What may still come with a later bill, and what becomes of it.

use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::reconcile::v1::DiffRunsRequest;
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State;
use svc_kit::refusal::reason_of;

use crate::bill::{self, Payment};
use crate::harness::World;
use crate::refund::Refund;

/// Yesterday, early enough in the day that no midnight passes: only its own bill has come.
pub(crate) fn yesterday(world: &World) -> Date {
    let noon = wechat_pay::time::day_start(world.day().saturating_add(3.days())).expect("within the calendar")
        + jiff::SignedDuration::from_hours(12);
    world.hand.advance(Duration::try_from(noon.duration_since(world.clock.now())).expect("it lies ahead"));
    world.day().saturating_add(1.day())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_the_bill_lacks_waits_silently_and_is_told_when_its_time_is_over() {
    let world = World::start().await;
    let day = yesterday(&world);
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    let waiting = world.run(day).await;
    assert_eq!((waiting.state(), waiting.differences.len()), (State::Waiting, 0));
    assert_eq!((waiting.waiting_count, waiting.waiting_sum_fen, waiting.book_count), (1, 100, 1));
    let held = world.discrepancies().await;
    assert_eq!((held.len(), held[0].code.as_str(), held[0].state()), (1, "P5", DiscrepancyState::Held));
    assert_eq!(held[0].due_date, day.saturating_add(2.days()).to_string());
    assert_eq!(world.run(day).await, waiting, "nothing new");

    // Two days later it is a difference, although the inputs are the same.
    world.hand.advance(Duration::from_hours(24));
    let due = world.run(day).await;
    assert_eq!((due.state(), due.version, due.waiting_count), (State::Differences, 2, 0));
    assert_eq!((due.differences[0].code.as_str(), &due.books_sha256), ("P5", &waiting.books_sha256));
    let open = world.discrepancies().await;
    assert_eq!((&open[0].name, open[0].due_date.as_str()), (&held[0].name, ""));
    // It is asked about at once.
    assert!(matches!(open[0].state(), DiscrepancyState::Open | DiscrepancyState::Resolving), "{open:?}");
    let told = world.messages("RECON", 3).await;
    let opened: Vec<_> = told.iter().filter(|(subject, _)| subject.contains(".discrepancy.")).collect();
    assert_eq!((opened.len(), &opened[0].1["run"]), (1, &due.name.clone().into()));
    // And it stays what it is on any later day.
    world.hand.advance(Duration::from_hours(24));
    assert_eq!(world.run(day).await, due);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_and_came_is_never_told() {
    let world = World::start().await;
    let day = yesterday(&world);
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    let waiting = world.run(day).await;
    assert_eq!(waiting.state(), State::Waiting);
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let came = world.run(day).await;
    assert_eq!((came.state(), came.version), (State::Balanced, 2));
    let resolved = &world.discrepancies().await[0];
    assert_eq!((resolved.state(), resolved.resolution.as_str()), (DiscrepancyState::Resolved, "RESOLVED_BY_RERUN"));
    let told = world.messages("RECON", 2).await;
    assert!(told.iter().all(|(subject, _)| subject.starts_with("recon.v1.run.completed.")), "{told:?}");
    assert_eq!((&told[1].1["verdict"], &told[1].1["resultSha256"]), (&"BALANCED".into(), &came.result_sha256.into()));
    assert_eq!(told[1].1["inputs"].as_array().map(Vec::len), Some(6));

    let request = DiffRunsRequest { from: String::new(), to: came.name.clone() };
    let diff = world.client.clone().diff_runs(request).await.expect("a diff").into_inner();
    assert_eq!(diff.from.expect("the version before").name, waiting.name);
    assert_eq!(diff.changed_inputs, ["TRADE"]);
    assert_eq!((diff.appeared_count, diff.vanished_count, diff.changed_count), (0, 1, 0));
    assert_eq!((diff.vanished[0].code.as_str(), diff.vanished[0].book_amount_fen), ("P5", 100));

    let first = DiffRunsRequest { from: String::new(), to: waiting.name };
    let refused = world.client.clone().diff_runs(first).await.expect_err("there is none before the first");
    assert_eq!((refused.code(), reason_of(&refused).as_deref()), (tonic::Code::NotFound, Some("RUN_NOT_FOUND")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_under_way_is_in_a_balanced_day_and_stuck_after_three_working_days() {
    let world = World::start().await;
    let day = yesterday(&world);
    let payment = Payment::on(day, 1000);
    let refund = Refund::of(&payment, 300);
    world.book(&[&payment]).await;
    world.publish(&[refund.accepted("REQUESTED")]).await;
    let rows = [payment.row(), refund.row()];
    world.gateway.set_bill(bill::MERCHANT, day, crate::gateway::Bill::Whole(bill::text(&rows)));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.differences.len(), run.waiting_count), (State::Balanced, 0, 0));
    assert_eq!((run.book_refund_sum_fen, run.matched_refund_sum_fen, run.bill_refund_sum_fen), (300, 300, 300));
    assert_eq!(world.discrepancies().await[0].state(), DiscrepancyState::Held);

    world.hand.advance(Duration::from_hours(7 * 24));
    let stuck = world.run(day).await;
    assert_eq!((stuck.state(), stuck.version), (State::Differences, 2));
    assert_eq!((stuck.differences[0].code.as_str(), stuck.matched_refund_count), ("R4", 1));

    world.publish(&[refund.succeeded("REQUESTED")]).await;
    let done = world.run(day).await;
    assert_eq!((done.state(), done.version), (State::Balanced, 3));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_came_a_moment_ago_waits_and_the_next_run_decides() {
    let world = World::start().await;
    let day = world.day();
    let [taken, orphan] = [Payment::on(day, 100), Payment::on(day, 70)];
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&taken]));
    world.book(&[&taken]).await;
    world.publish(&[orphan.told()]).await;
    let waiting = world.run(day).await;
    assert_eq!((waiting.state(), waiting.waiting_count, waiting.waiting_sum_fen), (State::Waiting, 1, 70));
    let held = &world.discrepancies().await[0];
    assert_eq!((held.code.as_str(), held.state()), ("P10", DiscrepancyState::Held));
    assert_eq!(held.due_date, wechat_pay::time::bill_date(world.clock.now()).saturating_add(1.day()).to_string());

    world.hand.advance(Duration::from_mins(6));
    let told = world.run(day).await;
    assert_eq!((told.state(), told.differences[0].code.as_str()), (State::Differences, "P10"));
    let open = &world.discrepancies().await[0];
    assert_eq!((&open.name, open.state(), open.due_date.as_str()), (&held.name, DiscrepancyState::Open, ""));
    world.end().await;
}
