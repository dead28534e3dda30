//! The first attempt of an order is written by one statement, and its answer kept by one. Whatever has changed since the order was
//! read, nothing of them is written, and the caller hears what a slower call would have heard.

use proto::order::v1::{pay_order_request::Method, *};
use svc_kit::refusal::reason_of;
use tokio::task::JoinHandle;
use tonic::{Code, Response, Status};

use crate::gateway::MINI;
use crate::harness::{World, of, pay_order, reason};

/// Statements that wait for the lock of a row and begin so.
const BEGIN_WAITS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH taken AS%INSERT INTO payments%'";
const ACCEPT_WAITS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH locked AS%accepted AS%'";

const CLOSE: &str =
    "UPDATE orders SET state = 'CLOSED', close_time = now(), version = version + 1 WHERE order_id = $1::uuid";
/// Somebody had the order, and left it as it was.
const NOTHING: &str = "SELECT FROM orders WHERE order_id = $1::uuid";
const GIVE_UP: &str = "UPDATE orders SET close_requested_at = now(), version = version + 1 WHERE order_id = $1::uuid";

fn native(order: &Order) -> PayOrderRequest {
    pay_order(order, Method::Native(Native { app_id: MINI.into(), ..Native::default() }))
}

impl World {
    /// A `PayOrder` that goes on by itself.
    fn paying(&self, request: PayOrderRequest) -> JoinHandle<Result<Response<PayOrderResponse>, Status>> {
        let mut client = self.client.clone();
        tokio::spawn(async move { client.pay_order(of("shop", request)).await })
    }

