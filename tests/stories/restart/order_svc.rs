//! order-svc goes away and comes back.

use e2e::{
    Options, Part, World, eventually,
    sandbox_client::{Fault, FaultPoint, FaultRule, once},
    selling::{PaymentState, State},
    story,
};
use proto::bus::ORDER_SVC_PAY;
use tokio::task::JoinSet;

use super::{is_paid_once, is_told};

/// Longer than anything here takes: a call that is this late never comes back.
const NEVER_MS: u64 = 60_000;
/// Calls on their way when order-svc is stopped.
const CALLS: u32 = 8;

#[test]
fn a_payment_that_was_told_while_it_was_killed_is_applied_when_it_is_back() {
    told_while_away(World::kill);
}

#[test]
fn a_payment_that_was_told_while_it_was_stopped_is_applied_when_it_is_back() {
    told_while_away(World::stop);
}

fn told_while_away(away: fn(&mut World, Part)) {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        away(world, Part::OrderSvc);
        let paid = cashier.pay().await;
        // WeChat is answered all the same, because the fact is on the stream.
        is_told(world, cashier.out_trade_no()).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);

        world.start(Part::OrderSvc).await;
        let order = is_paid_once(world, &cashier).await;
        assert_eq!(order.payments[0].transaction_id, paid.transaction_id);
    });
}

/// The server learns of the death only by the missing ack, so this takes the 30 s of the durable's `ack_wait`.
#[test]
fn a_fact_that_died_with_it_before_the_commit_is_delivered_again() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        world.pause(Part::OrderSvc);
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        let streams = world.streams().await;
        eventually("the fact is on its way to order-svc", async || {
            let backlog = streams.backlog(ORDER_SVC_PAY).await;
            backlog.is_some_and(|backlog| backlog.unacked == 1 || backlog.pending == 1)
        })
        .await;
        world.kill(Part::OrderSvc);
        world.start(Part::OrderSvc).await;
        is_paid_once(world, &cashier).await;
    });
}

#[test]
fn a_prepay_that_was_on_its_way_is_sent_again_under_the_same_number() {
    story(with_impatient_gateway(), async |world| {
        let late = Fault::Late { delay_ms: NEVER_MS };
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, late)).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        let first = tokio::spawn({
            let paying = paying.clone();
            async move { paying.attempt().await }
        });
        let sent = eventually("WeChat has the order", async || world.sandbox.ledger().await.orders.pop()).await;
        world.kill(Part::OrderSvc);
        first.await.expect("the caller lives").expect_err("nobody answers");

        world.start(Part::OrderSvc).await;
        leases_end(world).await;
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), sent.out_trade_no);
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
        cashier.pay().await;
        is_told(world, cashier.out_trade_no()).await;
        assert_eq!(is_paid_once(world, &cashier).await.payments.len(), 1);
    });
}

#[test]
fn a_prepay_that_nobody_sends_again_is_settled_by_asking() {
    story(with_impatient_gateway(), async |world| {
        let late = Fault::Late { delay_ms: NEVER_MS };
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, late)).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        let call = tokio::spawn(async move { paying.attempt().await });
        let sent = eventually("WeChat has the order", async || world.sandbox.ledger().await.orders.pop()).await;
        world.kill(Part::OrderSvc);
        call.await.expect("the caller lives").expect_err("nobody answers");

        world.start(Part::OrderSvc).await;
        let unknown = order.now().await.payments;
        assert_eq!(unknown.len(), 1);
        assert_eq!((unknown[0].state(), &unknown[0].out_trade_no), (PaymentState::Created, &sent.out_trade_no));
        world.pass(std::time::Duration::from_mins(12)).await;
        eventually("asking tells that WeChat has it", async || {
            order.now().await.payments[0].state() == PaymentState::Pending
        })
        .await;
        assert_eq!(order.now().await.state(), State::Pending);
    });
}

#[test]
fn calls_under_way_are_answered_before_it_stops() {
    story(Options::default(), async |world| {
        let late = FaultRule { times: CALLS, ..once(FaultPoint::UnifiedOrder, Fault::Late { delay_ms: 1_500 }) };
        let late = world.sandbox.fault(late).await;
        let watched = world.create_order(1).await;
        let mut watch = watched.watch().await;
        assert_eq!(watch.message().await.expect("it is followed").expect("as it is now").name, watched.name());

        let (mut orders, mut calls) = (Vec::new(), JoinSet::new());
        for amount_fen in 1..=i64::from(CALLS) {
            let order = world.create_order(amount_fen).await;
            let paying = order.pay_by_openid();
            orders.push(order);
            calls.spawn(async move { paying.attempt().await });
        }
        eventually("every call is at WeChat", async || world.sandbox.hits(&late).await == CALLS).await;
        world.stop(Part::OrderSvc);
        while let Some(ended) = calls.join_next().await {
            ended.expect("the caller lives").expect("what was accepted is answered");
        }
        // Whoever follows an order is sent away, and does not hold up the stop.
        while let Ok(Some(_)) = watch.message().await {}

        world.start(Part::OrderSvc).await;
        for order in orders {
            let payments = order.now().await.payments;
            assert_eq!(payments.len(), 1);
            world.sandbox.pay(&payments[0].out_trade_no).await;
            is_told(world, &payments[0].out_trade_no).await;
            order.becomes(State::Paid).await;
        }
    });
}

/// The gateway follows a call to its end, and its own end waits for that.
fn with_impatient_gateway() -> Options {
    Options::default().setting(Part::PayGateway, "PROVIDER_TIMEOUT_MS", 3_000)
}

/// What a dead process holds is free when its lease is over: 25 s on the database's clock, which no command moves.
async fn leases_end(world: &World) {
    let orders = world.postgres.pool("orders");
    let ended = sqlx::query("UPDATE requests SET claimed_until = now() WHERE claimed_until IS NOT NULL");
    ended.execute(&orders).await.expect("the database answers");
    orders.close().await;
}

#[test]
fn what_a_process_does_not_publish_waits_in_its_sight_until_one_does() {
    story(Options::default(), async |world| {
        world.stop(Part::OrderSvc);
        world.start_with(Part::OrderSvc, &[("PUBLISH_EVENTS", "false")]).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        let held = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox WHERE held_until IS NOT NULL");
        let orders = world.postgres.pool("orders");
        assert_eq!(held.fetch_one(&orders).await.expect("they are counted"), 0, "any process may publish them");
        let waiting = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox").fetch_one(&orders).await;
        let waiting = waiting.expect("they are counted");
        orders.close().await;
        eventually("it tells how many wait", async || {
            let told = world.metric(Part::OrderSvc, "outbox_pending", &[]).await;
            if told == waiting { Ok(()) } else { Err(format!("{told} of {waiting}")) }
        })
        .await;
        assert!(world.facts("order.v1.>").await.is_empty(), "nothing was published");

        world.stop(Part::OrderSvc);
        world.start(Part::OrderSvc).await;
        is_paid_once(world, &cashier).await;
    });
}
