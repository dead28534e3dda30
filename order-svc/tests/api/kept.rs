//! What is told of a refund, and what is kept of everything that is told.

use proto::order::v1::pay_order_request::Method;
use proto::order::v1::*;
use proto::time::from_wire;

use crate::gateway::MINI;
use crate::harness::{World, id, of, pay_order};

#[tokio::test(flavor = "multi_thread")]
async fn the_acceptance_of_a_refund_is_told_and_everything_told_or_heard_is_kept() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
    let payment = world.pay(pay_order(&order, method)).await.expect("prepaid").payment.expect("an attempt");
    world.paid(|_| {}).await;
    world.order_becomes(&order.name, order::State::Paid).await;
    let before = world.clock.now();
    let request =
        CreateRefundRequest { request_id: id(), order: order.name.clone(), amount_fen: 45, ..Default::default() };
    let refund = world.client.clone().create_refund(of("shop", request)).await.expect("a refund").into_inner();

    let told = world.message("ORDER", "order.v1.refund.accepted.shop").await;
    let event: proto::event::RefundAccepted = serde_json::from_value(told).expect("the event");
    assert_eq!((event.refund, event.order, event.payment), (refund.name, order.name, payment.name));
    assert_eq!(event.refund_id, format!("50{}", event.out_refund_no));
    assert_eq!((event.amount_fen, event.cause.as_str()), (45, "REQUESTED"));
    let accepted = event.accept_time.as_ref().and_then(from_wire).expect("a time");
    assert!((before..=world.clock.now()).contains(&accepted), "{accepted}");

    let kept = async || {
        let count = "SELECT count(DISTINCT ce_type) FROM outbox_archive WHERE ce_type LIKE 'tongbao.event.v1.%'
            AND substr(ce_type, 18) IN ('OrderCreated', 'PaymentCreated', 'OrderPaid', 'RefundCreated', 'RefundAccepted')";
        let own = world.count(count).await;
        let heard = "SELECT count(*) FROM outbox_archive WHERE subject LIKE 'pay.v1.payment.paid.%' AND ce_source <> 'order-svc'";
        ((own, world.count(heard).await) == (5, 1)).then_some(())
    };
    world.until("everything is kept", kept).await;
    assert_eq!(world.count("SELECT count(*) FROM outbox").await, 0);
    world.end().await;
}
