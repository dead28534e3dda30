//! pay-gateway goes away and comes back; it knows nothing that could be lost.

use e2e::{
    Options, Part, eventually,
    sandbox_client::{Fault, FaultPoint, once},
    selling::State,
    story,
};
use tonic::Code;

use super::{is_paid_once, is_told};

#[test]
fn without_it_pay_order_is_unavailable_and_the_same_request_works_later() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        world.kill(Part::PayGateway);
        let refused = paying.attempt().await.expect_err("nobody calls WeChat");
        assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
        assert_eq!(world.sandbox.ledger().await.orders, []);

        world.start(Part::PayGateway).await;
        let cashier = paying.await;
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        assert_eq!(is_paid_once(world, &cashier).await.payments.len(), 1);
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
    });
}

#[test]
fn a_prepay_that_it_was_killed_with_is_unknown_and_is_sent_again_under_the_same_number() {
    story(Options::default(), async |world| {
        // Done at WeChat, and the answer never comes back.
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, Fault::Late { delay_ms: 60_000 })).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        let first = tokio::spawn({
            let paying = paying.clone();
            async move { paying.attempt().await }
        });
        let sent = eventually("WeChat has the order", async || world.sandbox.ledger().await.orders.pop()).await;
        world.kill(Part::PayGateway);
        let unknown = first.await.expect("the caller lives").expect_err("nobody knows");
        assert_eq!(unknown.code(), Code::Unavailable, "{unknown:?}");

        world.start(Part::PayGateway).await;
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), sent.out_trade_no);
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        is_paid_once(world, &cashier).await;
    });
}

#[test]
fn a_prepay_under_way_is_finished_before_it_stops() {
    story(Options::default(), async |world| {
        let late = world.sandbox.fault(once(FaultPoint::UnifiedOrder, Fault::Late { delay_ms: 1_500 })).await;
        let paying = world.create_order(100).await.pay_by_openid();
        let call = tokio::spawn(async move { paying.attempt().await });
        eventually("the call is at WeChat", async || world.sandbox.hits(&late).await == 1).await;
        world.stop(Part::PayGateway);
        let opened = call.await.expect("the caller lives").expect("what was accepted is answered");

        world.start(Part::PayGateway).await;
        let payment = opened.payment.expect("PayOrder answers with the attempt");
        world.sandbox.pay(&payment.out_trade_no).await;
        is_told(world, &payment.out_trade_no).await;
        let order = payment.name.split("/payments/").next().expect("it begins with the order's name");
        world.order(order).becomes(State::Paid).await;
    });
}
