//! The stream has stored a message, and its ack is lost.

use e2e::{Link, Options, Part, eventually, proxy::Fault, sandbox_client::AnswerClass, selling::Cashier, story};
use futures::future::join_all;

use crate::restart::{is_paid_once, is_told};

/// Callbacks that arrive together.
const TOGETHER: usize = 8;

#[test]
fn a_callback_whose_facts_ack_is_lost_is_refused_and_comes_again_and_the_fact_is_stored_once() {
    story(to_notify_svc(), async |world| {
        let link = world.link(Link::NotifySvcToNats);
        let cashier = world.open_cashier(100).await;
        link.lose_acks(1);
        cashier.pay().await;
        // Success is said after the ack, and there is none.
        let refused = &cashier.attempted(1).await.attempts[0];
        assert_eq!((refused.status, refused.answer), (Some(503), AnswerClass::WrongStatus));
        assert_eq!(link.observed(Fault::LoseAck), 1);
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1, "the stream has had it all along");

        assert!(2 <= is_told(world, cashier.out_trade_no()).await.attempts.len());
        is_paid_once(world, &cashier).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
        let repeats = world.metric(Part::NotifySvc, "bus_published_total", &[("outcome", "duplicate")]).await;
        assert!(1 <= repeats, "the stream knew the fact by its id");
    });
}

#[test]
fn callbacks_that_arrive_together_are_each_stored_once_when_acks_are_lost() {
    story(to_notify_svc(), async |world| {
        let link = world.link(Link::NotifySvcToNats);
        let cashiers = join_all((1..).take(TOGETHER).map(|amount_fen| world.open_cashier(amount_fen))).await;
        // The first may be that of one fact or that of a whole batch.
        link.lose_acks(2);
        join_all(cashiers.iter().map(Cashier::pay)).await;
        link.strikes(Fault::LoseAck, 2).await;
        for cashier in &cashiers {
            is_told(world, cashier.out_trade_no()).await;
            is_paid_once(world, cashier).await;
        }
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), TOGETHER);
    });
}

#[test]
fn an_event_whose_ack_is_lost_is_on_the_bus_once() {
    story(Options::default().through(Link::OrderSvcToNats), async |world| {
        let link = world.link(Link::OrderSvcToNats);
        link.lose_acks(1);
        world.create_order(100).await;
        link.strikes(Fault::LoseAck, 1).await;
        // The relay publishes it again, and the stream recognises it.
        eventually("the stream has met it again", async || {
            1 <= world.metric(Part::OrderSvc, "bus_published_total", &[("outcome", "duplicate")]).await
        })
        .await;
        assert_eq!(world.facts("order.v1.order.created.>").await.len(), 1);
        assert!(1 <= world.metric(Part::OrderSvc, "bus_published_total", &[("outcome", "unknown")]).await);
    });
}

/// An ack that does not come in one second does not come at all.
fn to_notify_svc() -> Options {
    Options::default().through(Link::NotifySvcToNats).setting(Part::NotifySvc, "PUBLISH_TIME_MS", 2_000)
}
