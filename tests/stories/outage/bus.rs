//! NATS is away.

use e2e::{Options, Part, sandbox_client::AnswerClass, selling::State, story};
use futures::future::join_all;

use crate::restart::{is_paid_once, is_told};

#[test]
fn without_the_bus_callbacks_are_refused_and_come_again_and_events_wait() {
    // A slow refusal is a refusal, too.
    let patient = Options::default().setting(Part::Sandbox, "SANDBOX_CALLBACK_TIMEOUT_MS", 60_000);
    story(patient, async |world| {
        let cashier = world.open_cashier(100).await;
        world.stop(Part::Nats);
        // Teams notice nothing: orders are taken and cashiers opened.
        let other = world.open_cashier(250).await;
        for cashier in [&cashier, &other] {
            cashier.pay().await;
            let refused = &cashier.attempted(1).await.attempts[0];
            assert_eq!((refused.status, refused.answer), (Some(503), AnswerClass::WrongStatus));
            assert_eq!(cashier.order().now().await.state(), State::Pending);
        }

        world.start(Part::Nats).await;
        world.ready(Part::NotifySvc).await;
        for cashier in [&cashier, &other] {
            assert!(2 <= is_told(world, cashier.out_trade_no()).await.attempts.len());
            is_paid_once(world, cashier).await;
        }
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 2);
        for subjects in ["order.v1.order.created.>", "order.v1.payment.created.>"] {
            world.tells(subjects, 2).await;
        }
    });
}

#[test]
fn what_was_accepted_survives_the_death_of_the_bus() {
    story(Options::default(), async |world| {
        let cashiers = join_all((1..=5).map(|amount_fen| world.open_cashier(amount_fen))).await;
        // Nobody has read the facts yet when the server dies.
        world.stop(Part::OrderSvc);
        for cashier in &cashiers {
            cashier.pay().await;
            is_told(world, cashier.out_trade_no()).await;
        }
        world.kill(Part::Nats);
        world.start(Part::Nats).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 5);
        world.start(Part::OrderSvc).await;
        for cashier in &cashiers {
            is_paid_once(world, cashier).await;
        }
    });
}

#[test]
fn payments_made_while_the_bus_dies_are_all_applied_once() {
    story(Options::default(), async |world| {
        let cashiers = join_all((1..=12).map(|amount_fen| world.open_cashier(amount_fen))).await;
        let paying = cashiers.iter().cloned().map(|cashier| tokio::spawn(async move { cashier.pay().await }));
        let paying: Vec<_> = paying.collect();
        world.kill(Part::Nats);
        for paid in paying {
            paid.await.expect("the user pays");
        }
        world.start(Part::Nats).await;
        world.ready(Part::NotifySvc).await;
        for cashier in &cashiers {
            is_told(world, cashier.out_trade_no()).await;
        }
        for cashier in &cashiers {
            is_paid_once(world, cashier).await;
        }
        // Whatever was stored without an ack was recognised when it came again.
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), cashiers.len());
    });
}
