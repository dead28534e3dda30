//! One id, one number, other content: refused, and nothing used up.

use std::fmt::Debug;

use e2e::{
    Options,
    selling::{OFFICIAL_ACCOUNT, OTHER_MERCHANT, State},
    story,
};
use jiff::SignedDuration;
use proto::{
    error::ErrorReason,
    order::v1::{CloseOrderRequest, CreateOrderRequest, Jsapi, PayOrderRequest, jsapi, pay_order_request::Method},
    time::to_wire,
};
use tonic::{Code, Status};

use super::new_id;
use crate::refused::{metadata, refused};

#[test]
fn a_request_id_with_other_content_is_refused() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let create = shop.create_order(100).request().await;
        let order = shop.orders().create_order(create.clone()).await.expect("a right request").into_inner();
        let in_time = to_wire(world.sandbox.clock().await.now + SignedDuration::from_mins(20));
        for other in [
            CreateOrderRequest { amount_fen: 101, ..create.clone() },
            CreateOrderRequest { description: "another tea".to_owned(), ..create.clone() },
            CreateOrderRequest { order_no: new_id(), ..create.clone() },
            CreateOrderRequest { merchant: OTHER_MERCHANT.to_owned(), ..create.clone() },
            CreateOrderRequest { expire_time: Some(in_time), ..create.clone() },
        ] {
            reused(shop.orders().create_order(other).await, "CreateOrder");
        }

        let pay = shop.order(&order.name).pay_by_openid().request();
        let opened = shop.orders().pay_order(pay.clone()).await.expect("a right request").into_inner();
        let before = shop.order(&order.name).now().await;
        let by_jsapi =
            Jsapi { app_id: OFFICIAL_ACCOUNT.to_owned(), payer: Some(jsapi::Payer::Openid("oPayer".to_owned())) };
        for other in [
            PayOrderRequest { payer_ip: "203.0.113.8".to_owned(), ..pay.clone() },
            PayOrderRequest { method: Some(Method::Jsapi(by_jsapi)), ..pay.clone() },
            PayOrderRequest { method: shop.order(&order.name).pay_by_openid().request().method, ..pay.clone() },
        ] {
            reused(shop.orders().pay_order(other).await, "PayOrder");
        }
        // An id of one call is no id for another, and the answer of neither is told.
        let close = CloseOrderRequest { request_id: create.request_id.clone(), name: order.name.clone() };
        reused(shop.orders().close_order(close).await, "CreateOrder");
        let close = CloseOrderRequest { request_id: pay.request_id.clone(), name: order.name.clone() };
        reused(shop.orders().close_order(close).await, "PayOrder");

        // Nothing of all that left a trace, and ids are each team's own.
        assert_eq!(shop.order(&order.name).now().await, before);
        assert_eq!(before.payments, [opened.payment.expect("an attempt")]);
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
        let others =
            world.canteen().orders().create_order(create.clone()).await.expect("another team's id").into_inner();
        assert_ne!(others.name, order.name);
        // A UUID has no case.
        let upper = CreateOrderRequest { request_id: create.request_id.to_uppercase(), ..create };
        assert_eq!(shop.orders().create_order(upper).await.expect("the same id").into_inner(), order);
    });
}

#[test]
fn an_order_no_names_one_order_of_its_team() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let create = shop.create_order(100).order_no("S-2026.11:21_7").request().await;
        let order = shop.orders().create_order(create.clone()).await.expect("a right request").into_inner();

        let same = CreateOrderRequest { request_id: new_id(), ..create.clone() };
        assert_eq!(shop.orders().create_order(same.clone()).await.expect("the same order").into_inner(), order);
        let other = CreateOrderRequest { request_id: new_id(), amount_fen: 101, ..create.clone() };
        let answer = shop.orders().create_order(other.clone()).await;
        let status = refused(answer, Code::AlreadyExists, ErrorReason::OrderNoReused);
        assert_eq!(metadata(&status, "order"), order.name);
        // The refusal used nothing up: its request id may name a right request.
        let mended = CreateOrderRequest { order_no: "S-2".to_owned(), ..other };
        let second = shop.orders().create_order(mended).await.expect("a free number").into_inner();
        assert_ne!(second.name, order.name);
        let others =
            world.canteen().orders().create_order(create.clone()).await.expect("each team has its own").into_inner();
        assert_ne!(others.name, order.name);

        // Asked for under a new request id, it is told as it is now; under the old ones, as it was.
        shop.order(&order.name).pay_by_openid().await.pay().await;
        let paid = shop.order(&order.name).becomes(State::Paid).await;
        let again = CreateOrderRequest { request_id: new_id(), ..create.clone() };
        assert_eq!(shop.orders().create_order(again).await.expect("the same order").into_inner(), paid);
        for first in [create, same] {
            assert_eq!(shop.orders().create_order(first).await.expect("a replay").into_inner(), order);
        }
    });
}

#[track_caller]
fn reused<T: Debug>(answer: Result<T, Status>, first_used_for: &str) {
    let status = refused(answer, Code::AlreadyExists, ErrorReason::RequestIdReused);
    assert_eq!(metadata(&status, "rpc"), first_used_for);
}
