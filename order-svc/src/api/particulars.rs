//! What an order tells WeChat besides its price, and what a refund names of it: checked by WeChat's own limits before anything
//! is written, because what is written is sent as it is.

use std::collections::BTreeMap;

use money::Fen;
use proto::order::v1;
use svc_kit::refusal::Violations;
use wechat_pay::v2::{self, limits};

use crate::domain::order::Order;

/// Every mistake in the particulars of a request, each with the path of its field: `particulars.goods.items[2].quantity`.
pub(super) fn check(particulars: Option<&v1::Particulars>, violations: &mut Violations) {
    let Some(particulars) = particulars else { return };
    for wrong in limits::check_particulars(&in_wechats_words(particulars)) {
        violations.push(format!("particulars.{}", wrong.field), wrong.error.to_string());
    }
}

/// Every mistake in the goods of a refund that can be seen without its order: `goods[0].refund_fen`.
pub(super) fn check_refund_goods(goods: &[v1::RefundGoodsItem], amount_fen: i64, violations: &mut Violations) {
    if goods.is_empty() {
        return;
    }
    for wrong in limits::check_refund_goods(&goods.iter().map(returned).collect::<Vec<_>>()) {
        // The path begins with the item's number; an empty one means all of them.
        violations.push(format!("goods{}", wrong.field), wrong.error.to_string());
    }
    let sum = goods.iter().try_fold(0_i64, |sum, item| sum.checked_add(item.refund_fen));
    violations.check(
        sum == Some(amount_fen),
        "goods",
        format!("the refund_fen of all items must add up to amount_fen, {amount_fen}"),
    );
}

/// Every item of a refund that its order did not sell.
pub(super) fn check_goods_of(order: &Order, goods: &[v1::RefundGoodsItem], violations: &mut Violations) {
    if goods.is_empty() {
        return;
    }
    let sold = order.particulars.as_ref().and_then(|particulars| particulars.goods.as_ref());
    let sold = sold.map_or(&[][..], |goods| goods.items.as_slice());
    if !violations.check(!sold.is_empty(), "goods", "this order has no goods; leave them out") {
        return;
    }
    let mut returned: BTreeMap<&str, i64> = BTreeMap::new();
    for (n, item) in goods.iter().enumerate() {
        let mut of_order = sold.iter().filter(|sold| sold.goods_id == item.goods_id).peekable();
        if !violations.check(
            of_order.peek().is_some(),
            format!("goods[{n}].goods_id"),
            "the order has no goods of this goods_id",
        ) {
            continue;
        }
        let (mut quantity, mut same_price) = (0_i64, false);
        for sold in of_order {
            quantity = quantity.saturating_add(sold.quantity);
            same_price |= sold.price_fen == item.price_fen;
        }
        violations.check(same_price, format!("goods[{n}].price_fen"), "must be the price of one in the order");
        let so_far = returned.entry(&item.goods_id).or_default();
        *so_far = so_far.saturating_add(item.quantity);
        violations.check(
            *so_far <= quantity,
            format!("goods[{n}].quantity"),
            format!("the order has {quantity} of this goods_id"),
        );
    }
}

/// An empty text is one that was not given: proto3 cannot tell the two.
fn given(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn in_wechats_words(told: &v1::Particulars) -> v2::Particulars {
    v2::Particulars {
        attach: given(&told.attach),
        goods: told.goods.as_ref().map(|goods| v2::Goods {
            cost_price: Some(Fen::new(goods.cost_price_fen)).filter(|price| *price != Fen::ZERO),
            receipt_id: given(&goods.receipt_id),
            items: goods.items.iter().map(sold).collect(),
        }),
        goods_tag: given(&told.goods_tag),
        no_credit: told.no_credit,
        receipt: told.receipt,
        profit_sharing: told.profit_sharing,
        device_info: given(&told.device_info),
        store: told.store.as_ref().map(|store| v2::Store {
            id: store.id.clone(),
            name: given(&store.name),
            area_code: given(&store.area_code),
            address: given(&store.address),
        }),
    }
}

fn sold(item: &v1::GoodsItem) -> v2::GoodsItem {
    v2::GoodsItem {
        goods_id: item.goods_id.clone(),
        wxpay_goods_id: given(&item.wxpay_goods_id),
        name: given(&item.name),
        quantity: item.quantity,
        price: Fen::new(item.price_fen),
    }
}

fn returned(item: &v1::RefundGoodsItem) -> v2::RefundGoodsItem {
    v2::RefundGoodsItem {
        goods_id: item.goods_id.clone(),
        wxpay_goods_id: given(&item.wxpay_goods_id),
        name: given(&item.name),
        refund: Fen::new(item.refund_fen),
        quantity: item.quantity,
        price: Fen::new(item.price_fen),
    }
}

#[cfg(test)]
mod tests;