    /// Changes an order by `change` while so many statements wait for it, as a query counts them. `begin` lets them begin.
    async fn changed_while(
        &self,
        order: &Order,
        (waiting, many): (&'static str, i64),
        change: &'static str,
        begin: impl AsyncFnOnce(),
    ) {
        let id = order.name.trim_start_matches("orders/");
        let mut tx = self.pool.begin().await.expect("a transaction");
        let locked = sqlx::query("SELECT FROM orders WHERE order_id = $1::uuid FOR UPDATE").bind(id);
        locked.execute(&mut *tx).await.expect("it is locked");
        begin().await;
        self.until("they wait", async || (self.count(waiting).await == many).then_some(())).await;
        sqlx::query(change).bind(id).execute(&mut *tx).await.expect("it is changed");
        tx.commit().await.expect("it is changed");
    }

    /// What stands in the journal of an order, in the order of its writing.
    async fn lines_of(&self, order: &Order) -> Vec<(String, Option<i64>, String)> {
        let journal = "SELECT entity, version, to_state FROM state_changes WHERE order_id = $1::uuid ORDER BY seq";
        let order = order.name.trim_start_matches("orders/");
        sqlx::query_as(journal).bind(order).fetch_all(&self.pool).await.expect("it is kept")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_first_attempt_is_a_version_of_its_order_behind_the_attempts_own() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    let answer = world.pay(native(&order)).await.expect("prepaid");
    assert_eq!(
        world.order(&order.name).await.payments,
        [answer.payment.expect("it is told")],
        "it is told as it is kept"
    );
    let journal = world.lines_of(&order).await;
    let journal: Vec<_> = journal.iter().map(|(entity, version, state)| (&**entity, *version, &**state)).collect();
    let expected = [
        ("order", Some(1), "PENDING"),
        ("payment", None, "CREATED"),
        ("order", Some(2), "PENDING"),
        ("payment", None, "PENDING"),
        ("order", Some(3), "PENDING"),
    ];
    assert_eq!(journal, expected);
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE sending_until IS NOT NULL").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM requests WHERE claimed_until IS NOT NULL").await, 0);
    let told = world.message("ORDER", "order.v1.payment.created.shop").await;
    assert_eq!(told["outTradeNo"], world.gateway.prepays()[0].out_trade_no.as_str());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_changes_while_its_first_attempt_is_written_has_none_and_the_caller_hears_why() {
    let world = World::start().await;
    for change in [CLOSE, GIVE_UP] {
        let order = world.ordered(|_| {}).await;
        let mut paying = None;
        world
            .changed_while(&order, (BEGIN_WAITS, 1), change, async || paying = Some(world.paying(native(&order))))
            .await;
        let answer = paying.expect("it was called").await.expect("it ends");
        let status = answer.expect_err("nobody can pay it any more");
        assert_eq!(
            (status.code(), reason_of(&status).as_deref()),
            (Code::FailedPrecondition, Some("ORDER_NOT_PAYABLE"))
        );
    }
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM requests WHERE rpc = 'PayOrder'").await, 0, "the ids are free");
    assert!(world.gateway.prepays().is_empty(), "nothing was sent");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_given_up_while_its_attempt_is_accepted_opens_no_cashier() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    world.gateway.hold(true);
    let paying = world.paying(native(&order));
    world.until("it is sent", async || (world.gateway.prepays().len() == 1).then_some(())).await;
    world.changed_while(&order, (ACCEPT_WAITS, 1), GIVE_UP, async || world.gateway.hold(false)).await;
    let status = paying.await.expect("it ends").expect_err("its team gave it up");
    assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::FailedPrecondition, Some("ORDER_NOT_PAYABLE")));
    let attempts = "SELECT count(*) FROM payments WHERE state = 'PENDING' AND sending_until IS NULL";
    assert_eq!(world.count(attempts).await, 1, "it is known that the provider has it, so that it is closed");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_order_gets_another_one_while_it_is_accepted_opens_its_cashier_all_the_same() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    world.gateway.hold(true);
    let mut paying = Vec::new();
    for sent in 1..=2 {
        paying.push(world.paying(native(&order)));
        world.until("it is sent", async || (world.gateway.prepays().len() == sent).then_some(())).await;
    }
    world.gateway.hold(false);
    for paying in paying {
        paying.await.expect("it ends").expect("prepaid");
    }
    let versions: Vec<_> = world.lines_of(&order).await.into_iter().filter_map(|(_, version, _)| version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE sending_until IS NOT NULL").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM requests WHERE claimed_until IS NOT NULL").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_that_named_another_order_writes_no_attempt() {
    let world = World::start().await;
    let (first, second) = (world.ordered(|_| {}).await, world.ordered(|_| {}).await);
    let request = native(&first);
    let answer = world.pay(request.clone()).await.expect("prepaid");
    let reused = world.pay(PayOrderRequest { name: second.name.clone(), ..request.clone() }).await;
    assert_eq!(reason(reused), "REQUEST_ID_REUSED");
    assert_eq!(world.lines_of(&second).await.len(), 1, "nothing has happened to it");
    assert_eq!(world.pay(request).await.expect("replayed"), answer);
    assert_eq!(world.gateway.prepays().len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_at_one_time_writes_one_attempt_and_sends_it_once() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    world.gateway.hold(true);
    let request = native(&order);
    let mut paying = Vec::new();
    let both = async || paying = [(); 2].map(|()| world.paying(request.clone())).into();
    world.changed_while(&order, (BEGIN_WAITS, 2), NOTHING, both).await;
    world.until("it is sent", async || (world.gateway.prepays().len() == 1).then_some(())).await;
    let (ended, _, others) = futures::future::select_all(paying).await;
    let status = ended.expect("it ends").expect_err("the other one works on it");
    assert_eq!(status.code(), Code::Aborted);
    world.gateway.hold(false);
    let mut answers = futures::future::join_all(others).await;
    let answer = answers.pop().expect("there is one").expect("it ends").expect("prepaid").into_inner();
    assert_eq!(world.pay(request).await.expect("replayed"), answer);
    assert_eq!(world.gateway.prepays().len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_payers_who_begin_at_one_time_both_have_a_cashier_and_the_earlier_one_is_superseded() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    let mut paying = Vec::new();
    let both = async || paying = [(); 2].map(|()| world.paying(native(&order))).into();
    world.changed_while(&order, (BEGIN_WAITS, 2), NOTHING, both).await;
    for answer in futures::future::join_all(paying).await {
        answer.expect("it ends").expect("prepaid");
    }
    let seen = world.order(&order.name).await;
    assert_eq!(seen.payments.iter().map(Payment::state).collect::<Vec<_>>(), [payment::State::Pending; 2]);
    let versions: Vec<_> = world.lines_of(&order).await.into_iter().filter_map(|(_, version, _)| version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
    let superseded = "SELECT count(*) FROM payments WHERE superseded AND payment_id =
                      (SELECT id FROM state_changes WHERE entity = 'payment' ORDER BY seq LIMIT 1)";
    assert_eq!(world.count(superseded).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE superseded").await, 1);
    world.end().await;
}
