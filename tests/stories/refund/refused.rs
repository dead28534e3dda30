//! WeChat says no to a refund. It counts when nothing of it can be on its way.

use std::time::Duration;

use e2e::{
    Options, Part,
    sandbox_client::{Fault, FaultPoint, FaultRule, once},
    selling::{Refund, RefundState, State, Waiting},
    story,
};
use proto::event::RefundFailed;

use super::{A_MINUTE, ASKED, arrives, at_wechat, code_word, money, refund_meets, sold, told};

/// When a no is a minute old that an earlier sending could still overtake.
const QUIET: Duration = Duration::from_secs(90);
/// Before that, and late enough to be asked again.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_definite_no_ends_a_refund_and_frees_its_amount() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let mut second = Vec::new();
        for code in ["TRADE_OVERDUE", "USER_ACCOUNT_ABNORMAL", "INVALID_REQUEST", "ERROR"] {
            let sold = sold(world, 100).await;
            let order = sold.order();
            let struck = refund_meets(world, &sold, code_word(code)).await;
            let refund = order.refund(60).await;
            let no = refund.becomes(RefundState::Rejected).await;
            assert_eq!((no.provider_code.as_str(), world.sandbox.hits(&struck).await), (code, 1));
            assert_eq!(world.sandbox.refunds(sold.out_trade_no()).await, []);
            assert_eq!(money(order).await, (State::Paid, 0, 0));

            let fact = told(world, "order.v1.refund.failed.shop", &refund).await;
            assert_eq!(fact.id, format!("refund-failed:{}:REJECTED", refund.id()));
            let failed: RefundFailed = fact.event();
            assert_eq!((failed.order.as_str(), failed.amount_fen), (order.name(), 60));
            assert_eq!((failed.provider_code.as_str(), failed.cause.as_str()), (code, "REQUESTED"));
            // All of it can be given back under another number.
            second.push(order.refund(100).await);
        }
        world.pass(A_MINUTE).await;
        for refund in &second {
            refund.becomes(RefundState::Processing).await;
            arrives(world, refund).await;
            assert_eq!(money(refund.order()).await, (State::Refunded, 100, 0));
        }
        assert_eq!(world.facts("order.v1.refund.failed.>").await.len(), second.len());
    });
}

#[test]
fn a_no_after_a_lost_answer_ends_nothing_until_wechat_was_asked_a_minute_later() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let (arrived, never) = (sold(world, 100).await, sold(world, 100).await);
        refund_meets(world, &arrived, Fault::Lost).await;
        refund_meets(world, &never, Fault::NotExecuted).await;
        for sold in [&arrived, &never] {
            refund_meets(world, sold, code_word("TRADE_OVERDUE")).await;
        }
        // The part of WeChat that is asked first has not heard of either.
        let behind = Fault::ErrorCode { code: "REFUNDNOTEXIST".to_owned(), executed: false };
        world.sandbox.fault(FaultRule { times: 2, ..once(FaultPoint::RefundQuery, behind) }).await;
        let (arrived, never) = (arrived.order().refund(100).await, never.order().refund(100).await);
        let both: [&Refund; 2] = [&arrived, &never];
        for refund in both {
            refund.waits_for(Waiting::Answer).await;
        }
        world.pass(ASKED).await;
        for refund in both {
            // Asked about, sent again, and refused this time.
            e2e::eventually("it is refused", async || refund.now().await.provider_code == "TRADE_OVERDUE").await;
            assert_eq!(refund.waits_for(Waiting::Answer).await.refund_id, "");
        }
        // Who asks again before a minute is over hears of nothing, which still proves nothing.
        world.pass(SOON).await;
        assert_eq!(never.refreshed().await.state(), RefundState::Created, "the first may still be on its way");
        let unheard_of = [("outcome", "STATE_NOT_FOUND")];
        assert_eq!(world.metric(Part::OrderSvc, "refund_queries_total", &unheard_of).await, 3);
        assert_eq!(money(never.order()).await, (State::Paid, 0, 100));

        world.pass(QUIET).await;
        arrived.becomes(RefundState::Processing).await;
        arrives(world, &arrived).await;
        assert_eq!(at_wechat(world, &arrived).await.requests, 1, "the second sending was refused");
        never.becomes(RefundState::Rejected).await;
        assert_eq!(money(never.order()).await, (State::Paid, 0, 0));
        assert_eq!(told(world, "order.v1.refund.failed.shop", &never).await.text("providerCode"), "TRADE_OVERDUE");
        world.tells("order.v1.refund.failed.shop", 1).await;
        world.tells("order.v1.order.refunded.shop", 1).await;
    });
}
