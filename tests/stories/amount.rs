//! The user really paid something else than what was asked for.

use std::time::Duration;

use e2e::{
    Options, Part,
    sandbox_client::{Fault, FaultPoint, Pay, always},
    selling::{OFFICIAL_ACCOUNT, State},
    story,
};

#[test]
fn another_amount_than_the_orders_never_pays_it() {
    story(Options::default().dead_letters(1), async |world| {
        let cashier = world.open_cashier(100).await;
        let paid = cashier.pay_as(Pay { amount_fen: Some(1), ..Pay::default() }).await;
        world.counts(Part::OrderSvc, "paid_facts_refused_total", &[("outcome", "amount")], 1).await;
        world.tells("dead.v1.order-svc-pay", 1).await;
        let dead = &world.facts("dead.v1.order-svc-pay").await[0];
        assert_eq!(dead.id, format!("paid:wechat-v2:1900000109:{}", paid.transaction_id));
        assert_eq!(dead.header("tongbao-dead-subject"), "pay.v1.payment.paid.acme-mini");
        assert!(dead.header("tongbao-dead-reason").contains("amount"), "{}", dead.header("tongbao-dead-reason"));
        assert_eq!(cashier.order().refreshed().await.state(), State::Pending);
        assert_eq!(world.facts("order.v1.order.paid.>").await, []);
        assert!(world.log(Part::OrderSvc).contains("paid fact refused"), "the SRE finds it in the log");
    });
}

#[test]
fn another_amount_found_by_asking_never_pays_the_order_either() {
    story(Options::default().dead_letters(1), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay_as(Pay { amount_fen: Some(10_000), ..Pay::default() }).await;
        cashier.attempted(1).await;
        assert_eq!(cashier.order().refreshed().await.state(), State::Pending);
        world.tells("dead.v1.order-svc-pay", 1).await;
        // A person looks at the money. Nobody asks again, and the order ends with its time like any other.
        world.pass(Duration::from_hours(24)).await;
        cashier.order().becomes(State::Closed).await;
        assert_eq!(world.facts("order.v1.order.paid.>").await, []);
    });
}

#[test]
fn another_currency_and_another_app_never_pay_an_order() {
    story(Options::default().dead_letters(2), async |world| {
        let pays = [
            Pay { fee_type: Some("USD".to_owned()), ..Pay::default() },
            Pay { app_id: Some(OFFICIAL_ACCOUNT.to_owned()), ..Pay::default() },
        ];
        for (pay, reason) in pays.into_iter().zip(["currency", "app_id"]) {
            let cashier = world.open_cashier(100).await;
            cashier.pay_as(pay).await;
            world.counts(Part::OrderSvc, "paid_facts_refused_total", &[("outcome", reason)], 1).await;
            assert_eq!(cashier.order().now().await.state(), State::Pending);
        }
        world.tells("dead.v1.order-svc-pay", 2).await;
    });
}
