//! notify-svc goes away and comes back; it keeps nothing, because WeChat comes again.

use std::time::Duration;

use e2e::{Options, Part, World, eventually, sandbox_client::AnswerClass, story};
use futures::future::join_all;
use proto::event::{PaymentPaid, Source};

use super::{is_paid_once, is_told};

/// The first pause of WeChat's schedule.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// Payments made while notify-svc is being stopped.
const PAYMENTS: usize = 12;

#[test]
fn a_callback_that_met_nobody_because_it_was_killed_comes_again() {
    met_nobody(World::kill);
}

#[test]
fn a_callback_that_met_nobody_because_it_was_stopped_comes_again() {
    met_nobody(World::stop);
}

fn met_nobody(away: fn(&mut World, Part)) {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        away(world, Part::NotifySvc);
        cashier.pay().await;
        assert_eq!(cashier.attempted(1).await.attempts[0].answer, AnswerClass::Unreachable);

        world.start(Part::NotifySvc).await;
        world.pass(FIRST_PAUSE).await;
        cashier.attempted(2).await;
        let callback = is_told(world, cashier.out_trade_no()).await;
        assert!(callback.attempts.iter().skip(1).any(|attempt| attempt.answer == AnswerClass::Accepted));
        is_paid_once(world, &cashier).await;
        let facts = world.facts("pay.v1.payment.paid.>").await;
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].event::<PaymentPaid>().source(), Source::Notice);
    });
}

#[test]
fn a_callback_that_it_was_killed_with_before_the_answer_comes_again_and_counts_once() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        // The stream does not ack, so the callback waits inside notify-svc; what was sent is in the stream's hands.
        world.pause(Part::Nats);
        cashier.pay().await;
        eventually("the callback waits for the stream, or was refused", async || {
            let callback = world.sandbox.ledger().await.callbacks.pop().expect("the user has paid");
            let refused = !callback.attempts.is_empty();
            refused || world.metric(Part::NotifySvc, "publish_under_way", &[]).await == 1
        })
        .await;
        world.kill(Part::NotifySvc);
        world.go_on(Part::Nats);
        assert_ne!(cashier.attempted(1).await.attempts[0].answer, AnswerClass::Accepted);

        world.start(Part::NotifySvc).await;
        world.pass(FIRST_PAUSE).await;
        is_told(world, cashier.out_trade_no()).await;
        is_paid_once(world, &cashier).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
    });
}

#[test]
fn no_callback_is_lost_when_it_is_stopped_among_many() {
    story(Options::default(), async |world| {
        let amounts = (1..).take(PAYMENTS);
        let cashiers = join_all(amounts.map(|amount_fen| world.open_cashier(amount_fen))).await;
        let paying: Vec<_> =
            cashiers.iter().cloned().map(|cashier| tokio::spawn(async move { cashier.pay().await })).collect();
        world.stop(Part::NotifySvc);
        for paid in paying {
            paid.await.expect("the user pays");
        }
        world.start(Part::NotifySvc).await;
        for cashier in &cashiers {
            is_told(world, cashier.out_trade_no()).await;
        }
        for cashier in &cashiers {
            is_paid_once(world, cashier).await;
        }
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), PAYMENTS);
    });
}
