use proto::order::v1::{Goods, GoodsItem, Particulars, RefundGoodsItem, Store};
use svc_kit::refusal::Violations;
use tonic_types::StatusExt as _;

use super::{check, check_goods_of, check_refund_goods};
use crate::domain::settle::samples;

fn tea(quantity: i64) -> GoodsItem {
    GoodsItem { goods_id: "tea".into(), quantity, price_fen: 50, ..GoodsItem::default() }
}

fn back(refund_fen: i64, quantity: i64) -> RefundGoodsItem {
    RefundGoodsItem { goods_id: "tea".into(), refund_fen, quantity, price_fen: 50, ..RefundGoodsItem::default() }
}

fn fields(violations: Violations) -> Vec<String> {
    let Err(status) = violations.finish() else { return Vec::new() };
    let told = status.get_details_bad_request().expect("a bad request");
    told.field_violations.into_iter().map(|violation| violation.field).collect()
}

fn wrong(particulars: &Particulars) -> Vec<String> {
    let mut violations = Violations::new();
    check(Some(particulars), &mut violations);
    fields(violations)
}

#[test]
fn no_particulars_and_empty_ones_are_right() {
    let mut violations = Violations::new();
    check(None, &mut violations);
    assert_eq!(fields(violations), [""; 0]);
    assert_eq!(wrong(&Particulars::default()), [""; 0]);
}

#[test]
fn a_mistake_is_told_with_the_path_of_its_field() {
    let items = vec![tea(1), tea(2), tea(0)];
    let told = Particulars {
        attach: "a&b".into(),
        goods: Some(Goods { items, receipt_id: "r".repeat(33), ..Goods::default() }),
        store: Some(Store { area_code: "shenzhen".into(), ..Store::default() }),
        ..Particulars::default()
    };
    let mut fields = wrong(&told);
    fields.sort();
    let expected = ["attach", "goods.items[2].quantity", "goods.receipt_id", "store.area_code", "store.id"];
    assert_eq!(fields, expected.map(|field| format!("particulars.{field}")));
}

#[test]
fn attach_is_counted_in_bytes_and_a_goods_tag_in_characters() {
    let tag = Particulars { goods_tag: "茶".repeat(32), ..Particulars::default() };
    assert_eq!(wrong(&tag), [""; 0]);
    let attach = |count| Particulars { attach: "茶".repeat(count), ..Particulars::default() };
    assert_eq!(wrong(&attach(42)), [""; 0]);
    assert_eq!(wrong(&attach(43)), ["particulars.attach"]);
}

#[test]
fn goods_that_come_back_add_up_to_what_goes_back() {
    let told = |goods: &[RefundGoodsItem], amount_fen| {
        let mut violations = Violations::new();
        check_refund_goods(goods, amount_fen, &mut violations);
        fields(violations)
    };
    assert_eq!(told(&[], 70), [""; 0]);
    assert_eq!(told(&[back(30, 1), back(40, 1)], 70), [""; 0]);
    assert_eq!(told(&[back(30, 1), back(40, 1)], 71), ["goods"]);
    assert_eq!(told(&[back(0, 0)], 0), ["goods[0].refund_fen", "goods[0].quantity"]);
    assert_eq!(told(&[back(i64::MAX, 1), back(2, 1)], 1), ["goods[0].refund_fen", "goods"], "no sum overflows");
}

#[test]
fn only_what_the_order_sold_comes_back() {
    let (mut order, _) = samples::pending(1);
    let told = |order: &_, goods: &[RefundGoodsItem]| {
        let mut violations = Violations::new();
        check_goods_of(order, goods, &mut violations);
        fields(violations)
    };
    assert_eq!(told(&order, &[back(30, 1)]), ["goods"], "an order without goods");
    assert_eq!(told(&order, &[]), [""; 0]);
    let goods = Goods { items: vec![tea(2)], ..Goods::default() };
    order.particulars = Some(Particulars { goods: Some(goods), ..Particulars::default() });
    assert_eq!(told(&order, &[back(30, 1), back(30, 1)]), [""; 0]);
    assert_eq!(told(&order, &[back(30, 1), back(30, 2)]), ["goods[1].quantity"], "three of two");
    let other = RefundGoodsItem { goods_id: "milk".into(), ..back(30, 1) };
    assert_eq!(told(&order, &[other]), ["goods[0].goods_id"]);
    assert_eq!(told(&order, &[RefundGoodsItem { price_fen: 49, ..back(30, 1) }]), ["goods[0].price_fen"]);
}
