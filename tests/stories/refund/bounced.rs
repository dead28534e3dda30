//! The money does not arrive: it bounces and a person must act, or WeChat gives the refund up.

use e2e::{
    Part,
    sandbox_client::RefundState as AtWechat,
    selling::{RefundState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{A_MINUTE, arrives, by_notices, money, sold, told, told_by_provider};
use crate::refused::{metadata, refused};

#[test]
fn money_that_bounced_is_told_stays_reserved_and_arrives_or_is_free_once_a_person_has_acted() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        for (ending, expected, after) in [
            (AtWechat::Success, RefundState::Succeeded, (State::PartiallyRefunded, 60, 0)),
            (AtWechat::RefundClose, RefundState::Closed, (State::Paid, 0, 0)),
        ] {
            let sold = sold(world, 100).await;
            let refund = sold.order().refund(60).await;
            refund.becomes(RefundState::Processing).await;
            world.sandbox.settle(refund.out_refund_no(), AtWechat::Change).await;
            let bounced = refund.becomes(RefundState::Abnormal).await;
            assert_eq!((bounced.provider_code.as_str(), &bounced.success_time), ("CHANGE", &None));
            let failed = told(world, "order.v1.refund.failed.shop", &refund).await;
            assert_eq!((failed.text("state"), failed.text("providerCode")), ("ABNORMAL", "CHANGE"));
            told_by_provider(world, "pay.v1.refund.abnormal.acme-mini", &refund).await;
            world.counts(Part::OrderSvc, "abnormal_refunds", &[], 1).await;
            assert_eq!(money(sold.order()).await, (State::Paid, 0, 60), "it may still arrive");
            let more = refused(
                sold.order().refund(41).attempt().await,
                Code::FailedPrecondition,
                ErrorReason::RefundExceedsPayment,
            );
            assert_eq!(metadata(&more, "left_fen"), "40");

            world.sandbox.settle(refund.out_refund_no(), ending).await;
            refund.becomes(expected).await;
            assert_eq!(money(sold.order()).await, after);
            world.counts(Part::OrderSvc, "abnormal_refunds", &[], 0).await;
        }
        world.tells("order.v1.order.refunded.shop", 1).await;
        // Each of the two bounced, and one was given up after that.
        let mut states: Vec<_> = world.tells("order.v1.refund.failed.shop", 3).await;
        states.sort_by_key(|fact| fact.text("state").to_owned());
        let states: Vec<_> = states.iter().map(|fact| fact.text("state")).collect();
        assert_eq!(states, ["ABNORMAL", "ABNORMAL", "CLOSED"]);
    });
}

#[test]
fn a_refund_that_wechat_gives_up_frees_its_amount_for_another() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let refund = sold.order().refund(100).await;
        refund.becomes(RefundState::Processing).await;
        world.sandbox.settle(refund.out_refund_no(), AtWechat::RefundClose).await;
        let closed = refund.becomes(RefundState::Closed).await;
        assert_eq!(closed.provider_code, "REFUNDCLOSE");
        assert_eq!(money(sold.order()).await, (State::Paid, 0, 0));
        let failed = told(world, "order.v1.refund.failed.shop", &refund).await;
        assert_eq!(failed.id, format!("refund-failed:{}:CLOSED", refund.id()));
        told_by_provider(world, "pay.v1.refund.closed.acme-mini", &refund).await;
        assert_eq!(world.facts("order.v1.order.refunded.>").await, []);

        let another = sold.order().refund(100).await;
        assert_ne!(another.out_refund_no(), refund.out_refund_no());
        world.pass(A_MINUTE).await;
        another.becomes(RefundState::Processing).await;
        arrives(world, &another).await;
        assert_eq!(money(sold.order()).await, (State::Refunded, 100, 0));
        assert_eq!(refund.now().await, closed);
    });
}
