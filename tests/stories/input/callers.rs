//! Who calls: nobody gets anything without a right token, and nobody sees what is another team's.

use e2e::{
    Options,
    selling::{Order, Orders, Team},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{
        CreateOrderRequest, GetOrderRequest, ListOrdersRequest, WatchOrderRequest,
        order_service_client::OrderServiceClient,
    },
};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::all_of;
use crate::refused::refused;

#[test]
fn who_has_no_right_token_gets_nothing() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let before = order.now().await;
        for wrong in ["shop", "shop-development-token ", "Shop-development-token", "shop-development-tokenx", "x"] {
            nothing_for(&world.team(wrong), &order).await;
        }
        let long = "x".repeat(1000);
        nothing_for(&world.team(&long), &order).await;

        let channel = svc_kit::grpc::channel(&world.addresses().order.url()).expect("our own URL is well formed");
        let mut nobody = OrderServiceClient::new(channel);
        unauthenticated(nobody.get_order(GetOrderRequest { name: order.name().to_owned(), refresh: false }).await);
        for scheme in ["Basic shop-development-token", "shop-development-token", "Bearer", "Bearer "] {
            let mut request = Request::new(GetOrderRequest { name: order.name().to_owned(), refresh: false });
            request.metadata_mut().insert("authorization", scheme.parse().expect("it is printable"));
            unauthenticated(nobody.get_order(request).await);
        }
        assert_eq!(order.now().await, before);
        assert_eq!(world.sandbox.ledger().await.orders, []);
    });
}

#[test]
fn an_order_of_another_team_is_not_there() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        order.pay_by_openid().await;
        let before = order.now().await;
        let canteen = world.canteen();
        let nobodys = format!("orders/{}", Uuid::new_v4());
        for name in [order.name(), nobodys.as_str()] {
            let theirs = canteen.order(name);
            not_found(theirs.pay_by_openid().attempt().await);
            not_found(theirs.attempt_close().await);
            for refresh in [false, true] {
                not_found(canteen.orders().get_order(GetOrderRequest { name: name.to_owned(), refresh }).await);
            }
            not_found(canteen.orders().watch_order(WatchOrderRequest { name: name.to_owned() }).await.map(drop));
        }
        assert_eq!(all_of(&canteen).await, []);
        assert_eq!(order.now().await, before);
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
    });
}

/// Asserts that no call with this token is answered.
async fn nothing_for(team: &Team, order: &Order) {
    let theirs = team.order(order.name());
    unauthenticated(team.create_order(100).attempt().await);
    unauthenticated(theirs.pay_by_openid().attempt().await);
    unauthenticated(theirs.attempt_close().await);
    let mut orders: Orders = team.orders();
    unauthenticated(orders.get_order(GetOrderRequest { name: order.name().to_owned(), refresh: true }).await);
    unauthenticated(orders.list_orders(ListOrdersRequest::default()).await);
    unauthenticated(orders.watch_order(WatchOrderRequest { name: order.name().to_owned() }).await.map(drop));
    // Wrong fields are nobody's business either.
    unauthenticated(orders.create_order(CreateOrderRequest::default()).await);
}

#[track_caller]
fn unauthenticated<T: std::fmt::Debug>(answer: Result<T, Status>) {
    refused(answer, Code::Unauthenticated, ErrorReason::Unauthenticated);
}

#[track_caller]
fn not_found<T: std::fmt::Debug>(answer: Result<T, Status>) {
    refused(answer, Code::NotFound, ErrorReason::OrderNotFound);
}
