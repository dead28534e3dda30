//! The way to NATS is half open, or breaks.

use std::time::Instant;

use e2e::{Link, Options, Part, eventually, proxy::Fault, sandbox_client::AnswerClass, story};
use futures::future::join_all;

use super::BOUNDED;
use crate::restart::{is_paid_once, is_told};

#[test]
fn order_svc_notices_a_half_open_connection_within_seconds_and_everything_is_delivered() {
    story(Options::default().through(Link::OrderSvcToNats), async |world| {
        let link = world.link(Link::OrderSvcToNats);
        let cashier = world.open_cashier(100).await;
        world.tells("order.v1.payment.created.>", 1).await;
        assert_eq!(link.half_open(), 1);
        let began = Instant::now();
        // A fact for it, and an event of its own.
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        world.create_order(250).await;
        is_paid_once(world, &cashier).await;
        world.tells("order.v1.order.created.>", 2).await;
        assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
        assert!(1 <= link.observed(Fault::HalfOpen), "it spoke to nobody");
        assert!(2 <= world.metric(Part::OrderSvc, "bus_connects_total", &[]).await);
    });
}

#[test]
fn notify_svc_refuses_callbacks_over_a_half_open_connection_and_takes_them_when_it_has_noticed() {
    let options = Options::default().through(Link::NotifySvcToNats);
    story(options.setting(Part::NotifySvc, "PUBLISH_TIME_MS", 2_000), async |world| {
        let link = world.link(Link::NotifySvcToNats);
        let cashier = world.open_cashier(100).await;
        assert_eq!(link.half_open(), 1);
        cashier.pay().await;
        let refused = &cashier.attempted(1).await.attempts[0];
        assert_eq!((refused.status, refused.answer), (Some(503), AnswerClass::WrongStatus));
        assert_eq!(world.facts("pay.v1.>").await, []);
        assert!(1 <= link.observed(Fault::HalfOpen), "the fact went to nobody");

        eventually("notify-svc has connected again", async || {
            2 <= world.metric(Part::NotifySvc, "bus_connects_total", &[]).await
        })
        .await;
        assert!(2 <= is_told(world, cashier.out_trade_no()).await.attempts.len());
        is_paid_once(world, &cashier).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
    });
}

#[test]
fn connections_to_the_bus_that_break_and_are_refused_for_a_while_lose_nothing() {
    let options = Options::default().through(Link::OrderSvcToNats).through(Link::NotifySvcToNats);
    story(options, async |world| {
        let links = [Link::OrderSvcToNats, Link::NotifySvcToNats].map(|link| world.link(link));
        let cashiers = join_all((1..=4).map(|amount_fen| world.open_cashier(amount_fen))).await;
        for link in links {
            link.refuse();
            assert_eq!(link.cut(), 1);
        }
        for cashier in &cashiers {
            cashier.pay().await;
            assert_ne!(cashier.attempted(1).await.attempts[0].answer, AnswerClass::Accepted);
        }
        for link in links {
            // It tries again and again.
            link.strikes(Fault::Refuse, 2).await;
            link.pass();
        }
        world.counts(Part::NotifySvc, "bus_connected", &[], 1).await;
        for cashier in &cashiers {
            is_told(world, cashier.out_trade_no()).await;
            is_paid_once(world, cashier).await;
        }
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), cashiers.len());
    });
}
