//! Calls that make orders at the same time share transactions; each is answered as if it were alone.

use std::collections::HashSet;

use futures::future::join_all;
use proto::order::v1::*;
use tonic::Status;

use crate::gateway::MERCHANT;
use crate::harness::{World, id, of, reason};

/// Calls at once: more than one transaction takes.
const MANY: usize = 150;

fn request(amount_fen: i64) -> CreateOrderRequest {
    CreateOrderRequest {
        request_id: id(),
        order_no: id(),
        merchant: MERCHANT.to_owned(),
        amount_fen,
        description: "茶".to_owned(),
        ..CreateOrderRequest::default()
    }
}

/// Different requests, each of another amount.
fn many() -> Vec<CreateOrderRequest> {
    (1..).map(request).take(MANY).collect()
}

/// Asks for all of them at once.
async fn create_all(world: &World, requests: &[CreateOrderRequest]) -> Vec<Result<Order, Status>> {
    join_all(requests.iter().map(|request| world.create(request.clone()))).await
}

/// Each answer is about the order that was asked for, but for the answer in that place, which is given back.
fn all_but(
    place: usize,
    requests: &[CreateOrderRequest],
    mut answers: Vec<Result<Order, Status>>,
) -> Result<Order, Status> {
    let other = answers.remove(place);
    let mut asked = requests.to_vec();
    asked.remove(place);
    all_are_answered(&asked, answers);
    other
}

fn all_are_answered(requests: &[CreateOrderRequest], answers: Vec<Result<Order, Status>>) {
    let mut names = HashSet::new();
    for (request, answer) in requests.iter().zip(answers) {
        let order = answer.expect("an order");
        assert_eq!((&order.order_no, order.amount_fen), (&request.order_no, request.amount_fen));
        assert!(names.insert(order.name), "each has an order of its own");
    }
}

