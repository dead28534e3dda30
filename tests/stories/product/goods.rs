//! Single things of an order go back, by calls of their own.

use e2e::{
    Options,
    sandbox_client::{Fault, FaultPoint, once},
    selling::{RefundState, State, Waiting},
    story,
};
use proto::order::v1::{Goods, GoodsItem, Particulars, RefundGoodsItem};

use crate::refund::A_MINUTE;

fn pots_of_tea(count: i64) -> Vec<RefundGoodsItem> {
    let one = RefundGoodsItem { goods_id: "tea".to_owned(), price_fen: 50, ..RefundGoodsItem::default() };
    vec![RefundGoodsItem { quantity: count, refund_fen: 50 * count, ..one }]
}

#[test]
fn single_things_go_back_under_the_calls_for_them_as_often_as_they_were_sold() {
    story(Options::default(), async |world| {
        let items = vec![GoodsItem { goods_id: "tea".into(), quantity: 3, price_fen: 50, ..GoodsItem::default() }];
        let particulars = Particulars { goods: Some(Goods { items, ..Goods::default() }), ..Particulars::default() };
        let cashier = world.create_order(150).particulars(particulars).await.pay_by_openid().await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;

        // What neither call for whole amounts hears, the calls for goods do.
        let whole = [FaultPoint::Refund, FaultPoint::RefundQuery];
        let mut untouched = Vec::new();
        for point in whole {
            untouched.push(world.sandbox.fault(once(point, Fault::NotExecuted)).await);
        }
        let lost = world.sandbox.fault(once(FaultPoint::RefundV2, Fault::Lost)).await;
        let one = cashier.order().refund(50).goods(pots_of_tea(1)).await;
        one.waits_for(Waiting::Answer).await;
        world.pass(A_MINUTE).await;
        one.becomes(RefundState::Succeeded).await;
        let there = world.sandbox.refund(one.out_refund_no()).await.expect("WeChat has it");
        assert_eq!((there.amount_fen, there.requests), (50, 1));

        world.pass(A_MINUTE).await;
        let two = cashier.order().refund(100).goods(pots_of_tea(2)).await;
        two.becomes(RefundState::Succeeded).await;
        assert_eq!(cashier.order().becomes(State::Refunded).await.refunded_fen, 150);
        assert_eq!(world.sandbox.hits(&lost).await, 1);
        for fault in &untouched {
            assert_eq!(world.sandbox.hits(fault).await, 0);
        }
    });
}
