//! The negative controls: a process that does break the rule is found out, and so is a crash that never happened.

use e2e::{Options, Part, checker::violations, eventually, selling::State, story};
use proto::bus::ORDER_SVC_PAY;

use super::sweep::{SOON, comes_back, crash};

/// Takes what waits to be published out of the outbox, and puts it back.
const TAKE_AWAY: &str = "WITH taken AS (DELETE FROM outbox RETURNING *) SELECT * INTO TABLE taken_away FROM taken";
const GIVE_BACK: &str =
    "INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload)
    SELECT event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload FROM taken_away";

/// As if order-svc had acked before its commit and died in between: it dies before it applies a fact, and the ack is sent in
/// its place.
#[test]
fn an_ack_before_the_commit_is_found_out() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        world.kill(Part::OrderSvc);
        world.start_with(Part::OrderSvc, &[("CRASH_AT", "consume.taken#1")]).await;
        let paid = cashier.pay().await;
        world.ends(Part::OrderSvc).await;

        let streams = world.streams().await;
        streams.deliver_again_after(ORDER_SVC_PAY, SOON).await;
        assert!(streams.ack_next(ORDER_SVC_PAY).await.contains(&paid.transaction_id));
        comes_back(world, Part::OrderSvc).await;

        let found = violations(world).await.join("\n");
        assert!(found.contains(cashier.out_trade_no()), "{found}");
        // Asking is the way back for the money, and a hand for the record, so the check at the end of this story finds nothing.
        cashier.order().becomes_when_asked(State::Paid).await;
        let orders = world.postgres.pool("orders");
        let fact = world.facts("pay.v1.payment.paid.>").await.remove(0).id;
        let record = sqlx::query("INSERT INTO applied_events (durable, event_id) VALUES ($1, $2)");
        record.bind(ORDER_SVC_PAY).bind(fact).execute(&orders).await.expect("it was not recorded");
        orders.close().await;
    });
}

/// As if the relay had deleted before it published and died in between: it dies with the events in its hands, and they are
/// deleted in its place.
#[test]
fn an_event_that_is_deleted_before_it_is_published_is_found_out() {
    story(Options::default(), async |world| {
        world.kill(Part::OrderSvc);
        world.start_with(Part::OrderSvc, &[("CRASH_AT", "order.create.committed#1")]).await;
        let team = world.shop();
        let creating = tokio::spawn(async move { team.create_order(100).await });
        world.ends(Part::OrderSvc).await;

        let orders = world.postgres.pool("orders");
        sqlx::raw_sql(TAKE_AWAY).execute(&orders).await.expect("it can be taken away");
        comes_back(world, Part::OrderSvc).await;
        let order = creating.await.expect("a patient caller is answered");

        let found = violations(world).await.join("\n");
        assert!(found.contains(order.id()), "{found}");
        sqlx::query(GIVE_BACK).execute(&orders).await.expect("it can be given back");
        orders.close().await;
        eventually("it is told", async || !world.facts("order.v1.order.created.shop").await.is_empty()).await;
    });
}

#[test]
fn a_point_that_is_not_passed_is_a_failure_of_the_sweep() {
    story(Options::default(), async |world| {
        let seen = Box::pin(crash(world, Part::NotifySvc, "notify.asleep", 1)).await;
        assert_eq!(seen, Err("the point was not passed so often".to_owned()));
    });
}
