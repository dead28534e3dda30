//! WeChat says no to an attempt. Some of its words end it, others are about us.

use std::time::Duration;

use e2e::{
    Options, eventually,
    sandbox_client::{Fault, FaultPoint, FaultRule, once},
    selling::{PaymentState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::{Code, Status};

use super::{code_word, only_payment};
use crate::refused::{metadata, refused};

/// How long an account rests after WeChat has said that it takes no more.
const A_MINUTE: Duration = Duration::from_secs(61);

#[test]
fn a_definite_refusal_ends_the_attempt_and_is_told_again() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        for (count, code) in ["NOTENOUGH", "INVALID_REQUEST"].into_iter().enumerate() {
            let struck = world.sandbox.fault(once(FaultPoint::UnifiedOrder, code_word(code))).await;
            let paying = order.pay_by_openid();
            let first = refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
            assert_eq!(metadata(&first, "provider_code"), code);
            let payments = order.now().await.payments;
            assert_eq!(payments.len(), count + 1);
            assert_eq!(payments[count].state(), PaymentState::Failed);

            // The replay comes from our books: WeChat would say yes now.
            let again = refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
            assert_eq!(bytes(&again), bytes(&first));
            assert_eq!((order.now().await.payments.len(), world.sandbox.hits(&struck).await), (count + 1, 1));
        }
        assert_eq!(world.sandbox.ledger().await.orders, []);

        // The order itself is as good as new.
        let cashier = order.pay_by_openid().await;
        cashier.pay().await;
        assert_eq!(order.becomes(State::Paid).await.paid_payment, cashier.payment().name);
    });
}

#[test]
fn a_refusal_that_is_about_us_ends_nothing_and_the_same_request_goes_through_later() {
    story(Options::default(), async |world| {
        for (count, code) in ["NOAUTH", "PARAM_ERROR", "FREQUENCY_LIMITED"].into_iter().enumerate() {
            let order = world.create_order(100).await;
            let struck = FaultRule { times: 2, ..once(FaultPoint::UnifiedOrder, code_word(code)) };
            let struck = world.sandbox.fault(struck).await;
            let paying = order.pay_by_openid();
            for _ in 0..2 {
                if code == "FREQUENCY_LIMITED" {
                    refused(paying.attempt().await, Code::Unavailable, ErrorReason::TryAgain);
                    // Before the minute is over WeChat is not even called.
                    refused(paying.attempt().await, Code::Unavailable, ErrorReason::TryAgain);
                    world.pass(A_MINUTE).await;
                } else {
                    let status =
                        refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
                    assert_eq!(metadata(&status, "provider_code"), code);
                }
                assert_eq!(only_payment(&order).await.state(), PaymentState::Created, "{code}");
            }
            assert_eq!(world.sandbox.hits(&struck).await, 2);

            // A person has mended it, or the minute is over.
            let cashier = paying.await;
            assert_eq!(cashier.out_trade_no(), only_payment(&order).await.out_trade_no);
            assert_eq!(world.sandbox.ledger().await.orders.len(), count + 1);
            cashier.pay().await;
            order.becomes(State::Paid).await;
        }
    });
}

#[test]
fn a_refusal_after_a_lost_answer_decides_nothing() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        // WeChat accepted the attempt, which we did not hear; what it says of the repetition is not about the first time.
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, Fault::Lost)).await;
        let no = world.sandbox.fault(once(FaultPoint::UnifiedOrder, code_word("NOTENOUGH"))).await;
        for _ in 0..2 {
            refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        }
        assert_eq!(world.sandbox.hits(&no).await, 1);
        // Asking at once tells that the payer can pay.
        eventually("the attempt is known", async || only_payment(&order).await.state() == PaymentState::Pending).await;

        let unknown = only_payment(&order).await;
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), unknown.out_trade_no);
        cashier.pay().await;
        order.becomes(State::Paid).await;
    });
}

#[test]
fn a_refusal_after_a_limit_is_the_first_word_about_an_attempt() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, code_word("FREQUENCY_LIMITED"))).await;
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, code_word("NOTENOUGH"))).await;
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::TryAgain);
        world.pass(A_MINUTE).await;
        for _ in 0..2 {
            let status = refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
            assert_eq!(metadata(&status, "provider_code"), "NOTENOUGH");
        }
        assert_eq!(only_payment(&order).await.state(), PaymentState::Failed);
    });
}

/// All that a caller sees of a refusal.
fn bytes(status: &Status) -> (Code, &str, &[u8]) {
    (status.code(), status.message(), status.details())
}
