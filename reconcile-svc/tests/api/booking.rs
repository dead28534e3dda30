use async_nats::HeaderMap;
use proto::bus::{RECONCILE_SVC_ORDER, durable, header};
use proto::event::Event;
use proto::reconcile::v1::run::State;
use reconcile_svc::consume::Bookkeeper;
use reconcile_svc::metrics::ReconcileMetrics;
use svc_kit::bus::{Delivery, Handler as _, Verdict, Verdicts};
use svc_kit::metrics::Metrics;

use crate::bill::{self, Payment};
use crate::harness::World;

fn delivery<E: Event>(event: &E, sequence: u64) -> Delivery {
    let mut headers = HeaderMap::new();
    let id = event.id();
    for (name, value) in [(header::MSG_ID, id.as_str()), (header::ID, id.as_str()), (header::TYPE, E::TYPE)] {
        headers.insert(name, value);
    }
    Delivery {
        id,
        subject: event.bus_subject(),
        stream: "ORDER".to_owned(),
        sequence,
        attempts: 1,
        headers,
        payload: serde_json::to_vec(event).expect("JSON").into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_come_twice_and_in_any_order_are_booked_once() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    let spec = durable(RECONCILE_SVC_ORDER).expect("our durable");
    let bookkeeper =
        Bookkeeper::new(world.pool.clone(), spec, ReconcileMetrics::new(&Metrics::new()), world.clock.clone());
    let batch = [
        delivery(&payment.order_paid(), 1),
        delivery(&payment.order_paid(), 2),
        delivery(&payment.issued(), 3),
        delivery(&payment.order_created(), 4),
    ];
    for _ in 0..2 {
        let verdicts = bookkeeper.handle(&batch).await.expect("booked");
        assert_eq!(verdicts, Verdicts::Each(vec![Verdict::Applied; 4]));
    }
    world.publish(&[payment.told()]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.book_count, run.book_sum_fen), (State::Balanced, 1, 100));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_can_never_be_booked_becomes_a_dead_letter_and_stops_nobody() {
    let world = World::start().await;
    let day = world.day();
    let mut broken = Payment::on(day, 100).issued();
    broken.amount_fen = -5;
    let payment = Payment::on(day, 100);
    world.publish(&[broken, payment.issued()]).await;
    let dead = world.messages("DEAD", 1).await;
    assert_eq!(dead[0].0, "dead.v1.reconcile-svc-order");
    world.publish(&[payment.told()]).await;
    world.publish(&[payment.order_paid()]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    assert_eq!(world.run(day).await.state(), State::Balanced);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_in_another_currency_is_no_payment_of_ours() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    let mut told = payment.told();
    told.currency = "USD".to_owned();
    world.publish(&[payment.issued()]).await;
    world.publish(&[told]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    assert_eq!(world.run(day).await.differences[0].code, "P1");
    world.end().await;
}
