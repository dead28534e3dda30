//! WeChat takes refunds only from whoever shows the merchant's certificate. Without one, or with a wrong one, a person must mend
//! a file, and nothing is lost until then.

use e2e::{
    Options,
    sandbox_client::FaultPoint,
    selling::{MERCHANT, RefundState, State, Waiting},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{ASKED, TRIED_AGAIN, arrives, at_wechat, code_word, money, sold};
use crate::{
    merchant_file::{self, with_another_certificate, with_its_certificate, without_certificate},
    refused::{metadata, refused},
};

#[test]
fn a_merchant_without_a_certificate_cannot_refund() {
    story(Options::default(), async |world| {
        let sold = sold(world, 100).await;
        merchant_file::change_for_all(world, without_certificate).await;
        let refunding = sold.order().refund(100);
        let no = refused(refunding.attempt().await, Code::FailedPrecondition, ErrorReason::RefundNotAvailable);
        assert_eq!(metadata(&no, "merchant"), MERCHANT);
        assert_eq!(money(sold.order()).await, (State::Paid, 0, 0));
        assert_eq!(sold.order().refunds().await.len(), 0);

        merchant_file::change_for_all(world, with_its_certificate).await;
        refunding.await.becomes(RefundState::Processing).await;
    });
}

#[test]
fn a_refund_waits_for_its_certificate_and_goes_through_once_the_file_is_mended() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let (first, second) = (sold(world, 100).await, sold(world, 100).await);
        // It is written and tried while there is a certificate, and waits.
        world.sandbox.set_balance(MERCHANT, Some(0)).await;
        let lost_its = first.order().refund(100).await;
        lost_its.waits_for(Waiting::Balance).await;
        world.sandbox.set_balance(MERCHANT, None).await;
        merchant_file::change(world, without_certificate).await;
        world.pass(TRIED_AGAIN).await;
        lost_its.waits_for(Waiting::Configuration).await;

        merchant_file::change(world, with_its_certificate).await;
        merchant_file::change(world, with_another_certificate).await;
        // Nobody signs what is said to a stranger, so it proves nothing.
        let strangers = second.order().refund(100).await;
        assert_eq!(strangers.waits_for(Waiting::Answer).await.provider_code, "");
        world.pass(ASKED).await;
        assert_eq!(strangers.refreshed().await.state(), RefundState::Created);
        for refund in [&lost_its, &strangers] {
            assert_eq!(world.sandbox.refund(refund.out_refund_no()).await, None);
        }

        merchant_file::change(world, with_its_certificate).await;
        world.pass(TRIED_AGAIN).await;
        for refund in [&lost_its, &strangers] {
            refund.becomes(RefundState::Processing).await;
            assert_eq!(at_wechat(world, refund).await.requests, 1);
            arrives(world, refund).await;
        }
        assert_eq!(world.facts("order.v1.refund.failed.>").await, []);
    });
}

#[test]
fn a_no_that_is_about_us_ends_nothing_and_the_refund_goes_through_later() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        for code in ["NOAUTH", "PARAM_ERROR", "APPID_MCHID_NOT_MATCH"] {
            let sold = sold(world, 100).await;
            world.sandbox.fault(e2e::sandbox_client::once(FaultPoint::Refund, code_word(code))).await;
            let refund = sold.order().refund(100).await;
            assert_eq!(refund.waits_for(Waiting::Configuration).await.provider_code, code);
            world.pass(TRIED_AGAIN).await;
            refund.becomes(RefundState::Processing).await;
            assert_eq!(at_wechat(world, &refund).await.requests, 1);
        }
        assert_eq!(world.facts("order.v1.refund.failed.>").await, []);
    });
}
