//! Days on which bill and books differ.

use e2e::{
    Options, World,
    reconciling::{DiscrepancyState, RunState},
    sandbox_client::{Fault, FaultPoint, Pay, always, once},
    selling::{MERCHANT, State},
    story,
};
use jiff::civil::Date;
use proto::event::DiscrepancyResolved;

use crate::restart::is_told;

use super::{assert_balanced, differences, next_morning, noon, sell};

#[test]
fn a_row_that_nobody_ordered_is_p3_until_a_bill_without_it_comes() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::ExtraRow)).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), differences(&run)), (RunState::Differences, vec![("P3", 1, 100)]));
        assert_eq!((run.bill_count, run.book_count, run.matched_count), (2, 1, 1));
        // No money moved for it; that could still come.
        let mut found = world.discrepancies(MERCHANT, day).await;
        found.sort_unstable_by(|a, b| b.code.cmp(&a.code));
        let states: Vec<_> = found.iter().map(|found| (found.code.as_str(), found.state())).collect();
        assert_eq!(states, [("P3", DiscrepancyState::Open), ("F2", DiscrepancyState::Held)]);

        let repaired = world.reconcile_day(MERCHANT, day).await;
        assert_balanced(&repaired, 2, 1, 100);
        let resolved: DiscrepancyResolved = world.tells("recon.v1.discrepancy.resolved.>", 1).await[0].event();
        assert_eq!((&resolved.discrepancy, &resolved.run), (&found[0].name, &repaired.name));
        assert!(all_are_resolved(world, day).await);
        world.tells("recon.v1.discrepancy.opened.>", 1).await;
    });
}

#[test]
fn a_payment_that_the_bill_lacks_waits_for_a_bill_with_it() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        let cashiers = sell(world, MERCHANT, &[100, 250]).await;
        next_morning(world).await;
        world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::MissingRow)).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        // Bills are ordered by time, and the first row is the one that is missing.
        assert_eq!((run.state(), differences(&run)), (RunState::Waiting, vec![]));
        assert_eq!((run.bill_count, run.book_count, run.matched_count), (1, 2, 1));
        assert_eq!((run.waiting_count, run.waiting_sum_fen), (1, 100));
        let missing = &world.discrepancies(MERCHANT, day).await[0];
        assert_eq!((missing.code.as_str(), missing.state()), ("P5", DiscrepancyState::Held));
        assert_eq!((missing.bill_amount_fen, missing.book_amount_fen), (0, 100));
        assert_eq!(missing.out_trade_no, cashiers[0].out_trade_no());
        // Money that is missing in a bill takes nothing away from anybody.
        assert_eq!(cashiers[0].order().now().await.state(), State::Paid);
        assert_balanced(&world.reconcile_day(MERCHANT, day).await, 2, 2, 350);
        assert!(all_are_resolved(world, day).await);
        // It was never a difference, so nobody was told of one.
        world.tells("recon.v1.run.completed.>", 2).await;
        assert_eq!(world.facts("recon.v1.discrepancy.>").await, []);
    });
}

#[test]
fn without_any_bill_every_payment_of_the_day_is_waited_for_and_p5_two_days_later() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100, 250]).await;
        next_morning(world).await;
        let none = Fault::ErrorCode { code: "No Bill Exist".to_owned(), executed: false };
        world.sandbox.fault(always(FaultPoint::DownloadBill, none)).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.waiting_count, run.waiting_sum_fen), (RunState::Waiting, 2, 350));
        assert_eq!(run.bill_sha256, "");
        next_morning(world).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), differences(&run)), (RunState::Differences, vec![("P5", 2, 350)]));
        world.tells("recon.v1.discrepancy.opened.>", 2).await;
        world.sandbox.clear_faults().await;
        assert_balanced(&world.reconcile_day(MERCHANT, day).await, 3, 2, 350);
        world.tells("recon.v1.discrepancy.resolved.>", 2).await;
    });
}

#[test]
fn another_amount_than_asked_for_is_p6_and_pays_no_order() {
    story(Options::default().with_reconcile().dead_letters(1).unsettled(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        let cheated = world.create_order(500).expires_in_s(3 * 24 * 3600).await.pay_by_openid().await;
        cheated.pay_as(Pay { amount_fen: Some(5), ..Pay::default() }).await;
        is_told(world, cheated.out_trade_no()).await;
        world.tells("dead.v1.>", 1).await;
        next_morning(world).await;
        assert_ne!(cheated.order().now().await.state(), State::Paid);
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.bill_sum_fen), (RunState::Differences, 105));
        assert_eq!(run.differences.len(), 1, "{:?}", run.differences);
        assert_eq!((run.differences[0].code.as_str(), run.differences[0].count), ("P6", 1));
        let found = &world.discrepancies(MERCHANT, day).await[0];
        assert_eq!((found.state(), found.out_trade_no.as_str()), (DiscrepancyState::Open, cheated.out_trade_no()));
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (5, 500));
    });
}

async fn all_are_resolved(world: &World, day: Date) -> bool {
    let found = world.discrepancies(MERCHANT, day).await;
    found.iter().all(|found| found.state() == DiscrepancyState::Resolved)
}
