//! order-svc dies between learning of the money and giving it back.

use e2e::{
    Options,
    selling::{Cause, RefundState, State},
    story,
};

use super::{closed, pay_late, surplus_of};
use crate::refund::{arrives, comes_back, dies_at};

#[test]
fn a_crash_between_the_surplus_and_its_refund_neither_forgets_the_money_nor_returns_it_twice() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let points = ["order.paid.committed", "order.surplus.before_commit", "order.surplus.committed"];
        for (count, point) in (1..).zip(points) {
            let order = closed(world).await;
            dies_at(world, point).await;
            pay_late(world, &order).await;
            comes_back(world).await;

            let payment = surplus_of(&order).await;
            let refund = order.has_refunds(1).await.remove(0);
            assert_eq!((refund.written().cause(), &refund.written().payment), (Cause::Surplus, &payment.name));
            refund.becomes(RefundState::Processing).await;
            arrives(world, &refund).await;
            assert_eq!((order.refunds().await.len(), order.now().await.state()), (1, State::Closed), "{point}");
            assert_eq!(world.sandbox.refunds(&payment.out_trade_no).await.len(), 1, "{point}");
            world.tells("order.v1.payment.surplus.shop", count).await;
            world.tells("order.v1.order.refunded.shop", count).await;
        }
    });
}
