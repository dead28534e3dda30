//! Money that no order keeps: two people decide that it goes back.

use e2e::{
    Options, World,
    deciding::{ONE, OTHER},
    eventually,
    reconciling::{Discrepancy, DiscrepancyState},
    sandbox_client::Pay,
    selling::{Cause, MERCHANT, Order, RefundState, State},
    story,
};
use jiff::civil::Date;
use proto::reconcile::v1::resolve_discrepancy_request::Action;
use tonic::Code;

use super::{
    super::{next_morning, noon},
    finds_only, is_clean,
};
use crate::{
    merchant_file::{change_for_all, holding},
    refund::{A_MINUTE, arrives},
    restart::is_told,
    surplus::paid_after_the_close,
};

#[test]
fn p2_money_for_a_closed_order_that_the_merchant_holds_goes_back_when_two_people_agree() {
    story(Options::default().with_reconcile(), async |world| {
        change_for_all(world, holding).await;
        let day = noon(world).await;
        let (order, _) = paid_after_the_close(world).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P2", 100).await;
        goes_back(world, day, &order, &found).await;
        assert_eq!(order.now().await.state(), State::Closed);
    });
}

#[test]
fn p4_an_order_paid_twice_is_told_until_the_second_payment_goes_back() {
    story(Options::default().with_reconcile(), async |world| {
        change_for_all(world, holding).await;
        let day = noon(world).await;
        let first = world.open_cashier(100).await;
        let second = first.order().pay_by_openid().await;
        for cashier in [&first, &second] {
            // The user has both cashiers open and pays twice.
            cashier.pay_as(Pay { in_cashier: true, ..Pay::default() }).await;
            is_told(world, cashier.out_trade_no()).await;
        }
        first.order().becomes(State::Paid).await;
        world.tells("order.v1.payment.surplus.>", 1).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P4", 100).await;
        assert_eq!(found.out_trade_no, second.out_trade_no());
        goes_back(world, day, first.order(), &found).await;
        assert_eq!(first.order().now().await.state(), State::Paid);
    });
}

/// Two people agree, order-svc gives the money back, and the day is clean.
async fn goes_back(world: &World, day: Date, order: &Order, found: &Discrepancy) {
    assert_eq!((found.bill_amount_fen, found.book_amount_fen), (100, 100));
    assert_eq!(found.state(), DiscrepancyState::Open, "nothing happens by itself: {found:?}");
    world.sandbox.set_settle_delay(None).await;
    let proposed = world.propose(ONE, found, Action::RefundSurplus).await.expect("one may propose");
    let alone = world.approve(ONE, &proposed).await.expect_err("nobody agrees with himself");
    assert_eq!(alone.code(), Code::PermissionDenied);
    assert_eq!(order.refunds().await.len(), 0);
    world.approve(OTHER, &proposed).await.expect("another may approve");
    let refund = order.has_refunds(1).await.remove(0);
    assert_eq!((refund.written().cause(), refund.written().amount_fen), (Cause::Surplus, 100));
    world.pass(A_MINUTE).await;
    refund.becomes(RefundState::Processing).await;
    arrives(world, &refund).await;
    eventually("it is applied", async || {
        let found = world.discrepancies(MERCHANT, day).await.remove(0);
        if found.state() == DiscrepancyState::Applied { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    is_clean(world, day).await;
}
