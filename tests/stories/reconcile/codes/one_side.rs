//! Only one side has the payment.

use e2e::{
    Options,
    reconciling::DiscrepancyState,
    sandbox_client::{Fault, FaultPoint, Misbilled, always},
    selling::{MERCHANT, State},
    story,
};
use jiff::ToSpan as _;

use super::{
    super::{next_morning, noon, sell},
    finds_only, is_answered, is_clean, waits_for_only,
};
use crate::restart::is_paid_once;

/// Three days: order-svc neither asks nor closes before the bill comes.
const LONG_LIFE_S: i64 = 3 * 24 * 3600;

#[test]
fn p1_a_payment_that_nobody_told_of_is_asked_about_and_pays_its_order() {
    story(Options::default().with_reconcile().asking("24h"), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let lost = world.create_order(250).expires_in_s(LONG_LIFE_S).await.pay_by_openid().await;
        lost.pay().await;
        lost.attempted(1).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P1", 250).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (250, 0));
        is_paid_once(world, &lost).await;
        is_clean(world, day).await;
    });
}

#[test]
fn p5_a_payment_that_no_bill_has_waits_a_day_and_is_then_a_difference_until_a_bill_has_it() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        let sold = sell(world, MERCHANT, &[100, 250]).await;
        let number = sold[1].out_trade_no();
        world.sandbox.misbill(number, &Misbilled { left_out: true, ..Misbilled::default() }).await;
        next_morning(world).await;
        let held = waits_for_only(world, day, "P5", day + 2.days()).await;
        assert_eq!((held.bill_amount_fen, held.book_amount_fen, held.out_trade_no.as_str()), (0, 250, number));
        assert_eq!(world.facts("recon.v1.discrepancy.opened.>").await, []);
        assert_eq!(world.facts("recon.v1.repair.requested.>").await, []);

        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P5", 250).await;
        assert_eq!(found.name, held.name);
        // WeChat says that it was paid: nothing is taken back from anybody, and a person asks WeChat for its bill.
        let found = is_answered(world, day, "P5").await;
        assert_eq!((found.state(), found.critical), (DiscrepancyState::Open, false), "{found:?}");
        assert_eq!(sold[1].order().now().await.state(), State::Paid);

        world.sandbox.misbill(number, &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}
