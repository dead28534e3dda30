//! WeChat does nothing for now. The refund waits, and goes through under its first number.

use e2e::{
    Options, Part,
    sandbox_client::{FaultPoint, once},
    selling::{MERCHANT, OTHER_MERCHANT, RefundState, State, Waiting},
    story,
};

use super::{A_MINUTE, TRIED_AGAIN, arrives, at_wechat, code_word, money, sold};

#[test]
fn an_account_with_too_little_money_lets_a_refund_wait_until_it_is_topped_up() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let (large, small) = (sold(world, 100).await, sold(world, 30).await);
        world.sandbox.set_balance(MERCHANT, Some(50)).await;
        let refund = large.order().refund(100).await;
        let waits = refund.waits_for(Waiting::Balance).await;
        assert_eq!((waits.provider_code.as_str(), waits.refund_id.as_str()), ("NOTENOUGH", ""));
        assert_eq!(money(large.order()).await, (State::Paid, 0, 100), "it is reserved");
        world.counts(Part::OrderSvc, "refunds_waiting_balance", &[], 1).await;
        world.counts(Part::OrderSvc, "unknown_refunds", &[], 0).await;
        // What the account can give, it gives.
        small.order().refund(30).await.becomes(RefundState::Processing).await;

        let refused = [("outcome", "KIND_INSUFFICIENT_BALANCE")];
        assert_eq!(world.metric(Part::OrderSvc, "refunds_sent_total", &refused).await, 1);
        world.pass(TRIED_AGAIN).await;
        world.counts(Part::OrderSvc, "refunds_sent_total", &refused, 2).await;
        refund.waits_for(Waiting::Balance).await;
        assert_eq!(world.facts("order.v1.refund.failed.>").await, [], "nobody refused it");

        world.sandbox.set_balance(MERCHANT, Some(100)).await;
        world.pass(TRIED_AGAIN).await;
        let accepted = refund.becomes(RefundState::Processing).await;
        let there = at_wechat(world, &refund).await;
        assert_eq!((there.refund_id, there.requests, there.amount_fen), (accepted.refund_id.clone(), 1, 100));
        assert_eq!(accepted.waiting(), Waiting::Unspecified);
        arrives(world, &refund).await;
        world.counts(Part::OrderSvc, "refunds_waiting_balance", &[], 0).await;
    });
}

#[test]
fn after_wechat_takes_no_more_refunds_an_account_rests_a_minute_and_goes_on() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let (first, second) = (sold(world, 100).await, sold(world, 100).await);
        let other = world.canteen().create_order(100).merchant(OTHER_MERCHANT).await.pay_by_openid().await;
        other.pay().await;
        other.order().becomes(State::Paid).await;

        let limit = world.sandbox.fault(once(FaultPoint::Refund, code_word("FREQUENCY_LIMITED"))).await;
        let limited = first.order().refund(100).await;
        assert_eq!(limited.waits_for(Waiting::Rate).await.provider_code, "FREQUENCY_LIMITED");
        assert_eq!(world.sandbox.hits(&limit).await, 1);
        let behind = second.order().refund(100).await;
        // The other account's refund, asked for last, shows that the first account is not merely slow.
        other.order().refund(100).await.becomes(RefundState::Processing).await;
        for refund in [&limited, &behind] {
            assert_eq!(refund.refreshed().await.state(), RefundState::Created);
            assert_eq!(world.sandbox.refund(refund.out_refund_no()).await, None);
        }

        world.pass(A_MINUTE).await;
        for refund in [&limited, &behind] {
            refund.becomes(RefundState::Processing).await;
            assert_eq!(at_wechat(world, refund).await.requests, 1);
            arrives(world, refund).await;
        }
        assert_eq!(world.facts("order.v1.refund.failed.>").await, []);
    });
}
