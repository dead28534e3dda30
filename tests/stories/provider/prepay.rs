//! No word, or no good word, about an attempt that we ask WeChat to accept.

use e2e::{
    Options, Part, eventually,
    sandbox_client::{Fault, FaultPoint, always, once},
    selling::{PaymentState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{NEXT_QUESTION, answers_that_prove_nothing, only, only_payment};
use crate::refused::{metadata, refused};

#[test]
fn an_attempt_whose_prepay_has_no_answer_is_unknown_and_the_retry_opens_the_same_cashier() {
    story(Options::default(), async |world| {
        for (count, (fault, executed)) in answers_that_prove_nothing().into_iter().enumerate() {
            let struck = world.sandbox.fault(once(FaultPoint::UnifiedOrder, fault.clone())).await;
            let order = world.create_order(100).await;
            let paying = order.pay_by_openid();
            refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
            assert_eq!(world.sandbox.hits(&struck).await, 1, "{fault:?}");
            let unknown = only_payment(&order).await;
            assert_eq!(unknown.state(), PaymentState::Created, "{fault:?}");
            assert_eq!(world.sandbox.order(&unknown.out_trade_no).await.is_some(), executed, "{fault:?}");

            let cashier = paying.await;
            assert_eq!(
                (&cashier.payment().name, cashier.out_trade_no()),
                (&unknown.name, unknown.out_trade_no.as_str())
            );
            assert_eq!(only_payment(&order).await.state(), PaymentState::Pending, "{fault:?}");
            assert_eq!(world.sandbox.ledger().await.orders.len(), count + 1, "{fault:?}: one order at WeChat, not two");
            cashier.pay().await;
            order.becomes(State::Paid).await;
        }
    });
}

#[test]
fn an_answer_later_than_our_patience_is_unknown_and_the_retry_succeeds() {
    // The late answer never comes in time: it is a minute away, and we wait for one second.
    let impatient = Options::default().setting(Part::PayGateway, "PROVIDER_TIMEOUT_MS", 1000);
    story(impatient, async |world| {
        let late = Fault::Late { delay_ms: 60_000 };
        let struck = world.sandbox.fault(once(FaultPoint::UnifiedOrder, late.clone())).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        assert_eq!(world.sandbox.hits(&struck).await, 1);
        let unknown = only_payment(&order).await;
        assert_eq!(unknown.state(), PaymentState::Created);

        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), unknown.out_trade_no);
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        cashier.pay().await;
        let struck = world.sandbox.fault(once(FaultPoint::OrderQuery, late)).await;
        let asked = order.refreshed().await;
        assert_eq!((asked.state(), world.sandbox.hits(&struck).await), (State::Pending, 1));
        world.pass(NEXT_QUESTION).await;
        order.becomes(State::Paid).await;
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
    });
}

#[test]
fn an_attempt_that_never_arrived_is_known_to_have_failed() {
    story(Options::default(), async |world| {
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, Fault::NotExecuted)).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        // "Unknown number" means "not yet" for a minute, and "never" after it.
        assert_eq!(only(order.refreshed().await).state(), PaymentState::Created);
        world.pass(NEXT_QUESTION).await;
        eventually("the attempt has failed", async || only_payment(&order).await.state() == PaymentState::Failed).await;
        assert_eq!(order.now().await.state(), State::Pending);
        assert_eq!(world.sandbox.ledger().await.orders, []);

        // Its request is over; a new one opens a cashier.
        let status = refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
        assert_eq!(metadata(&status, "state"), "PENDING");
        order.pay_by_openid().await.pay().await;
        order.becomes(State::Paid).await;
    });
}
