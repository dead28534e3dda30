//! No word, or no good word, when we ask about an attempt or want it closed.

use std::time::Duration;

use e2e::{
    Options, Part, eventually,
    sandbox_client::{ActiveFault, Fault, FaultPoint, FaultRule, always, once},
    selling::{Cashier, PaymentState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{NEXT_QUESTION, answers_that_prove_nothing, code_word, only_payment};
use crate::refused::refused;

/// When an unfinished closing is tried again.
const AGAIN: Duration = Duration::from_secs(20);

#[test]
fn an_unprovable_answer_to_a_question_decides_nothing_and_a_later_question_pays() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        // "Unknown number" is signed, but says nothing about a number that WeChat may be slow to find.
        let faults = answers_that_prove_nothing().into_iter().map(|(fault, _)| fault);
        for fault in [code_word("ORDERNOTEXIST")].into_iter().chain(faults) {
            let struck = world.sandbox.fault(once(FaultPoint::OrderQuery, fault.clone())).await;
            let asked = cashier.order().refreshed().await;
            assert_eq!(world.sandbox.hits(&struck).await, 1, "{fault:?}");
            assert_eq!(
                (asked.state(), asked.payments[0].state()),
                (State::Pending, PaymentState::Pending),
                "{fault:?}"
            );
            // An attempt is asked about at most once per second.
            world.pass(Duration::from_secs(2)).await;
        }
        assert_eq!(world.facts("pay.v1.>").await, []);

        world.pass(NEXT_QUESTION).await;
        let paid = cashier.order().becomes(State::Paid).await;
        assert_eq!(paid.paid_payment, cashier.payment().name);
        let told = eventually("the fact is told", async || world.facts("pay.v1.payment.paid.>").await.pop()).await;
        assert_eq!((told.text("source"), told.text("merchant")), ("SOURCE_QUERY", "acme-mini"));
    });
}

#[test]
fn a_close_without_an_answer_is_asked_for_again_until_it_is_closed() {
    story(Options::default(), async |world| {
        let mut closings: Vec<(Cashier, ActiveFault)> = Vec::new();
        for (fault, _) in answers_that_prove_nothing() {
            let cashier = world.create_order(100).expires_in_s(600).await.pay_by_openid().await;
            let out_trade_no = Some(cashier.out_trade_no().to_owned());
            let struck = FaultRule { out_trade_no, ..once(FaultPoint::CloseOrder, fault) };
            closings.push((cashier, world.sandbox.fault(struck).await));
        }
        world.pass(Duration::from_mins(15)).await;
        for (_, struck) in &closings {
            eventually("the close was tried", async || world.sandbox.hits(struck).await == 1).await;
        }
        world.pass(AGAIN).await;
        for (cashier, struck) in &closings {
            let closed = cashier.order().becomes(State::Closed).await;
            assert_eq!(closed.payments[0].state(), PaymentState::Closed, "{:?}", struck.rule.fault);
            let at_wechat = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
            assert_eq!(at_wechat.trade_state, "CLOSED", "{:?}", struck.rule.fault);
        }
    });
}

#[test]
fn a_close_that_comes_too_early_for_wechat_waits_for_its_time() {
    // We believe that WeChat closes at once; it does not.
    story(Options { close_min_age_s: 0, ..Options::default() }, async |world| {
        let cashier = world.open_cashier(100).await;
        let waits = cashier.order().attempt_close().await.expect("the wish is written");
        assert_eq!((waits.state(), waits.close_requested), (State::Pending, true));
        let early = [("operation", "close"), ("outcome", "not_done"), ("detail", "too_early")];
        eventually("WeChat finds it too early", async || {
            0 < world.metric(Part::PayGateway, "provider_calls_total", &early).await
        })
        .await;
        assert_eq!(world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it").trade_state, "NOTPAY");
        world.pass(Duration::from_mins(6)).await;
        let closed = cashier.order().becomes(State::Closed).await;
        assert_eq!(closed.payments[0].state(), PaymentState::Closed);
    });
}

#[test]
fn an_attempt_that_wechat_never_heard_of_is_closed_with_its_order() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).expires_in_s(600).await;
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, Fault::NotExecuted)).await;
        refused(order.pay_by_openid().attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        let unknown = only_payment(&order).await;
        assert_eq!((unknown.state(), world.sandbox.ledger().await.orders), (PaymentState::Created, Vec::new()));

        world.pass(Duration::from_mins(15)).await;
        let closed = order.becomes(State::Closed).await;
        assert_eq!(closed.payments[0].state(), PaymentState::Closed);
        assert_eq!(world.sandbox.ledger().await.orders, []);
    });
}
