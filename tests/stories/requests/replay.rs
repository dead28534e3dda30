//! The same request gets the same answer, whatever has happened since.

use std::time::Duration;

use e2e::{
    Options, Part,
    selling::{State, Team},
    story,
};
use proto::order::v1::{CloseOrderRequest, CreateOrderRequest, Order, PayOrderRequest, PayOrderResponse};

use super::{new_id, orders_of, patient};

#[test]
fn a_repeated_request_gets_the_first_answer_whatever_has_happened_since() {
    story(Options::default(), async |world| {
        let (shop, calls) = (world.shop(), &mut Vec::new());
        // One order that is paid, one that is given up and closes later.
        let create = shop.create_order(100).expires_in_s(600).request().await;
        let order = created(&shop, &create, calls).await;
        let paying = shop.order(&order.name).pay_by_openid().request();
        let opened = paid(&shop, &paying, calls).await;
        let create = shop.create_order(250).expires_in_s(600).request().await;
        let given_up = created(&shop, &create, calls).await;
        paid(&shop, &shop.order(&given_up.name).pay_by_openid().request(), calls).await;
        let close = CloseOrderRequest { request_id: new_id(), name: given_up.name.clone() };
        let waits = closed(&shop, &close, calls).await;
        assert_eq!((waits.state(), waits.close_requested), (State::Pending, true));
        all_the_same(&shop, calls, "at once").await;

        world.sandbox.pay(&opened.payment.expect("an attempt").out_trade_no).await;
        shop.order(&order.name).becomes(State::Paid).await;
        all_the_same(&shop, calls, "after the order was paid").await;

        world.pass(Duration::from_mins(15)).await;
        shop.order(&given_up.name).becomes(State::Closed).await;
        all_the_same(&shop, calls, "after the time of the orders").await;

        world.kill(Part::OrderSvc);
        world.start(Part::OrderSvc).await;
        all_the_same(&shop, calls, "after a crash of order-svc").await;
        assert_eq!(world.sandbox.ledger().await.orders.iter().map(|order| order.prepays).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(orders_of(&shop).await.len(), 2);
    });
}

/// A request that was answered, and its answer.
enum Call {
    Create(CreateOrderRequest, Box<Order>),
    Pay(PayOrderRequest, Box<PayOrderResponse>),
    Close(CloseOrderRequest, Box<Order>),
}

async fn created(team: &Team, request: &CreateOrderRequest, calls: &mut Vec<Call>) -> Order {
    let order = team.orders().create_order(request.clone()).await.expect("a right request").into_inner();
    calls.push(Call::Create(request.clone(), Box::new(order.clone())));
    order
}

async fn paid(team: &Team, request: &PayOrderRequest, calls: &mut Vec<Call>) -> PayOrderResponse {
    let response = team.orders().pay_order(request.clone()).await.expect("a right request").into_inner();
    calls.push(Call::Pay(request.clone(), Box::new(response.clone())));
    response
}

async fn closed(team: &Team, request: &CloseOrderRequest, calls: &mut Vec<Call>) -> Order {
    let order = team.orders().close_order(request.clone()).await.expect("a right request").into_inner();
    calls.push(Call::Close(request.clone(), Box::new(order.clone())));
    order
}

/// Repeats every call and compares.
async fn all_the_same(team: &Team, calls: &[Call], when: &str) {
    for call in calls {
        match call {
            Call::Create(request, first) => {
                let again = patient(async || team.orders().create_order(request.clone()).await).await;
                assert_eq!(again.expect(when), **first, "{when}");
            }
            Call::Pay(request, first) => {
                let again = patient(async || team.orders().pay_order(request.clone()).await).await;
                assert_eq!(again.expect(when), **first, "{when}");
            }
            Call::Close(request, first) => {
                let again = patient(async || team.orders().close_order(request.clone()).await).await;
                assert_eq!(again.expect(when), **first, "{when}");
            }
        }
    }
}
