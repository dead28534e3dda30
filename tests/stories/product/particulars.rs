//! What else an order tells WeChat: within WeChat's limits, the same in every sending, and back with the team.

use e2e::{Options, selling::State, story};
use proto::{
    event::OrderPaid,
    order::v1::{CreateOrderRequest, Goods, GoodsItem, Particulars, RefundGoodsItem, Store},
};

use crate::refused::wrong_fields;

fn item(goods_id: &str, quantity: i64, price_fen: i64) -> GoodsItem {
    GoodsItem { goods_id: goods_id.to_owned(), quantity, price_fen, name: "龙井".to_owned(), ..GoodsItem::default() }
}

fn everything() -> Particulars {
    Particulars {
        attach: "table 12 <\"桌>".to_owned(),
        goods: Some(Goods { cost_price_fen: 2_000, receipt_id: "R-1".to_owned(), items: vec![item("tea-1", 2, 990)] }),
        goods_tag: "WXG".to_owned(),
        no_credit: true,
        receipt: true,
        profit_sharing: false,
        device_info: "POS-3".to_owned(),
        store: Some(Store {
            id: "SZTX001".to_owned(),
            name: "茶馆".to_owned(),
            area_code: "440305".to_owned(),
            address: "科技中一路".to_owned(),
        }),
    }
}

#[test]
fn what_wechat_would_refuse_is_refused_before_anything_is_written() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let good = shop.create_order(1_980).request().await;
        let create = async |particulars| {
            let request = CreateOrderRequest { particulars: Some(particulars), ..good.clone() };
            shop.orders().create_order(request).await
        };
        let wrong = Particulars {
            attach: "茶".repeat(43),
            goods: Some(Goods { items: vec![item("", 0, -1)], ..Goods::default() }),
            goods_tag: "x".repeat(33),
            device_info: "x".repeat(33),
            store: Some(Store { area_code: "4403".to_owned(), ..Store::default() }),
            ..Particulars::default()
        };
        wrong_fields(
            create(wrong).await,
            &[
                "particulars.attach",
                "particulars.goods.items[0].goods_id",
                "particulars.goods.items[0].quantity",
                "particulars.goods.items[0].price_fen",
                "particulars.goods_tag",
                "particulars.device_info",
                "particulars.store.id",
                "particulars.store.area_code",
            ],
        );
        let none = Particulars { goods: Some(Goods::default()), ..Particulars::default() };
        wrong_fields(create(none).await, &["particulars.goods.items"]);
        let many = (0..200).map(|number| item(&format!("tea-{number}"), 1, 1)).collect();
        let too_long = Particulars { goods: Some(Goods { items: many, ..Goods::default() }), ..Particulars::default() };
        wrong_fields(create(too_long).await, &["particulars.goods"]);
        // 127 bytes of attach, not characters, are the limit.
        create(Particulars { attach: "x".repeat(127), ..Particulars::default() }).await.expect("within the limit");
    });
}

#[test]
fn everything_reaches_wechat_comes_back_and_a_part_of_the_goods_is_refunded() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let order = world.create_order(1_980).particulars(everything()).await;
        assert_eq!(order.now().await.particulars, Some(everything()));
        let cashier = order.pay_by_qr().await;
        cashier.pay().await;
        order.becomes(State::Paid).await;
        let paid: OrderPaid = world.tells("order.v1.order.paid.shop", 1).await[0].event();
        assert_eq!(paid.attach, "table 12 <\"桌>");

        let tea = |goods_id: &str, refund_fen| RefundGoodsItem {
            goods_id: goods_id.to_owned(),
            refund_fen,
            quantity: 1,
            price_fen: 990,
            ..RefundGoodsItem::default()
        };
        let strange = order.refund(990).goods(vec![tea("coffee", 990)]).attempt().await;
        wrong_fields(strange, &["goods[0].goods_id"]);
        wrong_fields(order.refund(990).goods(vec![tea("tea-1", 980)]).attempt().await, &["goods"]);
        let refund = order.refund(990).goods(vec![tea("tea-1", 990)]).await;
        assert_eq!(refund.now().await.goods, [tea("tea-1", 990)]);
        refund.becomes(e2e::selling::RefundState::Processing).await;
        crate::refund::arrives(world, &refund).await;
        order.becomes(State::PartiallyRefunded).await;
    });
}
