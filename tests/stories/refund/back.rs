//! Everything goes right: all of the money, or part after part.

use std::collections::BTreeSet;

use e2e::{
    Part, eventually,
    selling::{Cause, RefundState, State, Waiting},
    story,
};
use jiff::SignedDuration;
use proto::event::{OrderRefunded, RefundAccepted, RefundChanged, RefundCreated};

use super::{A_MINUTE, arrives, at_wechat, by_notices, money, sold, told, told_by_provider};

#[test]
fn all_of_the_money_goes_back_and_everybody_is_told_once() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let order = sold.order();
        let refund = order.refund(100).await;
        let written = refund.written();
        assert_eq!((written.state(), written.waiting()), (RefundState::Created, Waiting::Unspecified));
        assert_eq!((written.amount_fen, written.cause()), (100, Cause::Requested));
        assert_eq!(
            (written.payment.as_str(), written.reason.as_str()),
            (sold.payment().name.as_str(), "茶凉了 the tea was cold")
        );
        assert_eq!((written.refund_id.as_str(), &written.success_time), ("", &None));

        let accepted = refund.becomes(RefundState::Processing).await;
        let there = at_wechat(world, &refund).await;
        assert_eq!((&there.refund_id, there.amount_fen, there.requests), (&accepted.refund_id, 100, 1));
        assert_eq!((there.out_trade_no.as_str(), there.merchant.as_str()), (sold.out_trade_no(), "acme-mini"));
        assert_eq!(money(order).await, (State::Paid, 0, 100));
        let created = told(world, "order.v1.refund.created.shop", &refund).await;
        let event: RefundCreated = created.event();
        assert_eq!((event.order.as_str(), event.payment.as_str()), (order.name(), written.payment.as_str()));
        assert_eq!((event.out_refund_no.as_str(), event.amount_fen), (refund.out_refund_no(), 100));
        assert_eq!((event.mch_id.as_str(), event.cause.as_str()), ("1900000109", "REQUESTED"));
        let event: RefundAccepted = told(world, "order.v1.refund.accepted.shop", &refund).await.event();
        assert_eq!((&event.refund_id, event.amount_fen), (&accepted.refund_id, 100));
        assert_eq!(
            (event.out_refund_no.as_str(), event.payment.as_str()),
            (refund.out_refund_no(), written.payment.as_str())
        );
        assert_eq!(world.facts("order.v1.order.refunded.>").await, [], "it is on its way");

        arrives(world, &refund).await;
        let there = at_wechat(world, &refund).await;
        let settled_at = there.settled_at.map(proto::time::to_wire);
        assert_eq!(refund.now().await.success_time, settled_at);
        assert_eq!(money(order).await, (State::Refunded, 100, 0));
        let fact = told(world, "order.v1.order.refunded.shop", &refund).await;
        assert_eq!(fact.id, format!("refunded:{}:{}", order.id(), refund.id()));
        let event: OrderRefunded = fact.event();
        assert_eq!((event.amount_fen, event.refunded_fen, event.cause.as_str()), (100, 100, "REQUESTED"));
        assert_eq!((event.refund_id, event.out_refund_no.as_str()), (there.refund_id.clone(), refund.out_refund_no()));
        assert_eq!((event.order.as_str(), event.payment.as_str()), (order.name(), written.payment.as_str()));
        let fact = told_by_provider(world, "pay.v1.refund.succeeded.acme-mini", &refund).await;
        assert_eq!(fact.id, format!("refund:wechat-v2:1900000109:{}:succeeded", there.refund_id));
        let event: RefundChanged = fact.event();
        assert_eq!((event.out_trade_no.as_str(), event.amount_fen), (sold.out_trade_no(), 100));
        told_by_provider(world, "pay.v1.refund.noticed.acme-mini", &refund).await;
        let mut facts = world.facts("order.v1.>").await;
        facts.retain(|fact| fact.text("order") == order.name());
        let ids: BTreeSet<_> = facts.iter().map(|fact| &fact.id).collect();
        assert_eq!(
            (facts.len(), ids.len()),
            (6, 6),
            "created, payment created, paid, refund created, accepted, refunded"
        );
        world.counts(Part::OrderSvc, "open_refunds", &[], 0).await;
    });
}

#[test]
fn parts_go_back_one_a_minute_until_nothing_is_left() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let order = sold.order();
        let first = order.refund(30).await;
        first.becomes(RefundState::Processing).await;
        let (second, third) = (order.refund(25).await, order.refund(45).await);
        assert_eq!(money(order).await, (State::Paid, 0, 100));
        arrives(world, &first).await;
        assert_eq!(money(order).await, (State::PartiallyRefunded, 30, 70));
        for waits in [&second, &third] {
            assert_eq!(waits.refreshed().await.state(), RefundState::Created, "its minute has not come");
        }
        for left in [1, 0] {
            world.pass(A_MINUTE).await;
            let next = eventually("the next one is accepted", async || {
                order.refunds().await.into_iter().find(|part| part.written().state() == RefundState::Processing)
            });
            arrives(world, &next.await).await;
            let (state, refunded, refunding) = money(order).await;
            assert_eq!((state == State::Refunded, refunding == 0), (left == 0, left == 0), "{refunded} {refunding}");
            assert_eq!(refunded + refunding, 100);
        }
        assert_eq!(money(order).await, (State::Refunded, 100, 0));
        let mut there = world.sandbox.refunds(sold.out_trade_no()).await;
        there.sort_by_key(|refund| refund.created_at);
        let apart = there.windows(2).map(|two| two[1].created_at.duration_since(two[0].created_at));
        assert!(apart.clone().all(|apart| SignedDuration::from_mins(1) <= apart), "{there:?}");
        assert!(there.len() == 3 && there.iter().all(|refund| refund.requests == 1), "{there:?}");
        assert_eq!(world.metric(Part::OrderSvc, "refunds_sent_total", &[]).await, 3, "nothing was sent in vain");

        let told = world.tells("order.v1.order.refunded.shop", 3).await;
        let mut sums: Vec<i64> = told.iter().map(|fact| fact.event::<OrderRefunded>().refunded_fen).collect();
        sums.sort_unstable();
        assert_eq!(sums.last(), Some(&100));
    });
}
