//! Refunds that say which things go back.

use proto::order::v1::pay_order_request::Method;
use proto::order::v1::*;

use crate::gateway::MINI;
use crate::harness::{World, id, of, pay_order, wrong_fields};

fn back(refund_fen: i64) -> RefundGoodsItem {
    RefundGoodsItem { goods_id: "tea".into(), refund_fen, quantity: 1, price_fen: 50, ..RefundGoodsItem::default() }
}

async fn paid_order(world: &World, goods: Option<Goods>) -> Order {
    let particulars = Particulars { goods, ..Particulars::default() };
    let order = world.ordered(|request| request.particulars = Some(particulars)).await;
    let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
    world.pay(pay_order(&order, method)).await.expect("prepaid");
    world.paid(|_| {}).await;
    world.order_becomes(&order.name, order::State::Paid).await
}

fn refund(order: &Order, amount_fen: i64, goods: Vec<RefundGoodsItem>) -> CreateRefundRequest {
    CreateRefundRequest {
        request_id: id(),
        order: order.name.clone(),
        amount_fen,
        goods,
        ..CreateRefundRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_go_back_with_every_sending_and_stand_in_the_refund() {
    let world = World::start().await;
    let items = vec![GoodsItem { goods_id: "tea".into(), quantity: 2, price_fen: 50, ..GoodsItem::default() }];
    let order = paid_order(&world, Some(Goods { items, ..Goods::default() })).await;
    let mut client = world.client.clone();
    let answer =
        client.create_refund(of("shop", refund(&order, 45, vec![back(45)]))).await.expect("a refund").into_inner();
    assert_eq!(answer.goods, [back(45)]);
    world.until("the refund is sent", async || (!world.gateway.refunds().is_empty()).then_some(())).await;
    assert_eq!(world.gateway.refunds()[0].goods, [back(45)]);

    let processing = async || {
        let request = GetRefundRequest { name: answer.name.clone(), refresh: false };
        let known = world.client.clone().get_refund(of("shop", request)).await.expect("it is there").into_inner();
        (known.state() == refund::State::Processing).then_some(known)
    };
    let known = world.until("the refund is accepted", processing).await;
    assert_eq!(known.goods, [back(45)]);
    let asked = async || {
        // A refresh may come while somebody else asks; then the next one does.
        let request = GetRefundRequest { name: answer.name.clone(), refresh: true };
        world.client.clone().get_refund(of("shop", request)).await.expect("it is there");
        world.gateway.refund_queries().pop()
    };
    assert!(world.until("the refund is asked about", asked).await.with_goods);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_are_not_the_orders_are_refused_and_nothing_is_reserved() {
    let world = World::start().await;
    let items = vec![GoodsItem { goods_id: "tea".into(), quantity: 1, price_fen: 50, ..GoodsItem::default() }];
    let with_goods = paid_order(&world, Some(Goods { items, ..Goods::default() })).await;
    let without = paid_order(&world, None).await;
    let milk = RefundGoodsItem { goods_id: "milk".into(), ..back(45) };
    for (request, field) in [
        (refund(&with_goods, 46, vec![back(45)]), "goods"),
        (refund(&with_goods, 45, vec![milk]), "goods[0].goods_id"),
        (refund(&with_goods, 90, vec![back(45), back(45)]), "goods[1].quantity"),
        (refund(&without, 45, vec![back(45)]), "goods"),
    ] {
        let answer = world.client.clone().create_refund(of("shop", request.clone())).await;
        assert_eq!(wrong_fields(answer), [field]);
        // The id is free again: the same call without the mistake is a new one.
        let mended = CreateRefundRequest { goods: Vec::new(), amount_fen: 1, ..request };
        world.client.clone().create_refund(of("shop", mended)).await.expect("a refund");
    }
    assert_eq!(world.count("SELECT count(*) FROM refunds WHERE goods IS NOT NULL").await, 0);
    world.end().await;
}
