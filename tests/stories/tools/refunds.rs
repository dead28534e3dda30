//! The refunds of a payment as WeChat knows them.

use e2e::{
    Options, World,
    sandbox_client::{RefundSource, RefundState as AtWechat},
    selling::{MERCHANT, MINI_PROGRAM, RefundState},
    story,
    tools::Outcome as _,
};
use proto::gateway::v1::{
    ListProviderRefundsRequest, ListProviderRefundsResponse, ProviderRefunds, refund_status::State,
};

use crate::refund::{A_MINUTE, sold};

/// Most on one page.
const PAGE: usize = 10;

async fn ask(world: &World, transaction_id: &str, offset: i32) -> ListProviderRefundsResponse {
    let asked = ListProviderRefundsRequest {
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        transaction_id: transaction_id.to_owned(),
        offset,
    };
    world.tools().list_provider_refunds(asked).await.expect("an outcome").into_inner()
}

#[test]
fn every_refund_of_a_payment_is_listed_by_tens_whoever_made_it() {
    story(Options::default(), async |world| {
        let sold = sold(world, 1_200).await;
        let transaction_id = sold.order().now().await.payments[0].transaction_id.clone();
        assert_eq!(ask(world, &transaction_id, 0).await.done(), ProviderRefunds::default());

        let ours = sold.order().refund(100).await;
        ours.becomes(RefundState::Succeeded).await;
        world.sandbox.set_settle_delay(None).await;
        for _ in 0..11 {
            world.pass(A_MINUTE).await;
            world.sandbox.refund_at_platform(sold.out_trade_no(), Some(100)).await;
        }
        let there = world.sandbox.refunds(sold.out_trade_no()).await;
        world.sandbox.settle(&there[1].out_refund_no, AtWechat::Change).await;
        let sources = there.iter().filter(|refund| refund.source == RefundSource::VendorPlatform);
        assert_eq!((there.len(), sources.count()), (12, 11));

        let first = ask(world, &transaction_id, 0).await.done();
        let second = ask(world, &transaction_id, 10).await.done();
        assert_eq!((first.refunds.len(), first.total), (PAGE, 12));
        assert_eq!((second.refunds.len(), second.total), (2, 12));
        let listed: Vec<_> = first.refunds.iter().chain(&second.refunds).collect();
        for (listed, there) in listed.iter().zip(&there) {
            assert_eq!(
                (listed.out_refund_no.as_str(), listed.refund_id.as_str(), listed.amount_fen),
                (there.out_refund_no.as_str(), there.refund_id.as_str(), there.amount_fen)
            );
            assert_eq!((&listed.transaction_id, listed.out_trade_no.as_str()), (&transaction_id, sold.out_trade_no()));
        }
        assert_eq!(listed[0].out_refund_no, ours.out_refund_no());
        let states: Vec<State> = listed.iter().map(|listed| listed.state()).collect();
        assert_eq!(states[..2], [State::Succeeded, State::Abnormal]);
        assert!(states[2..].iter().all(|state| *state == State::Processing), "{states:?}");
        assert_eq!(listed[0].success_time.is_some(), listed[1].success_time.is_none());

        // Skipping all of them is an empty page, skipping more a no.
        assert_eq!(ask(world, &transaction_id, 12).await.done().refunds, []);
        assert_eq!(ask(world, &transaction_id, 13).await.no().provider_code, "PARAM_ERROR");
        assert_eq!(sold.order().refunds().await.len(), 1, "an order knows what we gave back");
    });
}
