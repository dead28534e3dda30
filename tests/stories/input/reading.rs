//! Names, filters and pages.

use std::time::Duration;

use e2e::{
    Options,
    selling::{MERCHANT, OTHER_MERCHANT, State},
    story,
};
use proto::{
    order::v1::{CloseOrderRequest, GetOrderRequest, ListOrdersRequest, WatchOrderRequest},
    time::to_wire,
};
use uuid::Uuid;

use super::MALFORMED_NAMES;
use crate::refused::wrong_fields;

#[test]
fn names_and_filters_that_are_malformed_are_told_all_at_once() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        for name in MALFORMED_NAMES {
            let close = CloseOrderRequest { request_id: "7".to_owned(), name: name.to_owned() };
            wrong_fields(shop.orders().close_order(close).await, &["request_id", "name"]);
            let get = GetOrderRequest { name: name.to_owned(), refresh: true };
            wrong_fields(shop.orders().get_order(get).await, &["name"]);
            let watch = WatchOrderRequest { name: name.to_owned() };
            wrong_fields(shop.orders().watch_order(watch).await.map(drop), &["name"]);
        }

        let list = async |request| shop.orders().list_orders(request).await;
        let mut no_instant = to_wire(world.sandbox.clock().await.now);
        no_instant.nanos = 1_000_000_000;
        let wrong_everywhere = ListOrdersRequest {
            page_size: 201,
            page_token: "x".to_owned(),
            state: 99,
            merchant: "Acme".to_owned(),
            order_no: "a b".to_owned(),
            created_from: Some(no_instant),
            created_before: Some(no_instant),
        };
        let all = ["page_size", "page_token", "state", "merchant", "order_no", "created_from", "created_before"];
        wrong_fields(list(wrong_everywhere).await, &all);
        for page_size in [-1, 201, i32::MIN, i32::MAX] {
            wrong_fields(list(ListOrdersRequest { page_size, ..ListOrdersRequest::default() }).await, &["page_size"]);
        }
    });
}

#[test]
fn pages_hold_every_order_once_and_their_tokens_fit_nothing_else() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let mut newest_first = Vec::new();
        for index in 0..5 {
            let merchant = if index == 2 { OTHER_MERCHANT } else { MERCHANT };
            newest_first.insert(0, world.create_order(100 + index).merchant(merchant).await.now().await);
            world.pass(Duration::from_secs(1)).await;
        }
        world.canteen().create_order(100).await;
        let first = ListOrdersRequest { page_size: 2, ..ListOrdersRequest::default() };
        let page = shop.list(first.clone()).await;
        let second = ListOrdersRequest { page_token: page.next_page_token.clone(), ..first.clone() };
        let page_2 = shop.list(second.clone()).await;
        // The size of a page may change on the way.
        let last = ListOrdersRequest { page_token: page_2.next_page_token.clone(), page_size: 200, ..first.clone() };
        let page_3 = shop.list(last).await;
        assert_eq!([page.orders.len(), page_2.orders.len(), page_3.orders.len()], [2, 2, 1]);
        assert_eq!(page_3.next_page_token, "");
        assert_eq!([page.orders, page_2.orders, page_3.orders].concat(), newest_first);

        let token = page.next_page_token;
        let of_order = format!("{}.{}", Uuid::from_u128(7).simple(), token.rsplit('.').next().unwrap_or_default());
        for request in [
            ListOrdersRequest { page_token: format!("{token}0"), ..second.clone() },
            ListOrdersRequest { page_token: token[1..].to_owned(), ..second.clone() },
            ListOrdersRequest { page_token: token.replace('.', ""), ..second.clone() },
            ListOrdersRequest { merchant: MERCHANT.to_owned(), ..second.clone() },
            ListOrdersRequest { state: State::Pending.into(), ..second.clone() },
            ListOrdersRequest { order_no: newest_first[0].order_no.clone(), ..second.clone() },
            ListOrdersRequest { created_from: newest_first[4].create_time, ..second.clone() },
        ] {
            wrong_fields(shop.orders().list_orders(request).await, &["page_token"]);
        }
        wrong_fields(world.canteen().orders().list_orders(second.clone()).await, &["page_token"]);
        // A token is a place, not a secret: one that nobody gave out shows nothing but the team's own orders.
        let made_up = shop.orders().list_orders(ListOrdersRequest { page_token: of_order, ..second }).await;
        assert_eq!(made_up.expect("a place before all orders").into_inner().orders, []);

        let found = async |request| shop.list(request).await.orders;
        let every = ListOrdersRequest::default();
        let by_merchant = ListOrdersRequest { merchant: OTHER_MERCHANT.to_owned(), ..every.clone() };
        assert_eq!(found(by_merchant).await, newest_first[2..3]);
        let by_number = ListOrdersRequest { order_no: newest_first[1].order_no.clone(), ..every.clone() };
        assert_eq!(found(by_number).await, newest_first[1..2]);
        let (from, before) = (newest_first[3].create_time, newest_first[1].create_time);
        let by_time = ListOrdersRequest { created_from: from, created_before: before, ..every.clone() };
        assert_eq!(found(by_time).await, newest_first[2..4]);
        assert_eq!(found(ListOrdersRequest { state: State::Closed.into(), ..every.clone() }).await, []);
        assert_eq!(found(ListOrdersRequest { state: State::Pending.into(), ..every }).await, newest_first);
    });
}
