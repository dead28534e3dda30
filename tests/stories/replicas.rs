//! Two order-svc on one database: they share the work without a leader, and nobody can tell which of them answered.

mod second;

use e2e::{
    Options, Part, World, eventually,
    sandbox_client::{Fault, FaultPoint, FaultRule, always, once},
    selling::State,
    story,
};
use futures::future::join_all;
use proto::order::v1::{GetOrderRequest, Order, PayOrderResponse, WatchOrderRequest};
use tonic::{Code, Response, Status};

use crate::restart::{is_paid_once, is_told};
use second::Second;

/// Attempts that the two share.
const ATTEMPTS: usize = 12;

#[test]
fn each_attempt_is_asked_about_once_per_turn() {
    story(Options::default(), async |world| {
        let second = Second::start(world).await;
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        // It changes nothing; it counts.
        let asked = world.sandbox.fault(always(FaultPoint::OrderQuery, Fault::Late { delay_ms: 0 })).await;
        let cashiers = join_all((1..).take(ATTEMPTS).map(|amount_fen| world.open_cashier(amount_fen))).await;
        for cashier in &cashiers {
            cashier.pay().await;
        }
        // The one turn of the asking schedule.
        world.pass(std::time::Duration::from_mins(12)).await;
        for cashier in &cashiers {
            is_paid_once(world, cashier).await;
        }
        assert_eq!(usize::try_from(world.sandbox.hits(&asked).await), Ok(ATTEMPTS));
        world.tells("pay.v1.payment.paid.>", ATTEMPTS).await;
        second.end();
    });
}

#[test]
fn facts_that_come_several_times_are_applied_once_by_the_two() {
    story(Options::default(), async |world| {
        let second = Second::start(world).await;
        let thrice = Fault::Duplicate { copies: 2 };
        let rule = FaultRule { times: u32::MAX, ..once(FaultPoint::Callback, thrice) };
        world.sandbox.fault(rule).await;
        let cashiers = join_all((1..).take(ATTEMPTS).map(|amount_fen| world.open_cashier(amount_fen))).await;
        join_all(cashiers.iter().map(e2e::selling::Cashier::pay)).await;
        for cashier in &cashiers {
            is_told(world, cashier.out_trade_no()).await;
            let order = is_paid_once(world, cashier).await;
            let request = GetOrderRequest { name: order.name.clone(), refresh: false };
            let told = second.orders().get_order(request).await.expect("the second knows it").into_inner();
            assert_eq!(told, order);
        }
        let kept = async |url: &str| second::metric(url, "paid_facts_total{outcome=\"kept\"}").await;
        // It is counted after the commit.
        eventually("each fact is counted once", async || {
            let sum = kept(&world.addresses().order_admin.url()).await + kept(&second.admin_url()).await;
            if usize::try_from(sum) == Ok(ATTEMPTS) { Ok(()) } else { Err(sum) }
        })
        .await;
        second.end();
    });
}

#[test]
fn the_same_request_sent_to_both_at_once_is_done_once() {
    story(Options::default(), async |world| {
        let second = Second::start(world).await;
        for amount_fen in 1..=8 {
            let new = world.create_order(amount_fen).request().await;
            let (mut here, mut there) = (world.shop().orders(), second.orders());
            let created = tokio::join!(
                patiently(async || here.create_order(new.clone()).await),
                patiently(async || there.create_order(new.clone()).await),
            );
            assert_eq!(created.0, created.1);
            let pay = world.order(&created.0.name).pay_by_openid().request();
            let opened: (PayOrderResponse, PayOrderResponse) = tokio::join!(
                patiently(async || here.pay_order(pay.clone()).await),
                patiently(async || there.pay_order(pay.clone()).await),
            );
            assert_eq!(opened.0, opened.1);
            assert_eq!(world.order(&created.0.name).now().await.payments.len(), 1);
        }
        let ledger = world.sandbox.ledger().await;
        assert_eq!(ledger.orders.len(), 8);
        second.end();
    });
}

#[test]
fn what_one_changes_the_other_tells_its_watchers() {
    story(Options::default(), async |world| {
        let second = Second::start(world).await;
        let cashier = world.open_cashier(100).await;
        let name = cashier.order().name().to_owned();
        let mut here = cashier.order().watch().await;
        let request = WatchOrderRequest { name: name.clone() };
        let mut there = second.orders().watch_order(request).await.expect("the second knows it").into_inner();
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        for watch in [&mut here, &mut there] {
            let mut last: Option<Order> = None;
            while let Some(order) = watch.message().await.expect("the watch ends well") {
                last = Some(order);
            }
            assert_eq!(last.expect("there is a first message").state(), State::Paid);
        }
        is_paid_once(world, &cashier).await;
        second.end();
    });
}

#[test]
fn when_one_dies_the_other_goes_on_alone() {
    story(Options::default(), async |world| {
        let second = Second::start(world).await;
        let cashiers = join_all((1..=4).map(|amount_fen| world.open_cashier(amount_fen))).await;
        world.kill(Part::OrderSvc);
        for cashier in &cashiers {
            cashier.pay().await;
        }
        for cashier in &cashiers {
            is_told(world, cashier.out_trade_no()).await;
            becomes_paid_at(&second, cashier.order().name()).await;
        }
        world.start(Part::OrderSvc).await;
        for cashier in &cashiers {
            is_paid_once(world, cashier).await;
        }
        second.end();
    });
}

async fn becomes_paid_at(second: &Second, name: &str) {
    let request = GetOrderRequest { name: name.to_owned(), refresh: false };
    eventually(&format!("{name} is paid"), async || {
        let order = second.orders().get_order(request.clone()).await?.into_inner();
        if order.state() == State::Paid { Ok(()) } else { Err(Status::new(Code::Unknown, "still pending")) }
    })
    .await;
}

/// As a good caller: ABORTED and UNAVAILABLE are tried again with the same request id.
async fn patiently<T>(mut call: impl AsyncFnMut() -> Result<Response<T>, Status>) -> T {
    let answer = eventually("the request is answered", async || match call().await {
        Ok(answer) => Ok(Ok(answer.into_inner())),
        Err(status) if matches!(status.code(), Code::Aborted | Code::Unavailable) => Err(status),
        Err(status) => Ok(Err(status)),
    });
    answer.await.unwrap_or_else(|status| panic!("{status:?}"))
}

/// The world's own order-svc, for the settings of its twin.
fn settings(world: &World) -> Vec<(&'static str, String)> {
    let at = world.addresses();
    vec![
        ("LOG_FORMAT", "text".to_owned()),
        ("RUST_LOG", "info".to_owned()),
        ("ORDER_DATABASE_URL", world.postgres.url("orders")),
        ("NATS_URL", world.nats.url().to_owned()),
        ("NATS_MONITOR_URL", world.nats.monitor_url().to_owned()),
        ("GATEWAY_URL", at.gateway.url()),
        ("APPS_FILE", world.folder().join("apps.toml").display().to_string()),
        ("ASK_SCHEDULE", world.options().ask_schedule.clone()),
        ("CLOSE_MIN_AGE_S", world.options().close_min_age_s.to_string()),
        ("ENVIRONMENT", "development".to_owned()),
        ("CLOCK_URL", format!("{}/_sandbox/clock", at.sandbox.url())),
    ]
}