/// Whether that many orders are there, each with one event and one row of the journal, and one answered request for each.
async fn are_all(world: &World, orders: i64) {
    assert_eq!(world.count("SELECT count(*) FROM orders").await, orders);
    let journal = "SELECT count(*) FROM state_changes WHERE entity = 'order' AND to_state = 'PENDING'";
    assert_eq!(world.count(journal).await, orders);
    let noted = "SELECT count(DISTINCT id) FROM state_changes WHERE entity = 'order' AND to_state = 'PENDING'";
    assert_eq!(world.count(noted).await, orders);
    world
        .until("every event is told", async || (world.count("SELECT count(*) FROM outbox").await == 0).then_some(()))
        .await;
    let told = world.messages("ORDER", "order.v1.order.created.shop").await;
    let different: HashSet<_> = told.iter().map(|event| event["order"].to_string()).collect();
    assert_eq!((told.len(), different.len()), (usize::try_from(orders).expect("few"), told.len()));
    let unanswered = "SELECT count(*) FROM requests
        WHERE rpc <> 'CreateOrder' OR response IS NULL OR refusal IS NOT NULL OR claimed_until IS NOT NULL";
    assert_eq!(world.count(unanswered).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_share_transactions_and_each_is_answered_with_its_own_order() {
    let world = World::start().await;
    let requests = many();
    let answers = create_all(&world, &requests).await;
    all_are_answered(&requests, answers.clone());
    are_all(&world, 150).await;
    let transactions = world.count("SELECT count(DISTINCT xmin::text) FROM orders").await;
    assert!(transactions < 150, "they share transactions: {transactions}");

    for (request, first) in requests.iter().zip(answers).take(3) {
        let again = world.create(request.clone()).await.expect("the same order");
        assert_eq!(again, first.expect("an order"), "the same request id, the same answer");
        assert_eq!(world.order(&again.name).await, again);
    }
    assert_eq!(world.count("SELECT count(*) FROM requests").await, 150);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_many_times_at_once_is_one_order_and_equal_answers() {
    let world = World::start().await;
    let one = request(100);
    let answers = create_all(&world, &vec![one; 20]).await;
    let answers: Vec<Order> = answers.into_iter().map(|answer| answer.expect("an order")).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    are_all(&world, 1).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_order_under_different_request_ids_at_once_is_one_order() {
    let world = World::start().await;
    let one = request(100);
    let requests: Vec<_> = (0..20).map(|_| CreateOrderRequest { request_id: id(), ..one.clone() }).collect();
    let names: HashSet<_> =
        create_all(&world, &requests).await.into_iter().map(|answer| answer.expect("the order").name).collect();
    assert_eq!(names.len(), 1);
    are_all(&world, 1).await;
    assert_eq!(world.count("SELECT count(*) FROM requests").await, 20);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn among_calls_at_once_one_with_a_used_order_no_is_refused_alone_and_its_request_id_stays_free() {
    let world = World::start().await;
    let used = world.ordered(|_| {}).await;
    let mut requests = many();
    requests[7].order_no.clone_from(&used.order_no);
    let answers = create_all(&world, &requests).await;
    assert_eq!(reason(all_but(7, &requests, answers)), "ORDER_NO_REUSED");
    are_all(&world, 150).await;

    let corrected = CreateOrderRequest { order_no: id(), ..requests[7].clone() };
    let order = world.create(corrected).await.expect("nothing was kept under this request id");
    assert_eq!(order.amount_fen, requests[7].amount_fen);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn among_calls_at_once_one_with_a_repeated_request_id_and_other_content_is_refused_alone() {
    let world = World::start().await;
    let mut requests = many();
    requests.insert(7, CreateOrderRequest { order_no: id(), amount_fen: 5_000, ..requests[6].clone() });
    let mut answers = create_all(&world, &requests).await;
    // Either came first.
    let refused = if answers[6].is_err() { 6 } else { 7 };
    let refusal = all_but(refused, &requests, answers.split_off(0));
    assert_eq!(reason(refusal), "REQUEST_ID_REUSED");
    are_all(&world, 150).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn among_calls_at_once_one_that_the_database_does_not_take_fails_alone() {
    let world = World::start().await;
    world.change("ALTER TABLE orders ADD CHECK (amount_fen <> 7)").await;
    let requests = many();
    let answers = create_all(&world, &requests).await;
    assert_eq!(reason(all_but(6, &requests, answers)), "TRY_AGAIN");
    are_all(&world, 149).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_teams_use_the_same_names_at_once_and_two_replicas_write_at_once() {
    let mut world = World::start().await;
    let other = world.second().await;
    let requests = many();
    let of_cafe = requests.iter().map(async |request| {
        let answer = other.clone().create_order(of("cafe", request.clone())).await;
        answer.map(tonic::Response::into_inner)
    });
    // The same of one team, to the other replica and in the other order.
    let again = requests.iter().rev().map(async |request| {
        let answer = other.clone().create_order(of("shop", request.clone())).await;
        answer.map(tonic::Response::into_inner)
    });
    let (shop, cafe, mut shop_again) = tokio::join!(create_all(&world, &requests), join_all(of_cafe), join_all(again));
    shop_again.reverse();
    for (first, again) in shop.iter().zip(&shop_again) {
        assert_eq!(first.as_ref().expect("an order"), again.as_ref().expect("the same order"));
    }
    all_are_answered(&requests, shop);
    all_are_answered(&requests, cafe);
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 300);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn among_calls_at_once_one_whose_request_id_is_held_for_long_fails_alone() {
    let world = World::start().await;
    let requests = many();
    let mut held = world.pool.begin().await.expect("a transaction");
    sqlx::query(
        "INSERT INTO requests (app, request_id, rpc, content_sha256)
         VALUES ('shop', $1::uuid, 'CreateOrder', decode(repeat('00', 32), 'hex'))",
    )
    .bind(&requests[7].request_id)
    .execute(&mut *held)
    .await
    .expect("a row");
    let answers = create_all(&world, &requests).await;
    assert_eq!(reason(all_but(7, &requests, answers)), "TRY_AGAIN");

    held.rollback().await.expect("it is given back");
    world.create(requests[7].clone()).await.expect("the same call is taken now");
    are_all(&world, 150).await;
    world.end().await;
}
