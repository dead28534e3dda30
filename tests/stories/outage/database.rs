//! Postgres is away.

use e2e::{Options, Part, story};
use futures::future::join_all;
use proto::order::v1::ListOrdersRequest;
use tonic::Code;

use crate::restart::{is_paid_once, is_told};

#[test]
fn facts_accepted_while_the_database_was_dead_are_applied_once() {
    story(Options::default(), async |world| {
        let cashiers = join_all((1..=5).map(|amount_fen| world.open_cashier(amount_fen))).await;
        world.kill(Part::Postgres);
        for cashier in &cashiers {
            cashier.pay().await;
            // notify-svc needs no database.
            is_told(world, cashier.out_trade_no()).await;
        }
        world.start(Part::Postgres).await;
        for cashier in &cashiers {
            is_paid_once(world, cashier).await;
        }
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 5);
    });
}

#[test]
fn without_the_database_calls_are_unavailable_and_the_same_request_works_later() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        let (new, paying) = (world.create_order(250), cashier.order().pay_by_openid());
        world.stop(Part::Postgres);
        let (created, paid) = tokio::join!(new.clone().attempt(), paying.attempt());
        for refused in [created.expect_err("nobody can write"), paid.expect_err("nobody can write")] {
            assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
        }

        world.start(Part::Postgres).await;
        let order_no = new.clone().request().await.order_no;
        let order = new.await;
        let again = paying.await;
        assert_ne!(again.out_trade_no(), cashier.out_trade_no());
        let listed = world.shop().list(ListOrdersRequest { order_no, ..ListOrdersRequest::default() }).await.orders;
        assert_eq!(listed.iter().map(|order| order.name.as_str()).collect::<Vec<_>>(), [order.name()]);
        again.pay().await;
        is_told(world, again.out_trade_no()).await;
        is_paid_once(world, &again).await;
    });
}
