//! What was read without a lock has changed when it is written: then nothing of it is written, and the fact meets what is there.

use proto::event::PaymentPaid;
use proto::order::v1::{pay_order_request::Method, *};

use crate::gateway::MINI;
use crate::harness::{World, pay_order};

impl World {
    /// An order with one attempt, and what the provider will tell of it.
    async fn to_be_paid(&self) -> (Order, PaymentPaid) {
        let order = self.ordered(|_| {}).await;
        let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
        self.pay(pay_order(&order, method)).await.expect("prepaid");
        let fact = self.fact(self.gateway.prepays().pop().expect("it was sent"));
        (order, fact)
    }

    /// Tells a fact, and changes its order by `change` after the fact has been read with the order and before that is written.
    async fn changed_meanwhile(&self, order: &Order, fact: &PaymentPaid, change: &'static str) {
        let id = order.name.trim_start_matches("orders/");
        let mut tx = self.pool.begin().await.expect("a transaction");
        let locked = sqlx::query("SELECT FROM orders WHERE order_id = $1::uuid FOR UPDATE").bind(id);
        locked.execute(&mut *tx).await.expect("it is locked");
        self.publish(fact).await;
        // Reading waits for no lock.
        self.until("it waits to be written", async || {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH locked%'";
            (self.count(waiting).await == 1).then_some(())
        })
        .await;
        sqlx::query(change).bind(id).execute(&mut *tx).await.expect("it is changed");
        tx.commit().await.expect("it is changed");
    }

    /// Every version and state of an order.
    async fn versions(&self, order: &Order) -> Vec<(i64, String)> {
        let journal = "SELECT version, to_state FROM state_changes WHERE id = $1::uuid ORDER BY seq";
        let order = order.name.trim_start_matches("orders/");
        sqlx::query_as(journal).bind(order).fetch_all(&self.pool).await.expect("it is kept")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_closed_while_its_payment_is_written_keeps_no_money() {
    let world = World::start().await;
    let (order, fact) = world.to_be_paid().await;
    let close =
        "UPDATE orders SET state = 'CLOSED', close_time = now(), version = version + 1 WHERE order_id = $1::uuid";
    world.changed_meanwhile(&order, &fact, close).await;
    let surplus = world.message("ORDER", "order.v1.payment.surplus.shop").await;
    assert_eq!(surplus["outTradeNo"], fact.out_trade_no.as_str());
    let seen = world.order(&order.name).await;
    assert_eq!((seen.state(), seen.payments[0].surplus), (order::State::Closed, true));
    assert!(world.messages("ORDER", "order.v1.order.paid.shop").await.is_empty(), "nobody was told that it is paid");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_changes_while_its_payment_is_written_is_paid_as_what_it_has_become() {
    let world = World::start().await;
    let (order, fact) = world.to_be_paid().await;
    let before = world.versions(&order).await;
    let give_up = "UPDATE orders SET close_requested_at = now(), version = version + 1 WHERE order_id = $1::uuid";
    world.changed_meanwhile(&order, &fact, give_up).await;
    let seen = world.order_becomes(&order.name, order::State::Paid).await;
    assert_eq!(seen.payments[0].state(), payment::State::Succeeded);
    let last = before.last().expect("an order has a version").0;
    let after = [(last + 1, "PENDING".to_owned()), (last + 2, "PAID".to_owned())];
    assert_eq!(world.versions(&order).await, [&before[..], &after].concat());
    let paid = world.message("ORDER", "order.v1.order.paid.shop").await;
    assert_eq!(paid["transactionId"], fact.transaction_id.as_str());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_is_taken_back_while_its_payment_is_written_does_not_pay_its_order() {
    let world = World::start().await;
    let (order, fact) = world.to_be_paid().await;
    let take_back = "UPDATE payments SET method = 'pay_code', sent_on_db = now(), reversing_at = now(), reverses = 1,
                                         reverse_sent_at = now(), reverse_sent_on_db = now() WHERE order_id = $1::uuid";
    world.changed_meanwhile(&order, &fact, take_back).await;
    world
        .until("the fact is applied", async || {
            (world.count("SELECT count(*) FROM applied_events").await == 1).then_some(())
        })
        .await;
    assert_eq!(world.order(&order.name).await.state(), order::State::Pending);
    assert!(world.messages("ORDER", "order.v1.order.paid.shop").await.is_empty(), "nobody was told that it is paid");
    world.end().await;
}
