//! By default it goes back.

use e2e::{
    Options,
    sandbox_client::{Fault, FaultPoint, RefundState as AtWechat, once},
    selling::{Cause, PaymentState, RefundState, State},
    story,
};
use proto::event::OrderRefunded;

use super::{PAST_LIFE, closed, paid_after_the_close, pay_late, surplus_of};
use crate::refund::{arrives, at_wechat, told};

#[test]
fn money_that_comes_after_the_close_goes_back_by_itself_exactly_once() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let order = closed(world).await;
        world.sandbox.fault(once(FaultPoint::Callback, Fault::Duplicate { copies: 5 })).await;
        pay_late(world, &order).await;
        let payment = surplus_of(&order).await;
        let refunds = order.has_refunds(1).await;
        let refund = &refunds[0];
        let written = refund.written();
        assert_eq!((written.cause(), written.amount_fen, &written.payment), (Cause::Surplus, 100, &payment.name));
        assert!(!written.reason.is_empty(), "the payer reads why");
        refund.becomes(RefundState::Processing).await;
        assert_eq!(told(world, "order.v1.refund.created.shop", refund).await.text("cause"), "SURPLUS");
        arrives(world, refund).await;

        let event: OrderRefunded = told(world, "order.v1.order.refunded.shop", refund).await.event();
        assert_eq!((event.cause.as_str(), event.amount_fen, event.refunded_fen), ("SURPLUS", 100, 0));
        assert_eq!((event.order.as_str(), event.payment.as_str()), (order.name(), payment.name.as_str()));
        let after = order.now().await;
        assert_eq!((after.state(), after.refunded_fen, after.refunding_fen), (State::Closed, 0, 0));
        world.pass(PAST_LIFE).await;
        assert_eq!(order.refunds().await.len(), 1);
        assert_eq!(world.sandbox.refunds(&payment.out_trade_no).await.len(), 1);
        assert_eq!(world.facts("order.v1.payment.surplus.>").await.len(), 1);
        assert_eq!(world.facts("order.v1.order.paid.>").await, []);
    });
}

#[test]
fn of_two_payments_of_one_order_the_first_is_kept_and_the_second_goes_back() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let order = world.create_order(100).await;
        let (first, second) = (order.pay_by_openid().await, order.jsapi().await);
        first.pay().await;
        let paid = order.becomes(State::Paid).await;
        second.pay().await;
        let surplus = surplus_of(&order).await;
        assert_eq!(
            (surplus.name.as_str(), &paid.paid_payment),
            (second.payment().name.as_str(), &first.payment().name)
        );
        let refund = order.has_refunds(1).await.remove(0);
        assert_eq!(refund.written().payment, surplus.name);
        refund.becomes(RefundState::Processing).await;
        arrives(world, &refund).await;
        let after = order.now().await;
        assert_eq!((after.state(), after.refunded_fen, after.paid_payment), (State::Paid, 0, paid.paid_payment));
        assert_eq!(world.sandbox.refunds(first.out_trade_no()).await, []);
        assert_eq!(after.payments[0].state(), PaymentState::Succeeded);

        // The kept payment can still be given back, on its own account.
        let own = order.refund(100).await;
        own.becomes(RefundState::Processing).await;
        arrives(world, &own).await;
        assert_eq!((order.now().await.state(), order.now().await.refunded_fen), (State::Refunded, 100));
        assert_eq!(at_wechat(world, &own).await.out_trade_no, first.out_trade_no());
    });
}

#[test]
fn what_wechat_gives_up_is_tried_again_under_another_number() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let (order, payment) = paid_after_the_close(world).await;
        let first = order.has_refunds(1).await.remove(0);
        first.becomes(RefundState::Processing).await;
        world.sandbox.settle(first.out_refund_no(), AtWechat::RefundClose).await;
        first.becomes(RefundState::Closed).await;
        let second = order.has_refunds(2).await.remove(1);
        assert_eq!((second.written().cause(), second.written().amount_fen), (Cause::Surplus, 100));
        world.pass(crate::refund::A_MINUTE).await;
        second.becomes(RefundState::Processing).await;
        arrives(world, &second).await;
        let states: Vec<_> =
            world.sandbox.refunds(&payment.out_trade_no).await.iter().map(|refund| refund.state).collect();
        assert_eq!(states, [AtWechat::RefundClose, AtWechat::Success]);
        world.tells("order.v1.order.refunded.shop", 1).await;
    });
}
