//! Somebody else says that an order was paid, or says it differently.

use std::time::Duration;

use e2e::{
    Options, Part, World,
    sandbox_client::{AnswerClass, Fault, FaultPoint, FaultRule, always},
    selling::{Cashier, OFFICIAL_ACCOUNT, PaymentState, State},
    story,
};

/// Opens a cashier whose callbacks are all spoiled in this way, and lets the user pay.
async fn paid_with(world: &World, fault: Fault) -> Cashier {
    let cashier = world.open_cashier(100).await;
    let number = cashier.out_trade_no().to_owned();
    world.sandbox.fault(FaultRule { out_trade_no: Some(number), ..always(FaultPoint::Callback, fault) }).await;
    cashier.pay().await;
    cashier
}

fn tampered(field: &str, value: &str) -> Fault {
    Fault::Tamper { field: Some(field.to_owned()), value: Some(value.to_owned()) }
}

fn rewritten(field: &str, value: &str) -> Fault {
    Fault::Rewrite { field: field.to_owned(), value: value.to_owned() }
}

#[test]
fn forged_and_tampered_callbacks_change_nothing_and_the_true_one_still_pays() {
    story(Options::default(), async |world| {
        let faults = [
            (Fault::Forge, "sign_wrong"),
            (tampered("total_fee", "1"), "sign_wrong"),
            (tampered("transaction_id", "4200000000202611210000000001"), "sign_wrong"),
            (tampered("out_trade_no", "00000000000000000000000000000000"), "sign_wrong"),
            (tampered("sign", ""), "unsigned"),
            (Fault::OtherSignType, "sign_type_genuine"),
        ];
        let mut cashiers = Vec::new();
        for (fault, outcome) in faults {
            let before = world.metric(Part::NotifySvc, "callbacks_total", &[("outcome", outcome)]).await;
            let cashier = paid_with(world, fault.clone()).await;
            let callback = cashier.attempted(1).await;
            assert!(
                callback.attempts.iter().all(|attempt| attempt.answer == AnswerClass::Refused),
                "{fault:?}: {callback:?}"
            );
            let counted = world.metric(Part::NotifySvc, "callbacks_total", &[("outcome", outcome)]).await;
            assert!(before < counted, "{fault:?} is not counted as {outcome}");
            assert_eq!(cashier.order().now().await.state(), State::Pending, "{fault:?}");
            cashiers.push(cashier);
        }
        assert_eq!(world.facts("pay.v1.>").await, []);

        world.sandbox.clear_faults().await;
        // Long enough for the next attempt, wherever in WeChat's schedule it is by now.
        world.pass(Duration::from_mins(10)).await;
        for cashier in cashiers {
            cashier.order().becomes(State::Paid).await;
        }
    });
}

#[test]
fn a_callback_about_another_account_is_refused_even_with_the_right_key() {
    story(Options::default(), async |world| {
        for fault in [rewritten("mch_id", "1900000208"), rewritten("sub_mch_id", "1900000208")] {
            let cashier = paid_with(world, fault).await;
            let callback = cashier.attempted(1).await;
            assert!(callback.attempts.iter().all(|attempt| attempt.answer == AnswerClass::Refused), "{callback:?}");
            assert_eq!(cashier.order().now().await.state(), State::Pending);
        }
        assert_eq!(world.facts("pay.v1.>").await, []);
        world.sandbox.clear_faults().await;
        world.pass(Duration::from_mins(10)).await;
        let orders = world.shop().list(proto::order::v1::ListOrdersRequest::default()).await.orders;
        for order in orders {
            world.order(&order.name).becomes(State::Paid).await;
        }
    });
}

#[test]
fn a_callback_with_other_content_and_the_right_key_ends_as_a_dead_letter() {
    let faults = [
        (rewritten("total_fee", "1"), "amount", 1),
        (rewritten("fee_type", "USD"), "currency", 1),
        (rewritten("appid", OFFICIAL_ACCOUNT), "app_id", 1),
        (rewritten("appid", "wxac3e0000000000b1"), "app_id", 2),
    ];
    // What really was paid stays unknown here, because a person has to look at a key that lies.
    story(Options::default().dead_letters(faults.len()).unsettled(), async move |world| {
        let mut cashiers = Vec::new();
        for (fault, reason, count) in faults {
            let cashier = paid_with(world, fault).await;
            cashier.attempted(1).await;
            world.counts(Part::OrderSvc, "paid_facts_refused_total", &[("outcome", reason)], count).await;
            cashiers.push(cashier);
        }
        world.tells("dead.v1.order-svc-pay", cashiers.len()).await;
        for cashier in &cashiers {
            let order = cashier.order().now().await;
            assert_eq!(order.state(), State::Pending);
            assert_eq!(order.payments[0].state(), PaymentState::Pending);
        }
        assert_eq!(world.facts("order.v1.order.paid.>").await, []);
    });
}
