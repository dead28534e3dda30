//! It waits for a person: because the merchant wants that, or because it cannot be given back by itself.

use e2e::{
    Options, Part, World,
    sandbox_client::{FaultPoint, RefundState as AtWechat, once},
    selling::{Cause, Order, RefundState, State},
    story,
};
use proto::{error::ErrorReason, order::v1::Payment};
use tonic::Code;

use super::{closed, paid_after_the_close, pay_late, surplus_of};
use crate::{
    merchant_file::{self, holding, with_its_certificate, without_certificate},
    refund::{A_MINUTE, arrives, code_word, told},
    refused::refused,
};

#[test]
fn a_merchant_that_holds_surplus_money_gives_it_back_by_hand() {
    story(Options::default(), async |world| {
        merchant_file::change_for_all(world, holding).await;
        let (order, payment) = paid_after_the_close(world).await;
        held(world, &order, 0).await;
        by_hand(world, &order, &payment).await;
    });
}

#[test]
fn without_a_certificate_surplus_money_is_held() {
    story(Options::default(), async |world| {
        merchant_file::change_for_all(world, without_certificate).await;
        let (order, payment) = paid_after_the_close(world).await;
        held(world, &order, 0).await;
        let by_hand_now = order.refund(100).of_payment(&payment.name).attempt().await;
        refused(by_hand_now, Code::FailedPrecondition, ErrorReason::RefundNotAvailable);
        merchant_file::change_for_all(world, with_its_certificate).await;
        by_hand(world, &order, &payment).await;
    });
}

#[test]
fn surplus_money_that_wechat_does_not_give_back_is_held() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        // Refused once is refused for good.
        let order = closed(world).await;
        world.sandbox.fault(once(FaultPoint::Refund, code_word("TRADE_OVERDUE"))).await;
        pay_late(world, &order).await;
        let payment = surplus_of(&order).await;
        let refund = order.has_refunds(1).await.remove(0);
        refund.becomes(RefundState::Rejected).await;
        assert_eq!(told(world, "order.v1.refund.failed.shop", &refund).await.text("cause"), "SURPLUS");
        held(world, &order, 1).await;
        world.pass(A_MINUTE).await;
        by_hand(world, &order, &payment).await;

        // Given up three times is enough.
        let (order, payment) = paid_after_the_close(world).await;
        for count in 1..=3 {
            let refund = order.has_refunds(count).await.remove(count - 1);
            world.pass(A_MINUTE).await;
            refund.becomes(RefundState::Processing).await;
            world.sandbox.settle(refund.out_refund_no(), AtWechat::RefundClose).await;
            refund.becomes(RefundState::Closed).await;
        }
        held(world, &order, 3).await;
        world.pass(A_MINUTE).await;
        by_hand(world, &order, &payment).await;
    });
}

/// Nobody does anything with the money of this order after so many refunds, and the SRE sees it.
async fn held(world: &World, order: &Order, refunds: usize) {
    world.counts(Part::OrderSvc, "surplus_held_fen", &[], 100).await;
    assert_eq!(order.refunds().await.len(), refunds);
    // The payment that paid the order is none, so a person names the payment.
    refused(order.refund(100).attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotRefundable);
}

/// A person gives it back.
async fn by_hand(world: &World, order: &Order, payment: &Payment) {
    world.sandbox.set_settle_delay(None).await;
    let refund = order.refund(100).of_payment(&payment.name).await;
    assert_eq!((refund.written().cause(), &refund.written().payment), (Cause::Requested, &payment.name));
    world.pass(A_MINUTE).await;
    refund.becomes(RefundState::Processing).await;
    arrives(world, &refund).await;
    world.counts(Part::OrderSvc, "surplus_held_fen", &[], 0).await;
    assert_eq!(order.now().await.state(), State::Closed);
    assert_eq!(told(world, "order.v1.order.refunded.shop", &refund).await.text("cause"), "REQUESTED");
}
