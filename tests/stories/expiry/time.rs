//! The time of an order runs out.

use std::time::Duration;

use e2e::{
    Options, Part, eventually,
    sandbox_client::{Fault, FaultPoint, Pay, always, once},
    selling::{PaymentState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{AGAIN, IN_CASHIER, LIFE_S, PAST_LIFE, at_wechat, fact, kept, states};
use crate::refused::{metadata, refused};

#[test]
fn an_expired_order_is_closed_at_the_provider_and_then_here() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        let cashier = order.pay_by_openid().await;
        world.pass(PAST_LIFE).await;

        let closed = order.becomes(State::Closed).await;
        assert_eq!(states(&closed), [PaymentState::Closed]);
        assert!(closed.close_time.is_some() && closed.paid_payment.is_empty() && !closed.close_requested);
        assert_eq!(at_wechat(world, &cashier).await, "CLOSED");
        assert!(world.sandbox.pay_as(cashier.out_trade_no(), &Pay::default()).await.is_err(), "nobody can pay it");

        let told = fact(world, "order.v1.order.closed.shop", &order).await;
        assert_eq!((told.id.clone(), told.text("reason")), (format!("closed:{}", order.id()), "REASON_EXPIRED"));
        let status =
            refused(order.pay_by_openid().attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotPayable);
        assert_eq!(metadata(&status, "state"), "CLOSED");
    });
}

#[test]
fn an_order_that_nobody_tried_to_pay_expires_without_asking_anybody() {
    story(Options::default(), async |world| {
        let asking = world.sandbox.fault(always(FaultPoint::OrderQuery, Fault::NotExecuted)).await;
        let closing = world.sandbox.fault(always(FaultPoint::CloseOrder, Fault::NotExecuted)).await;
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        world.pass(PAST_LIFE).await;

        let closed = order.becomes(State::Closed).await;
        assert_eq!(closed.payments, []);
        let told = fact(world, "order.v1.order.closed.shop", &order).await;
        assert_eq!(told.text("reason"), "REASON_EXPIRED");
        assert_eq!((world.sandbox.hits(&asking).await, world.sandbox.hits(&closing).await), (0, 0));
        assert_eq!(world.sandbox.ledger().await.orders, []);
    });
}

#[test]
fn a_payment_that_beats_the_closing_of_an_expired_order_still_counts() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        let cashier = order.pay_by_openid().await;
        // order-svc stands still, so that the payment comes after the end of the order and before the closing.
        world.pause(Part::OrderSvc);
        world.pass(PAST_LIFE).await;
        cashier.pay_as(IN_CASHIER()).await;
        world.go_on(Part::OrderSvc);

        kept(world, &order, &cashier).await;
        assert_eq!(at_wechat(world, &cashier).await, "SUCCESS");
        let told = eventually("the fact is told", async || world.facts("pay.v1.payment.paid.>").await.pop()).await;
        assert_eq!(told.text("source"), "SOURCE_QUERY");
    });
}

#[test]
fn a_payment_that_only_the_closing_finds_still_counts() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        let cashier = order.pay_by_openid().await;
        cashier.pay().await;
        // The first question reaches a part of WeChat that lags behind; the close is refused because it was paid.
        let behind = Fault::ErrorCode { code: "ORDERNOTEXIST".to_owned(), executed: false };
        let behind = world.sandbox.fault(once(FaultPoint::OrderQuery, behind)).await;
        world.pass(PAST_LIFE).await;

        kept(world, &order, &cashier).await;
        assert_eq!(world.sandbox.hits(&behind).await, 1);
        let paid_before = [("operation", "close"), ("outcome", "not_done"), ("detail", "already_paid")];
        assert_eq!(world.metric(Part::PayGateway, "provider_calls_total", &paid_before).await, 1);
    });
}

#[test]
fn a_payment_after_a_close_whose_answer_was_lost_still_counts() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        let cashier = order.pay_by_openid().await;
        // One question is answered; then WeChat closes but says nothing, and answers no question until the user has paid.
        world.sandbox.fault(once(FaultPoint::OrderQuery, Fault::Late { delay_ms: 0 })).await;
        world.sandbox.fault(always(FaultPoint::OrderQuery, Fault::NotExecuted)).await;
        let closing = world.sandbox.fault(once(FaultPoint::CloseOrder, Fault::Lost)).await;
        world.pass(PAST_LIFE).await;
        eventually("the close was lost", async || world.sandbox.hits(&closing).await == 1).await;
        assert_eq!(at_wechat(world, &cashier).await, "CLOSED");
        assert_eq!(order.now().await.state(), State::Pending, "nobody has told us");

        cashier.pay_as(IN_CASHIER()).await;
        world.sandbox.clear_faults().await;
        world.pass(AGAIN).await;
        kept(world, &order, &cashier).await;
    });
}

#[test]
fn an_expired_order_that_is_not_closed_yet_takes_no_new_attempt() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        order.pay_by_openid().await;
        // While WeChat does not answer, the order stays as it is.
        let silent = world.sandbox.fault(always(FaultPoint::OrderQuery, Fault::NotExecuted)).await;
        // WeChat takes no attempt that has a minute or less to live, so the first of these is as late as the second.
        for wait in [Duration::from_secs(545), PAST_LIFE] {
            world.pass(wait).await;
            let late = order.pay_by_openid().attempt().await;
            let status = refused(late, Code::FailedPrecondition, ErrorReason::OrderExpired);
            assert_eq!(metadata(&status, "state"), "PENDING");
        }
        eventually("WeChat was asked", async || 0 < world.sandbox.hits(&silent).await).await;
        assert_eq!(states(&order.now().await), [PaymentState::Pending]);

        world.sandbox.clear_faults().await;
        world.pass(AGAIN).await;
        order.becomes(State::Closed).await;
    });
}
