//! Money that went back.

use e2e::{
    Options, World,
    reconciling::DiscrepancyState,
    sandbox_client::{Misbilled, RefundState as AtWechat},
    selling::{Cashier, MERCHANT, Refund, RefundState, State},
    story,
};
use jiff::{ToSpan as _, civil::Date};

use super::{
    super::{next_morning, noon, sell},
    finds_only, is_answered, is_clean, waits_for_only,
};
use crate::refund::arrives;

/// A payment of 250 fen of which 100 went back on the same day.
async fn refunded(world: &World) -> (Date, Cashier, Refund) {
    world.sandbox.set_settle_delay(None).await;
    let day = noon(world).await;
    let cashier = sell(world, MERCHANT, &[250]).await.remove(0);
    let refund = cashier.order().refund(100).await;
    refund.becomes(RefundState::Processing).await;
    arrives(world, &refund).await;
    (day, cashier, refund)
}

#[test]
fn a_day_with_refunds_is_clean_to_the_fen() {
    story(Options::default().with_reconcile(), async |world| {
        let (day, ..) = refunded(world).await;
        next_morning(world).await;
        let run = is_clean(world, day).await;
        assert_eq!((run.bill_refund_count, run.bill_refund_sum_fen), (1, 100));
        assert_eq!((run.book_refund_count, run.book_refund_sum_fen), (1, 100));
        assert_eq!((run.matched_refund_count, run.matched_refund_sum_fen), (1, 100));
    });
}

#[test]
fn r1_a_refund_of_the_providers_console_is_taken_into_the_books() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        let cashier = sell(world, MERCHANT, &[250]).await.remove(0);
        let made = world.sandbox.refund_at_platform(cashier.out_trade_no(), Some(70)).await;
        world.sandbox.settle(&made.out_refund_no, AtWechat::Success).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "R1", 70).await;
        assert_eq!((found.refund_id.as_str(), found.out_refund_no.as_str()), (&*made.refund_id, &*made.out_refund_no));
        let order = cashier.order().becomes(State::PartiallyRefunded).await;
        assert_eq!(order.refunded_fen, 70);
        is_answered(world, day, "R1").await;
        is_clean(world, day).await;
    });
}

#[test]
fn r2_a_refund_that_no_bill_has_waits_a_day_and_is_then_asked_about() {
    story(Options::default().with_reconcile(), async |world| {
        let (day, _, refund) = refunded(world).await;
        let number = refund.out_refund_no();
        world.sandbox.misbill_refund(number, &Misbilled { left_out: true, ..Misbilled::default() }).await;
        next_morning(world).await;
        waits_for_only(world, day, "R2", day + 2.days()).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "R2", 100).await;
        assert_eq!(found.out_refund_no, number);
        assert_eq!(is_answered(world, day, "R2").await.state(), DiscrepancyState::Open);
        world.sandbox.misbill_refund(number, &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}

#[test]
fn r3_another_amount_of_a_refund_is_left_to_a_person() {
    story(Options::default().with_reconcile(), async |world| {
        let (day, _, refund) = refunded(world).await;
        let number = refund.out_refund_no();
        world.sandbox.misbill_refund(number, &Misbilled { amount_fen: Some(110), ..Misbilled::default() }).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "R3", 10).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (110, 100));
        assert_eq!(world.facts("recon.v1.repair.requested.>").await, []);
        world.sandbox.misbill_refund(number, &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}

#[test]
fn r4_a_refund_that_bounced_is_told_until_a_person_has_acted_at_the_provider() {
    story(Options::default().with_reconcile(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let day = noon(world).await;
        let cashier = sell(world, MERCHANT, &[250]).await.remove(0);
        let refund = cashier.order().refund(100).await;
        refund.becomes(RefundState::Processing).await;
        world.sandbox.settle(refund.out_refund_no(), AtWechat::Change).await;
        refund.becomes_when_asked(RefundState::Abnormal).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "R4", 100).await;
        assert_eq!(found.out_refund_no, refund.out_refund_no());
        // A person gives the money back in the merchant platform; the next question sees it.
        world.sandbox.settle(refund.out_refund_no(), AtWechat::Success).await;
        refund.becomes_when_asked(RefundState::Succeeded).await;
        is_clean(world, day).await;
    });
}
