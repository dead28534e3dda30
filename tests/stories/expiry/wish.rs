//! A team gives an order up.

use e2e::{
    Options,
    selling::{PaymentState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{CLOSABLE, PAST_LIFE, at_wechat, fact, kept, states};
use crate::refused::{metadata, refused};

#[test]
fn a_fresh_order_without_attempts_is_closed_at_once() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let closed = order.attempt_close().await.expect("nobody has to be asked");
        assert_eq!((closed.state(), closed.close_requested), (State::Closed, false));
        let told = fact(world, "order.v1.order.closed.shop", &order).await;
        assert_eq!(told.text("reason"), "REASON_REQUESTED");

        // Closing what is closed is what was asked for.
        assert_eq!(order.attempt_close().await.expect("it is closed"), closed);
        let status = order.pay_by_openid().attempt().await;
        let status = refused(status, Code::FailedPrecondition, ErrorReason::OrderNotPayable);
        assert_eq!(metadata(&status, "state"), "CLOSED");
        assert_eq!(world.facts("order.v1.order.closed.>").await.len(), 1);
    });
}

#[test]
fn an_order_that_cannot_be_closed_yet_says_so_and_closes_by_itself() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let cashier = order.pay_by_openid().await;
        let waits = order.attempt_close().await.expect("the wish is written");
        assert_eq!((waits.state(), waits.close_requested), (State::Pending, true));
        assert_eq!(states(&waits), [PaymentState::Pending]);
        let status = order.pay_by_openid().attempt().await;
        let status = refused(status, Code::FailedPrecondition, ErrorReason::OrderNotPayable);
        assert_eq!(metadata(&status, "state"), "PENDING");
        assert_eq!(at_wechat(world, &cashier).await, "NOTPAY");

        world.pass(CLOSABLE).await;
        let closed = order.becomes(State::Closed).await;
        assert_eq!((states(&closed), closed.close_requested), (vec![PaymentState::Closed], false));
        assert_eq!(at_wechat(world, &cashier).await, "CLOSED");
        let told = fact(world, "order.v1.order.closed.shop", &order).await;
        assert_eq!(told.text("reason"), "REASON_REQUESTED");
    });
}

#[test]
fn a_payment_wins_against_a_close_that_waits() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let cashier = order.pay_by_openid().await;
        assert!(order.attempt_close().await.expect("the wish is written").close_requested);
        cashier.pay().await;

        let paid = kept(world, &order, &cashier).await;
        assert!(!paid.close_requested, "there is nothing left to close");
        let status = refused(order.attempt_close().await, Code::FailedPrecondition, ErrorReason::OrderNotClosable);
        assert_eq!(metadata(&status, "state"), "PAID");
        let again = order.pay_by_openid().attempt().await;
        let status = refused(again, Code::FailedPrecondition, ErrorReason::OrderNotPayable);
        assert_eq!(metadata(&status, "state"), "PAID");
        world.pass(PAST_LIFE).await;
        assert_eq!(order.now().await, paid);
        assert_eq!(world.facts("order.v1.order.closed.>").await, []);
    });
}
