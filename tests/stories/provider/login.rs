//! Login codes that name nobody, and logins without an answer: nothing is written before the payer is known.

use std::time::Duration;

use e2e::{
    Options, World, eventually,
    sandbox_client::{Fault, FaultPoint, LoginCode, once},
    selling::{MINI_PROGRAM, OTHER_MERCHANT, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::code_word;
use crate::refused::refused;

/// A login code is good for five minutes.
const CODE_LIFE: Duration = Duration::from_mins(6);

#[test]
fn a_login_code_that_names_nobody_is_refused_and_nothing_is_written() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let others = world.canteen().create_order(100).merchant(OTHER_MERCHANT).await;

        let good = login(world).await;
        let cashier = order.pay_by_login_code(&good.code).await;
        let stale = login(world).await;
        world.pass(CODE_LIFE).await;
        let fresh = login(world).await;
        for (order, code) in [
            (&order, "0a1234567890abcdef1234567890abcd"), // Nobody's.
            (&order, good.code.as_str()),                 // Used before.
            (&order, stale.code.as_str()),                // Older than five minutes.
            (&others, fresh.code.as_str()),               // Another app's.
        ] {
            let before = order.now().await;
            let paying = order.pay_by_login_code(code);
            // Nothing was written, so the same request is refused anew, as often as it is made.
            for _ in 0..2 {
                refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::LoginCodeInvalid);
            }
            assert_eq!(order.now().await, before);
        }
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
        let written = eventually("the attempt is told", async || {
            let told = world.facts("order.v1.payment.created.>").await;
            if told.is_empty() { None } else { Some(told) }
        });
        let written: Vec<_> = written.await.iter().map(|fact| fact.text("outTradeNo").to_owned()).collect();
        assert_eq!(written, [cashier.out_trade_no()]);

        // The code that was tried elsewhere is still good for its own app.
        order.pay_by_login_code(&fresh.code).await.pay().await;
        order.becomes(State::Paid).await;
    });
}

#[test]
fn a_login_without_an_answer_is_unknown_and_nothing_is_written() {
    story(Options::default(), async |world| {
        let unknown = ErrorReason::ProviderUnknown;
        let order = world.create_order(100).await;
        for (count, (fault, reason)) in [
            (code_word("-1"), unknown),
            (code_word("45011"), ErrorReason::TryAgain),
            (Fault::Status { status: 502, executed: false }, unknown),
            (Fault::NotExecuted, unknown),
            (Fault::Redirect, unknown),
        ]
        .into_iter()
        .enumerate()
        {
            let struck = world.sandbox.fault(once(FaultPoint::JsCode2Session, fault.clone())).await;
            let paying = order.pay_by_login_code(&login(world).await.code);
            refused(paying.attempt().await, Code::Unavailable, reason);
            assert_eq!((order.now().await.payments.len(), world.sandbox.hits(&struck).await), (count, 1), "{fault:?}");
            // The code was not used up, so the same request is still good.
            paying.await;
        }

        // Here it was used up, which nobody could hear: the payer logs in again.
        for fault in [Fault::Lost, Fault::Garbage] {
            world.sandbox.fault(once(FaultPoint::JsCode2Session, fault)).await;
            let before = order.now().await;
            let paying = order.pay_by_login_code(&login(world).await.code);
            refused(paying.attempt().await, Code::Unavailable, unknown);
            refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::LoginCodeInvalid);
            assert_eq!(order.now().await, before);
        }
    });
}

/// The payer logs in to the mini program.
async fn login(world: &World) -> LoginCode {
    world.sandbox.login_code(MINI_PROGRAM).await
}
