//! Many callers at one moment.

use e2e::{
    Options,
    sandbox_client::{Fault, FaultPoint, once},
    selling::{State, Team},
    story,
};
use futures::future::join_all;
use proto::{
    error::ErrorReason,
    order::v1::{CreateOrderRequest, Order, PayOrderResponse},
};
use tonic::{Code, Status};

use super::{new_id, orders_of, patient};
use crate::refused::refused;

/// Callers of one request at one time.
const CALLERS: usize = 16;

#[test]
fn identical_create_orders_at_once_make_one_order_and_get_equal_answers() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let create = shop.create_order(100).request().await;
        let first = create_at_once(&shop, &vec![create; CALLERS]).await;

        // The same under ids of their own: the order_no decides.
        let create = shop.create_order(250).request().await;
        let with_own_id = || CreateOrderRequest { request_id: new_id(), ..create.clone() };
        let second = create_at_once(&shop, &(0..CALLERS).map(|_| with_own_id()).collect::<Vec<_>>()).await;
        let written = orders_of(&shop).await;
        assert!(written.len() == 2 && written.contains(&first) && written.contains(&second), "{written:?}");
    });
}

#[test]
fn identical_pay_orders_at_once_make_one_attempt() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        // WeChat thinks for a moment, so that they meet.
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, Fault::Late { delay_ms: 100 })).await;
        let paying = order.pay_by_openid();
        let (team, request) = (order.team(), paying.request());
        let calls = (0..CALLERS).map(|_| patient(async || team.orders().pay_order(request.clone()).await));
        let mut given: Vec<PayOrderResponse> = Vec::new();
        for answer in join_all(calls).await {
            match answer {
                Ok(response) => given.push(response),
                refusal => drop(refused(refusal, Code::Aborted, ErrorReason::InProgress)),
            }
        }
        let retried = paying.await;
        assert!(!given.is_empty() && given.iter().all(|response| response == retried.opened()), "{given:?}");
        assert_eq!(order.now().await.payments.len(), 1);
        let at_wechat = world.sandbox.ledger().await.orders;
        assert_eq!(at_wechat.iter().map(|order| order.prepays).collect::<Vec<_>>(), [1], "WeChat was called once");

        retried.pay().await;
        order.becomes(State::Paid).await;
    });
}

#[test]
fn an_order_takes_ten_open_attempts_and_no_more_even_at_once() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let requests: Vec<_> = (0..CALLERS).map(|_| order.pay_by_openid().request()).collect();
        let team = order.team();
        let calls = requests.iter().map(|request| patient(async || team.orders().pay_order(request.clone()).await));
        let (opened, over): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
        for answer in over {
            refused(answer, Code::FailedPrecondition, ErrorReason::TooManyPayments);
        }
        assert_eq!((opened.len(), order.now().await.payments.len()), (10, 10));
        assert_eq!(world.sandbox.ledger().await.orders.len(), 10);
    });
}

/// Creates an order by as many callers at once, and asserts that they are answered alike.
async fn create_at_once(team: &Team, requests: &[CreateOrderRequest]) -> Order {
    let calls = requests.iter().map(|request| patient(async || team.orders().create_order(request.clone()).await));
    let answers: Result<Vec<Order>, Status> = join_all(calls).await.into_iter().collect();
    let answers = answers.expect("each is answered");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    answers[0].clone()
}
