//! Paid facts that wait together are applied together, and each as if it had come alone.

use proto::event::{Event as _, PaymentPaid};
use proto::order::v1::pay_order_request::Method;
use proto::order::v1::*;
use sqlx::{Postgres, Transaction};

use crate::gateway::MINI;
use crate::harness::{World, pay_order};

/// So many facts are a batch beside which order-svc works on another.
const LARGE: usize = 64;
/// So many are published by one atomic batch, and read together.
const TOGETHER: usize = 12;

/// Notes each statement that pays orders or attempts, with how many of them it pays.
const NOTED: &str = "
    CREATE TABLE noted (seq bigint GENERATED ALWAYS AS IDENTITY, relation text, paid bigint);
    CREATE FUNCTION note_statement() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO noted (relation, paid) SELECT TG_TABLE_NAME, count(*) FROM changed WHERE state IN ('PAID', 'SUCCEEDED')
        HAVING 0 < count(*);
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_statement AFTER UPDATE ON orders REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION note_statement();
    CREATE TRIGGER note_statement AFTER UPDATE ON payments REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION note_statement();";

impl World {
    /// One more attempt to pay that order, and what the provider will tell of it.
    async fn attempted(&self, order: &Order) -> PaymentPaid {
        let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
        self.pay(pay_order(order, method)).await.expect("prepaid");
        self.fact(self.gateway.prepays().pop().expect("it was sent"))
    }

    /// Tells facts so that they wait together: behind one of another order, which is locked until all are there.
    async fn told_together(&self, facts: &[PaymentPaid]) {
        let first = self.ordered(|_| {}).await;
        let fact = self.attempted(&first).await;
        self.change(NOTED).await;
        let lock = self.locked(&first).await;
        self.publish(&fact).await;
        self.wait_for_locks(1).await;
        for fact in facts {
            self.publish(fact).await;
        }
        lock.rollback().await.expect("it is given back");
    }

