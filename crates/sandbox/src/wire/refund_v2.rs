//! Refunds of orders whose single items have promotions.

use wechat_pay::v2::Fields;

use super::{
    Refusal, Request,
    goods::{BadGoods, Goods, Pieces, RefundGoods},
    refund, refund_query,
    unified_order::required,
};
use crate::{
    ledger::{Ledger, Order},
    platform::Platform,
};

/// Longest detail, in bytes.
const MAX_DETAIL: usize = 6000;

/// Accepts a refund that says which things go back; a full one need not say it.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    refund::rated(platform, request, Some(check_goods))
}

fn check_goods(ledger: &Ledger, order: &Order, request: &Request) -> Result<(), Refusal> {
    let fields = &request.fields;
    let fen = |field| fields.fen(field).ok().flatten();
    let is_full = fen("refund_fee") == fen("total_fee");
    if is_full && fields.text("detail").is_none() {
        return Ok(());
    }
    let detail = required(fields, "detail")?;
    let refused = |bad: BadGoods| Refusal::param("detail", bad.0);
    if MAX_DETAIL < detail.len() {
        return Err(refused(BadGoods("参数格式错误")));
    }
    let goods = RefundGoods::read(detail).map_err(refused)?;
    // What the order says was checked when it was placed, where it counts; what it said wrongly then counts for nothing.
    let pieces = if order.trade_type == "FACEPAY" { Pieces::GoodsNum } else { Pieces::Quantity };
    let sold = Goods::ordered(&order.ordered, pieces).ok().flatten();
    let number = fields.text("out_refund_no");
    let before: Vec<RefundGoods> = ledger
        .refunds_of(order)
        .filter(|refund| refund.holds_money() && Some(refund.out_refund_no.as_str()) != number)
        .filter_map(|refund| RefundGoods::read(refund.requested("detail")?).ok())
        .collect();
    let refund_fen = fen("refund_fee").map_or(0, money::Fen::get);
    goods.check(refund_fen, sold.as_ref(), &before).map_err(refused)
}

/// Tells what became of one refund, with its goods. An order's number is not enough.
pub(super) fn query(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let fields = &request.fields;
    if fields.text("refund_id").is_none() && fields.text("out_refund_no").is_none() {
        return Err(Refusal::lacks("refund_id"));
    }
    refund_query::execute(platform, request)
}
