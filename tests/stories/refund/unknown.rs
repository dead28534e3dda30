//! The answer is lost, late, or proves nothing. Then a refund is neither done nor refused, and the question comes before the
//! repetition.

use e2e::{
    Options, Part, eventually,
    sandbox_client::{Fault, FaultPoint, always},
    selling::{Cashier, RefundState, Waiting},
    story,
};
use futures::future::join_all;

use super::{ASKED, arrives, at_wechat, refund_meets, sold};
use crate::provider::answers_that_prove_nothing;

/// Longer than the gateway waits here.
const LATE_MS: u64 = 6_000;

#[test]
fn a_refund_without_an_answer_that_counts_is_asked_about_and_never_doubled() {
    let impatient = Options::default().setting(Part::PayGateway, "PROVIDER_TIMEOUT_MS", 3_000);
    story(impatient, async |world| {
        world.sandbox.set_settle_delay(None).await;
        let mut cases = answers_that_prove_nothing();
        cases.push((Fault::Late { delay_ms: LATE_MS }, true));
        let count = i64::try_from(cases.len()).expect("a few");
        let sold: Vec<Cashier> = join_all(cases.iter().map(|_| sold(world, 100))).await;
        // No question is answered either, until we have seen that nothing is decided.
        let silent = world.sandbox.fault(always(FaultPoint::RefundQuery, Fault::NotExecuted)).await;
        let mut refunds = Vec::new();
        for (cashier, (fault, executed)) in sold.iter().zip(cases) {
            let struck = refund_meets(world, cashier, fault.clone()).await;
            refunds.push((cashier.order().refund(40).await, struck, fault, executed));
        }
        for (refund, struck, fault, executed) in &refunds {
            let unknown = refund.waits_for(Waiting::Answer).await;
            assert_eq!((unknown.refund_id.as_str(), unknown.provider_code.as_str()), ("", ""), "{fault:?}");
            let arrived = world.sandbox.refund(refund.out_refund_no()).await.is_some();
            assert_eq!((arrived, world.sandbox.hits(struck).await), (*executed, 1), "{fault:?}");
        }
        world.counts(Part::OrderSvc, "unknown_refunds", &[], count).await;
        world.pass(ASKED).await;
        eventually("each was asked about", async || count <= world.sandbox.hits(&silent).await.into()).await;
        for (refund, _, fault, _) in &refunds {
            assert_eq!(refund.now().await.state(), RefundState::Created, "{fault:?}");
        }
        eventually("its age grows", async || {
            30 <= world.metric(Part::OrderSvc, "unknown_refunds_oldest_seconds", &[]).await
        })
        .await;

        world.sandbox.clear_faults().await;
        world.pass(ASKED).await;
        for (cashier, (refund, _, fault, _)) in sold.iter().zip(&refunds) {
            let accepted = refund.becomes(RefundState::Processing).await;
            // What had arrived was not sent again, and what had not was sent under its number.
            let there = at_wechat(world, refund).await;
            assert_eq!((there.requests, &there.refund_id), (1, &accepted.refund_id), "{fault:?}");
            assert_eq!(world.sandbox.refunds(cashier.out_trade_no()).await, [there], "{fault:?}");
            arrives(world, refund).await;
        }
        world.counts(Part::OrderSvc, "unknown_refunds", &[], 0).await;
        assert_eq!(world.facts("order.v1.refund.failed.>").await, []);
        world.tells("order.v1.order.refunded.shop", refunds.len()).await;
    });
}

#[test]
fn a_refund_that_is_sent_twice_is_one_refund() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        // WeChat has taken it, and the part of it that is asked knows nothing yet.
        refund_meets(world, &sold, Fault::Lost).await;
        let behind = Fault::ErrorCode { code: "REFUNDNOTEXIST".to_owned(), executed: false };
        let behind = world.sandbox.fault(e2e::sandbox_client::once(FaultPoint::RefundQuery, behind)).await;
        let refund = sold.order().refund(100).await;
        refund.waits_for(Waiting::Answer).await;
        world.pass(ASKED).await;

        refund.becomes(RefundState::Processing).await;
        let there = at_wechat(world, &refund).await;
        assert_eq!((there.requests, world.sandbox.hits(&behind).await), (2, 1));
        assert_eq!(world.sandbox.refunds(sold.out_trade_no()).await.len(), 1);
        arrives(world, &refund).await;
        world.tells("order.v1.order.refunded.shop", 1).await;
    });
}