    /// Keeps everybody else from changing an order until the transaction ends.
    async fn locked(&self, order: &Order) -> Transaction<'static, Postgres> {
        let mut lock = self.pool.begin().await.expect("a transaction");
        let order = order.name.trim_start_matches("orders/");
        let locked = sqlx::query("SELECT FROM orders WHERE order_id = $1::uuid FOR UPDATE").bind(order);
        locked.execute(&mut *lock).await.expect("it is locked");
        lock
    }

    /// Until so many batches wait for locks.
    async fn wait_for_locks(&self, batches: i64) {
        self.until("batches wait for a lock", async || {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            (self.count(waiting).await == batches).then_some(())
        })
        .await;
    }

    /// How many rows of a table each statement has paid, without the first fact's.
    async fn noted(&self, relation: &str) -> Vec<i64> {
        let noted = "SELECT paid FROM noted WHERE relation = $1 ORDER BY seq OFFSET 1";
        sqlx::query_scalar(noted).bind(relation).fetch_all(&self.pool).await.expect("they are noted")
    }

    /// Every state of an order and its attempts, oldest first, with the order's versions.
    async fn journal(&self, order: &Order) -> Vec<(String, Option<i64>, String)> {
        let journal = "SELECT entity, version, to_state FROM state_changes WHERE order_id = $1::uuid AND entity <> 'refund' ORDER BY seq";
        let order = order.name.trim_start_matches("orders/");
        sqlx::query_as(journal).bind(order).fetch_all(&self.pool).await.expect("it is kept")
    }

    /// Ids of what was told of money, in the order in which it was written, without the first fact's.
    async fn told_of_money(&self) -> Vec<String> {
        self.until("the outbox is empty", async || {
            (self.count("SELECT count(*) FROM outbox").await == 0).then_some(())
        })
        .await;
        let told = "SELECT event_id FROM outbox_archive
                    WHERE ce_type IN ('tongbao.event.v1.OrderPaid', 'tongbao.event.v1.PaymentSurplus') ORDER BY seq OFFSET 1";
        sqlx::query_scalar(told).fetch_all(&self.pool).await.expect("it is kept")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_pays_an_order_twice_writes_two_versions_and_two_events_in_the_order_of_its_facts() {
    let world = World::start().await;
    let (twice, once) = (world.ordered(|_| {}).await, world.ordered(|_| {}).await);
    let facts = [world.attempted(&twice).await, world.attempted(&once).await, world.attempted(&twice).await];
    let before = world.journal(&twice).await;
    // The last one once more: a fact of the same batch that changes nothing.
    world.told_together(&[&facts[..], &facts[2..]].concat()).await;
    let surplus = world.message("ORDER", "order.v1.payment.surplus.shop").await;
    assert_eq!(
        (&surplus["order"], &surplus["outTradeNo"]),
        (&twice.name.as_str().into(), &facts[2].out_trade_no.as_str().into())
    );

    // The order that has one fact is paid at once; the other is locked, and its second change needs a second statement. What comes
    // behind gives the surplus back.
    assert_eq!(world.noted("orders").await[..3], [1, 1, 1]);
    assert_eq!(world.noted("payments").await[..3], [1, 1, 1]);
    let journal = world.journal(&twice).await;
    let version = before.iter().filter_map(|(_, version, _)| *version).max().expect("an order has a version");
    let paid = |version| [("payment".into(), None, "SUCCEEDED".into()), ("order".into(), Some(version), "PAID".into())];
    assert_eq!(journal[..before.len()], before);
    assert_eq!(journal[before.len()..before.len() + 4], [paid(version + 1), paid(version + 2)].concat());
    let versions: Vec<i64> = journal.iter().filter_map(|(_, version, _)| *version).collect();
    assert_eq!(versions, (1..).take(versions.len()).collect::<Vec<i64>>());

    let seen = world.order(&twice.name).await;
    let surplus_of = |fact: &PaymentPaid| {
        let payment = seen.payments.iter().find(|payment| payment.out_trade_no == fact.out_trade_no);
        payment.expect("it is there").surplus
    };
    assert_eq!((seen.state(), surplus_of(&facts[0]), surplus_of(&facts[2])), (order::State::Paid, false, true));
    let told = world.told_of_money().await;
    let paid = |order: &Order| proto::event::OrderPaid { order: order.name.clone(), ..Default::default() }.id();
    let surplus: proto::event::PaymentSurplus = serde_json::from_value(surplus).expect("the event");
    assert_eq!(told, [paid(&once), paid(&twice), surplus.id()]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_many_orders_is_applied_whole_by_one_update_of_each_table() {
    let world = World::start().await;
    let (mut orders, mut facts) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let order = world.ordered(|_| {}).await;
        facts.push(world.attempted(&order).await);
        orders.push(order);
    }
    // As they come, not as they were made.
    facts.reverse();
    world.told_together(&facts).await;
    for (order, fact) in orders.iter().rev().zip(&facts) {
        let seen = world.order_becomes(&order.name, order::State::Paid).await;
        assert_eq!(seen.payments[0].transaction_id, fact.transaction_id);
        assert_eq!(seen.payments[0].state(), payment::State::Succeeded);
    }
    assert_eq!((world.noted("orders").await, world.noted("payments").await), (vec![20], vec![20]));
    let expected: Vec<String> = orders
        .iter()
        .rev()
        .map(|order| proto::event::OrderPaid { order: order.name.clone(), ..Default::default() }.id())
        .collect();
    assert_eq!(world.told_of_money().await, expected);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_an_order_that_come_in_two_batches_are_applied_in_their_order() {
    let world = World::start().await;
    let twice = world.ordered(|_| {}).await;
    let (kept, surplus) = (world.attempted(&twice).await, world.attempted(&twice).await);
    let mut others = Vec::new();
    for _ in 0..2 + LARGE + TOGETHER {
        let order = world.ordered(|_| {}).await;
        others.push((world.attempted(&order).await, order));
    }
    let facts: Vec<PaymentPaid> = others.iter().map(|(fact, _)| fact.clone()).collect();
    let [(of_first, first), (_, slow), ..] = &others[..] else { panic!("there are more") };

    // What waits behind the first fact becomes one large batch, in which an order is locked; then comes one more.
    let lock_first = world.locked(first).await;
    world.publish(of_first).await;
    world.wait_for_locks(1).await;
    let lock_slow = world.locked(slow).await;
    world.publish_together(&[&facts[1..=1 + LARGE], std::slice::from_ref(&kept)].concat()).await;
    lock_first.rollback().await.expect("it is given back");
    world.order_becomes(&first.name, order::State::Paid).await;
    world.wait_for_locks(1).await;
    let (quick, last) = (&others[2 + LARGE].1, &facts[2 + LARGE..]);
    world.publish_together(&[last, std::slice::from_ref(&surplus)].concat()).await;

    // The later batch has done all that needs no order, and now waits for the earlier one, even when that has to begin again.
    world.order_becomes(&quick.name, order::State::Paid).await;
    assert_eq!(world.order(&twice.name).await.state(), order::State::Pending);
    world
        .change(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .await;
    world.wait_for_locks(1).await;
    assert_eq!(world.order(&twice.name).await.state(), order::State::Pending);
    lock_slow.rollback().await.expect("it is given back");
    world.message("ORDER", "order.v1.payment.surplus.shop").await;
    let seen = world.order(&twice.name).await;
    let surplus_of = |fact: &PaymentPaid| {
        let payment = seen.payments.iter().find(|payment| payment.out_trade_no == fact.out_trade_no);
        payment.expect("it is there").surplus
    };
    assert_eq!((surplus_of(&kept), surplus_of(&surplus)), (false, true));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_is_in_the_archive_already_and_was_not_applied_is_applied() {
    // As when it was a dead letter first.
    let world = World::start().await;
    let (kept, other) = (world.ordered(|_| {}).await, world.ordered(|_| {}).await);
    let facts = [world.attempted(&kept).await, world.attempted(&other).await];
    let archived = "INSERT INTO outbox_archive
                        (event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, payload, created_at)
                    VALUES ($1, nextval(pg_get_serial_sequence('outbox', 'seq')), 'pay.v1.payment.paid.acme-mini',
                            'tongbao.event.v1.PaymentPaid', 'notify-svc', 'somebody', '2026-11-30T00:00:00Z', '', now())";
    sqlx::query(archived).bind(facts[0].id()).execute(&world.pool).await.expect("it is archived");
    world.told_together(&facts).await;
    for order in [&kept, &other] {
        world.order_becomes(&order.name, order::State::Paid).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_facts_among_good_ones_are_dead_letters_alone() {
    let world = World::start().await;
    let (mut orders, mut facts) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let order = world.ordered(|_| {}).await;
        facts.push(world.attempted(&order).await);
        orders.push(order);
    }
    facts[1].amount_fen += 1;
    facts[3].currency = "HKD".to_owned();
    world.told_together(&facts).await;
    for place in [0, 2, 4] {
        world.order_becomes(&orders[place].name, order::State::Paid).await;
    }
    assert_eq!((world.noted("orders").await, world.noted("payments").await), (vec![3], vec![3]));
    let dead = world
        .until("both are buried", async || {
            let dead = world.messages("DEAD", "dead.v1.order-svc-pay").await;
            (2 <= dead.len()).then_some(dead)
        })
        .await;
    let buried: Vec<_> = dead.iter().map(|dead| dead["outTradeNo"].as_str().unwrap_or_default()).collect();
    assert_eq!(buried, [&facts[1].out_trade_no, &facts[3].out_trade_no]);
    for place in [1, 3] {
        assert_eq!(world.order(&orders[place].name).await.state(), order::State::Pending);
    }
    let disputed = "SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL AND next_ask_at IS NULL";
    assert_eq!(world.count(disputed).await, 2);
    world.end().await;
}
