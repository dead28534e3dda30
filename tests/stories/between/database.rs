//! The way from order-svc to its database falls silent, or breaks again and again.

use std::time::{Duration, Instant};

use e2e::{Link, Options, Part, World, eventually, proxy::Fault, selling::Cashier, story};
use futures::future::join_all;
use proto::{error::ErrorReason, order::v1::ListOrdersRequest};
use tokio::task::JoinSet;
use tonic::Code;

use super::BOUNDED;
use crate::{
    refused::refused,
    restart::{is_paid_once, is_told},
};

/// Orders that are created, and orders that are paid, while connections break.
const ORDERS: i64 = 12;

#[test]
fn a_database_that_falls_silent_is_told_and_calls_are_unavailable_in_bounded_time() {
    story(Options::default().through(Link::OrderSvcToPostgres), async |world| {
        let cashier = world.open_cashier(100).await;
        let new = world.create_order(250);
        world.link(Link::OrderSvcToPostgres).black_hole();
        let began = Instant::now();
        refused(new.clone().attempt().await, Code::Unavailable, ErrorReason::TryAgain);
        assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
        assert!(1 <= world.link(Link::OrderSvcToPostgres).observed(Fault::BlackHole));
        eventually("order-svc says that the database is silent", async || {
            let (ready, text) = readiness(world).await?;
            if !ready && text.contains("postgres") { Ok(()) } else { Err(text) }
        })
        .await;
        // The money comes meanwhile; notify-svc needs no database.
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;

        world.link(Link::OrderSvcToPostgres).pass();
        world.ready(Part::OrderSvc).await;
        is_paid_once(world, &cashier).await;
        let order_no = new.clone().request().await.order_no;
        let order = new.await;
        let listed = world.shop().list(ListOrdersRequest { order_no, ..ListOrdersRequest::default() }).await.orders;
        assert_eq!(listed.iter().map(|order| order.name.as_str()).collect::<Vec<_>>(), [order.name()]);
    });
}

#[test]
fn connections_that_break_again_and_again_lose_no_order_and_no_payment() {
    story(Options::default().through(Link::OrderSvcToPostgres), async |world| {
        let link = world.link(Link::OrderSvcToPostgres);
        let cashiers = join_all((1..=ORDERS).map(|amount_fen| world.open_cashier(amount_fen))).await;
        let mut work = JoinSet::new();
        for cashier in &cashiers {
            let (cashier, shop) = (cashier.clone(), world.shop());
            work.spawn(async move {
                cashier.pay().await;
                shop.create_order(1).await.name().to_owned()
            });
        }
        let (mut names, mut cut) = (Vec::new(), 0);
        while let Some(name) = work.join_next().await {
            names.push(name.expect("a patient caller gets its order"));
            cut += link.cut();
        }
        assert!(1 <= cut, "connections were open");
        assert_eq!(usize::try_from(link.observed(Fault::Cut)), Ok(cut));
        for cashier in &cashiers {
            is_told(world, Cashier::out_trade_no(cashier)).await;
            is_paid_once(world, cashier).await;
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cashiers.len());
        world.tells("order.v1.order.created.>", 2 * cashiers.len()).await;
    });
}

async fn readiness(world: &World) -> Result<(bool, String), String> {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(10));
    let client = client.build().expect("a client without certificates");
    let url = format!("{}/readyz", world.addresses().order_admin.url());
    let answer = client.get(url).send().await.map_err(|error| error.to_string())?;
    Ok((answer.status().is_success(), answer.text().await.unwrap_or_default()))
}
