//! The database has committed, and the connection breaks before order-svc hears it.

use e2e::{
    Link, Options, World,
    proxy::Fault,
    selling::{PaymentState, State},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{ListOrdersRequest, Payment},
};
use tonic::Code;

use super::count;
use crate::{
    refused::refused,
    restart::{is_paid_once, is_told},
};

#[test]
fn an_order_whose_commit_got_no_answer_is_answered_by_the_same_request() {
    story(through_postgres(), async |world| {
        let new = world.create_order(100);
        world.link(Link::OrderSvcToPostgres).lose_commit_of("INSERT INTO orders");
        refused(new.clone().attempt().await, Code::Unavailable, ErrorReason::TryAgain);
        assert_eq!(lost_commits(world), 1);
        assert_eq!(count(world, "SELECT count(*) FROM orders").await, 1, "it is written, and nobody was told");

        let order_no = new.clone().request().await.order_no;
        let order = new.await;
        let listed = world.shop().list(ListOrdersRequest { order_no, ..ListOrdersRequest::default() }).await.orders;
        assert_eq!(listed.iter().map(|order| order.name.as_str()).collect::<Vec<_>>(), [order.name()]);
        assert_eq!(count(world, "SELECT count(*) FROM orders").await, 1);
        assert_eq!(world.tells("order.v1.order.created.>", 1).await[0].text("order"), order.name());
    });
}

#[test]
fn an_attempt_whose_commit_got_no_answer_is_not_sent_until_the_same_request_sends_it() {
    story(through_postgres(), async |world| {
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        world.link(Link::OrderSvcToPostgres).lose_commit_of("INSERT INTO payments");
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::TryAgain);
        assert_eq!(lost_commits(world), 1);
        let written = order.now().await.payments;
        assert_eq!(written.iter().map(Payment::state).collect::<Vec<_>>(), [PaymentState::Created]);
        assert_eq!(world.sandbox.ledger().await.orders, [], "nobody knows whether it is written, so it was not sent");

        is_given_up(world).await;
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), written[0].out_trade_no);
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        assert_eq!(is_paid_once(world, &cashier).await.payments.len(), 1);
    });
}

#[test]
fn a_second_attempt_whose_commit_got_no_answer_is_not_sent_until_the_same_request_sends_it() {
    story(through_postgres(), async |world| {
        let order = world.create_order(100).await;
        order.pay_by_openid().await;
        let paying = order.pay_by_openid();
        world.link(Link::OrderSvcToPostgres).lose_commit_of("INSERT INTO payments");
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::TryAgain);
        assert_eq!(lost_commits(world), 1);
        let written = order.now().await.payments;
        let states: Vec<_> = written.iter().map(Payment::state).collect();
        assert_eq!(states, [PaymentState::Pending, PaymentState::Created]);
        assert_eq!(
            world.sandbox.ledger().await.orders.len(),
            1,
            "nobody knows whether it is written, so it was not sent"
        );

        is_given_up(world).await;
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), written[1].out_trade_no);
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        assert_eq!(is_paid_once(world, &cashier).await.payments.len(), 2);
    });
}

#[test]
fn a_prepay_whose_kept_answer_got_no_answer_is_replayed_and_not_sent_again() {
    story(through_postgres(), async |world| {
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        world.link(Link::OrderSvcToPostgres).lose_commit_of("SET response = ");
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::TryAgain);
        assert_eq!(lost_commits(world), 1);
        let cashier = paying.await;
        assert_eq!(world.sandbox.ledger().await.orders.iter().map(|order| order.prepays).collect::<Vec<_>>(), [1]);
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        is_paid_once(world, &cashier).await;
    });
}

#[test]
fn facts_whose_commit_got_no_answer_are_applied_once() {
    story(through_postgres(), async |world| {
        let cashier = world.open_cashier(100).await;
        let link = world.link(Link::OrderSvcToPostgres);
        link.lose_commit_of("INSERT INTO applied_events");
        cashier.pay().await;
        link.strikes(Fault::LoseCommit, 1).await;
        // The commit counts, whoever heard of it.
        cashier.order().becomes(State::Paid).await;
        is_told(world, cashier.out_trade_no()).await;
        let paid = is_paid_once(world, &cashier).await;
        let streams = world.streams().await;
        e2e::eventually("the fact is acked, so it was handled again", async || {
            let backlog = streams.backlog(proto::bus::ORDER_SVC_PAY).await;
            backlog.is_some_and(|backlog| backlog.pending == 0 && backlog.unacked == 0)
        })
        .await;
        assert_eq!(cashier.order().now().await, paid, "handling it again changed nothing");
        assert_eq!(count(world, "SELECT count(*) FROM applied_events").await, 1);
        assert!(world.log(e2e::Part::OrderSvc).contains("waiting to apply messages"), "the handler heard of the break");
    });
}

#[test]
fn events_whose_deletion_got_no_answer_are_not_told_again() {
    story(through_postgres(), async |world| {
        let link = world.link(Link::OrderSvcToPostgres);
        link.lose_commit_of("DELETE FROM outbox");
        world.create_order(100).await;
        link.strikes(Fault::LoseCommit, 1).await;
        world.create_order(250).await;
        world.tells("order.v1.order.created.>", 2).await;
    });
}

/// The request of an attempt that was not sent is free, and no sending counts.
async fn is_given_up(world: &World) {
    let held = "SELECT count(*) FROM requests WHERE claimed_until IS NOT NULL AND payment_id IS NOT NULL";
    assert_eq!(count(world, held).await, 0, "a retry waits for nobody");
    let unsent = "SELECT count(*) FROM payments WHERE state = 'CREATED' AND sends = 0 AND sending_until IS NULL";
    assert_eq!(count(world, unsent).await, 1);
}

fn through_postgres() -> Options {
    Options::default().through(Link::OrderSvcToPostgres)
}

fn lost_commits(world: &World) -> u64 {
    world.link(Link::OrderSvcToPostgres).observed(Fault::LoseCommit)
}
