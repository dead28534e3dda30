use jiff::SignedDuration;
use jiff::ToSpan as _;
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;
use crate::refund::Refund;

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_belongs_to_the_day_of_the_providers_time_in_beijing() {
    let world = World::start().await;
    let day = world.day();
    let midnight = wechat_pay::time::day_start(day).expect("within the calendar");
    let last_second = Payment::at(midnight - SignedDuration::from_secs(1), 100);
    let first_second = Payment::at(midnight, 200);
    world.book(&[&last_second, &first_second]).await;
    let before = world.run(day.saturating_sub(1.days())).await;
    let after = world.run(day).await;
    assert_eq!((before.book_sum_fen, after.book_sum_fen), (100, 200));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_stands_in_the_next_days_bill_is_not_missing_any_more() {
    let world = World::start().await;
    let next = world.day();
    let day = next.saturating_sub(1.days());
    let midnight = wechat_pay::time::day_start(next).expect("within the calendar");
    let payment = Payment::at(midnight - SignedDuration::from_secs(2), 100);
    world.book(&[&payment]).await;
    let missing = world.run(day).await;
    assert_eq!((missing.state(), missing.differences[0].code.as_str()), (State::Differences, "P5"));

    let mut row = payment.row();
    row.trade_time = midnight;
    world.gateway.set_bill(bill::MERCHANT, next, Bill::Whole(bill::text(&[row])));
    let found = world.run(next).await;
    assert_eq!((found.state(), found.book_count, found.matched_sum_fen), (State::Balanced, 1, 100));
    let resolved = world.discrepancies().await;
    assert_eq!((resolved[0].state(), &resolved[0].resolved_by), (DiscrepancyState::Resolved, &found.name));

    let again = world.run(day).await;
    assert_eq!((again.state(), again.version, again.book_count), (State::Balanced, 2, 0));
    assert_eq!(world.run(next).await, found, "what a day found in its own bill is not a new input to it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_and_a_refund_that_two_days_bills_have_are_matched_once_and_told_once() {
    let world = World::start().await;
    let next = world.day();
    let day = next.saturating_sub(1.days());
    let payment = Payment::on(day, 1000);
    let refund = Refund::of(&payment, 300);
    world.book(&[&payment]).await;
    world.publish(&[refund.accepted("REQUESTED")]).await;
    world.publish(&[refund.succeeded("REQUESTED")]).await;
    let rows = |day| {
        let mut rows = [payment.row(), refund.row()];
        rows[0].trade_time = Payment::on(day, 1).paid_time;
        Bill::Whole(bill::text(&rows))
    };
    world.gateway.set_bill(bill::MERCHANT, day, rows(day));
    assert_eq!(world.run(day).await.state(), State::Balanced);
    world.gateway.set_bill(bill::MERCHANT, next, rows(next));
    let second = world.run(next).await;
    assert_eq!((second.state(), second.matched_sum_fen, second.matched_refund_sum_fen), (State::Balanced, 1000, 300));
    assert_eq!(world.days_to_look_at().await, [day.to_string()], "nobody waits for half an hour");

    let twice = world.run(day).await;
    let found: Vec<_> = twice.differences.iter().map(|code| (code.code.as_str(), code.count, code.sum_fen)).collect();
    assert_eq!((twice.state(), found), (State::Differences, vec![("P6", 1, 1000), ("R3", 1, 300)]));
    assert_eq!((twice.matched_count, twice.book_count, twice.bill_count), (0, 0, 1));
    assert_eq!((twice.matched_refund_count, twice.book_refund_count, twice.bill_refund_count), (0, 0, 1));
    assert_eq!(world.run(next).await, second, "it is told once");
    assert_eq!(world.run(day).await, twice);

    // The provider takes the second one back.
    world.gateway.set_bill(bill::MERCHANT, next, Bill::Whole(bill::text(&[])));
    assert_eq!(world.run(next).await.state(), State::Balanced);
    assert_eq!(world.run(day).await.state(), State::Balanced);
    let ended = world.discrepancies().await;
    assert!(ended.iter().all(|found| found.state() == DiscrepancyState::Resolved), "{ended:?}");
    world.end().await;
}
