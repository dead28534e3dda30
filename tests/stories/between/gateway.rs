//! The way from order-svc to pay-gateway breaks or falls silent with a prepay on it.

use std::time::Instant;

use e2e::{
    Link, Options, Part, World, eventually,
    proxy::{Direction, Fault},
    sandbox_client::{Fault as WechatFault, FaultPoint, once},
    selling::{Order, Paying, PaymentState},
    story,
};
use proto::{error::ErrorReason, order::v1::Payment};
use tonic::Code;

use super::{BOUNDED, leases_end};
use crate::{
    refused::refused,
    restart::{is_paid_once, is_told},
};

/// Less than the head of any answer over gRPC.
const MIDDLE_OF_AN_ANSWER: u64 = 20;

#[test]
fn a_prepay_whose_answer_breaks_off_is_unknown_and_the_same_request_opens_the_cashier() {
    // Nothing else shall be on its way back.
    story(through_gateway().setting(Part::OrderSvc, "MERCHANTS_EVERY_S", 3_600), async |world| {
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, WechatFault::Late { delay_ms: 300 })).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        let call = tokio::spawn({
            let paying = paying.clone();
            async move { paying.attempt().await }
        });
        eventually("WeChat has the order", async || world.sandbox.ledger().await.orders.pop()).await;
        let link = world.link(Link::OrderSvcToPayGateway);
        link.cut_after(Direction::ToClient, MIDDLE_OF_AN_ANSWER);
        refused(call.await.expect("the caller lives"), Code::Unavailable, ErrorReason::ProviderUnknown);
        assert_eq!(link.observed(Fault::CutAfter), 1);
        is_paid_by_one_attempt(world, &order, paying).await;
    });
}

#[test]
fn a_gateway_that_fell_silent_is_told_as_unknown_in_bounded_time_and_the_same_request_works_when_it_is_back() {
    story(through_gateway(), async |world| {
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        let link = world.link(Link::OrderSvcToPayGateway);
        link.black_hole();
        let began = Instant::now();
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
        assert!(1 <= link.observed(Fault::BlackHole));
        assert_eq!(world.sandbox.ledger().await.orders, [], "nothing got through");
        // What was sent into the silence arrives now, or never.
        link.pass();
        is_paid_by_one_attempt(world, &order, paying).await;
    });
}

/// The attempt is still open, and its own request ends it well.
async fn is_paid_by_one_attempt(world: &World, order: &Order, paying: Paying) {
    let unknown = order.now().await.payments;
    assert_eq!(unknown.iter().map(Payment::state).collect::<Vec<_>>(), [PaymentState::Created]);
    leases_end(world).await;
    let cashier = paying.await;
    assert_eq!(cashier.out_trade_no(), unknown[0].out_trade_no);
    cashier.pay().await;
    is_told(world, cashier.out_trade_no()).await;
    assert_eq!(is_paid_once(world, &cashier).await.payments.len(), 1);
    assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
}

fn through_gateway() -> Options {
    Options::default().through(Link::OrderSvcToPayGateway)
}
