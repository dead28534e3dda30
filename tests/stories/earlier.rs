//! A payer comes back for another cashier. What became of the one before is asked first.

use std::time::Duration;

use e2e::{
    Options, eventually,
    sandbox_client::{Fault, FaultPoint, Pay, always, once},
    selling::{Cause, PaymentState, RefundState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use crate::{
    refund::arrives,
    refused::{metadata, refused},
};

/// When WeChat closes a fresh attempt, with some time for its way there.
const CLOSABLE: Duration = Duration::from_secs(320);
/// Later than anybody waits here.
const NEVER_MS: u64 = 30_000;

#[test]
fn when_the_question_about_the_attempt_before_is_lost_the_payer_still_gets_a_cashier() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let order = world.create_order(100).await;
        let before = order.pay_by_openid().await;
        // Once there is no answer, once it comes later than a payer waits.
        world.sandbox.fault(once(FaultPoint::OrderQuery, Fault::NotExecuted)).await;
        let second = order.pay_by_openid().await;
        let late = world.sandbox.fault(always(FaultPoint::OrderQuery, Fault::Late { delay_ms: NEVER_MS })).await;
        let third = order.pay_by_openid().await;
        eventually("it was asked", async || 1 <= world.sandbox.hits(&late).await).await;
        world.sandbox.clear_faults().await;

        third.pay().await;
        let paid = order.becomes(State::Paid).await;
        assert_eq!(paid.paid_payment, third.payment().name);
        // And should an earlier one be paid as well, that money goes back.
        before.pay().await;
        let refund = order.has_refunds(1).await.remove(0);
        assert_eq!((refund.written().cause(), &refund.written().payment), (Cause::Surplus, &before.payment().name));
        refund.becomes(RefundState::Processing).await;
        arrives(world, &refund).await;
        world.pass(CLOSABLE).await;
        eventually("the other one is closed", async || {
            let payments = order.now().await.payments;
            payments.iter().any(|one| one.name == second.payment().name && one.state() == PaymentState::Closed)
        })
        .await;
    });
}

#[test]
fn a_payer_who_has_paid_already_gets_no_second_cashier() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let order = world.create_order(100).await;
        let cashier = order.pay_by_openid().await;
        cashier.pay().await;
        cashier.attempted(1).await;
        assert_eq!(order.now().await.state(), State::Pending, "nobody has told us");

        let again = order.pay_by_openid().attempt().await;
        let status = refused(again, Code::FailedPrecondition, ErrorReason::OrderNotPayable);
        assert_eq!(metadata(&status, "state"), "PAID");
        let paid = order.now().await;
        assert_eq!((paid.state(), &paid.paid_payment), (State::Paid, &cashier.payment().name));
        assert_eq!((paid.payments.len(), world.sandbox.ledger().await.orders.len()), (1, 1));
        let told = world.tells("pay.v1.payment.paid.>", 1).await;
        assert_eq!(told[0].text("source"), "SOURCE_QUERY");
        world.tells("order.v1.order.paid.shop", 1).await;
    });
}

#[test]
fn an_attempt_that_is_old_enough_is_closed_before_another_is_opened() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let old = order.pay_by_openid().await;
        world.pass(CLOSABLE).await;
        let new = order.pay_by_openid().await;
        // It has happened already when the payer sees the cashier.
        assert_eq!(order.now().await.payments[0].state(), PaymentState::Closed);
        let at_wechat = world.sandbox.order(old.out_trade_no()).await.expect("WeChat knows it");
        assert_eq!(at_wechat.trade_state, "CLOSED");
        assert!(world.sandbox.pay_as(old.out_trade_no(), &Pay::default()).await.is_err(), "nobody can pay it");
        let opened = world.sandbox.order(new.out_trade_no()).await.expect("WeChat knows it");
        assert!(at_wechat.closed_at.expect("it was closed") <= opened.created_at);

        new.pay().await;
        assert_eq!(order.becomes(State::Paid).await.paid_payment, new.payment().name);
        assert_eq!(world.facts("order.v1.payment.surplus.>").await, []);
    });
}
