//! `CreateOrder`: what it refuses, what it takes, and what becomes of it.

use e2e::{Options, selling::State, story};
use jiff::SignedDuration;
use proto::{order::v1::CreateOrderRequest, time::to_wire};
use uuid::Uuid;

use super::all_of;
use crate::refused::wrong_fields;

#[test]
fn create_order_names_every_wrong_field_at_once_and_takes_the_limits() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let create = async |request| shop.orders().create_order(request).await;
        let all = ["request_id", "order_no", "merchant", "amount_fen", "description"];
        wrong_fields(create(CreateOrderRequest::default()).await, &all);
        let now = world.sandbox.clock().await.now;
        let ahead = |ahead: SignedDuration| Some(to_wire(now + ahead));
        let mut no_instant = to_wire(now);
        no_instant.nanos = -1;
        let wrong_everywhere = CreateOrderRequest {
            request_id: "7".to_owned(),
            order_no: "a b".to_owned(),
            merchant: "Acme Mini".to_owned(),
            amount_fen: -1,
            description: "tea 🍵".to_owned(),
            expire_time: Some(no_instant),
            particulars: None,
        };
        wrong_fields(create(wrong_everywhere).await, &[&all[..], &["expire_time"]].concat());

        let good = shop.create_order(100).request().await;
        for request_id in ["", "7", "00000000-0000-0000-0000-000000000000", "0198c5f2000070008000000000000001"] {
            wrong_fields(
                create(CreateOrderRequest { request_id: request_id.to_owned(), ..good.clone() }).await,
                &["request_id"],
            );
        }
        for order_no in ["", "a b", "茶-1", "a/b", &"x".repeat(65)] {
            wrong_fields(
                create(CreateOrderRequest { order_no: order_no.to_owned(), ..good.clone() }).await,
                &["order_no"],
            );
        }
        for amount_fen in [0, -1, 100_000_001, i64::MIN, i64::MAX] {
            wrong_fields(create(CreateOrderRequest { amount_fen, ..good.clone() }).await, &["amount_fen"]);
        }
        for merchant in ["", "nobody", "Acme", "acme_mini", "acme-mini.", &"m".repeat(33)] {
            wrong_fields(
                create(CreateOrderRequest { merchant: merchant.to_owned(), ..good.clone() }).await,
                &["merchant"],
            );
        }
        let one_too_long = format!("{}ab", "茶".repeat(42));
        for description in
            ["", " ", &one_too_long, "tea 🍵", "a\nb", "a\tb", "a\u{0}b", "a\u{7f}b", "\u{85}", " tea", "tea "]
        {
            let request = CreateOrderRequest { description: description.to_owned(), ..good.clone() };
            wrong_fields(create(request).await, &["description"]);
        }
        // The clock goes on between here and there, so the near end has some seconds on its good side.
        for expire_time in [
            ahead(SignedDuration::from_secs(59)),
            ahead(-SignedDuration::from_mins(1)),
            ahead(SignedDuration::from_hours(7 * 24 + 1)),
        ] {
            wrong_fields(create(CreateOrderRequest { expire_time, ..good.clone() }).await, &["expire_time"]);
        }
        assert_eq!(all_of(&shop).await, [], "nothing was written");

        // Every refusal left its request id free, and the limits themselves are good.
        let longest = format!("{}a", "茶".repeat(42));
        assert_eq!(longest.len(), 127);
        let now = world.sandbox.clock().await.now;
        for (request, life) in [
            (CreateOrderRequest { amount_fen: 1, description: longest, ..good.clone() }, None),
            (CreateOrderRequest { amount_fen: 100_000_000, order_no: "x".repeat(64), ..good.clone() }, Some(120)),
            (
                CreateOrderRequest { order_no: "A.b_c:d-9".to_owned(), description: "茶".to_owned(), ..good },
                Some(7 * 24 * 3600),
            ),
        ] {
            let request_id = Uuid::new_v4().to_string();
            let expire_time = life.map(|life| to_wire(now + SignedDuration::from_secs(life)));
            let created = create(CreateOrderRequest { request_id, expire_time, ..request.clone() }).await;
            let created = created.expect("it is within the limits").into_inner();
            assert_eq!((created.amount_fen, &created.order_no), (request.amount_fen, &request.order_no));
            assert_eq!((&created.description, created.state()), (&request.description, State::Pending));
        }
        assert_eq!(all_of(&shop).await.len(), 3);
    });
}

#[test]
fn what_the_payer_reads_reaches_wechat_unchanged() {
    story(Options::default(), async |world| {
        let longest = format!("{}a", "茶".repeat(42));
        for description in ["<b>&amp;\"'</b>", "]]>", "a & b < c > d", "A+B=100%", &longest] {
            let cashier = world.create_order(100).description(description).await.pay_by_openid().await;
            let at_wechat = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
            assert_eq!((at_wechat.description.as_str(), at_wechat.amount_fen), (description, 100));
            cashier.pay().await;
            cashier.order().becomes(State::Paid).await;
        }
    });
}
