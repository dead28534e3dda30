use money::Fen;
use wechat_pay::v2::{Fields, RefundQuery, RefundStatus, RefundSummary, indexed::write_refunds, limits};

use super::{Refusal, Request, order_query::named_order, unified_order::malformed};
use crate::{
    ledger::{Order, Refund},
    platform::Platform,
    refund_notice::RECEIVED_BY,
};

/// Longest number of WeChat's.
const MAX_REFUND_ID: usize = 32;

/// Tells what became of one refund, or of a page of an order's refunds.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let (fields, mch_id) = (&request.fields, request.mch_id());
    let offset = fields.count("offset").map_err(|_| malformed("offset"))?.unwrap_or(0);
    let ledger = platform.ledger();
    let unknown = || Refusal::named("REFUNDNOTEXIST");
    // The more exact number wins when several are there.
    let one = if let Some(refund_id) = fields.text("refund_id") {
        if MAX_REFUND_ID < refund_id.len() || !refund_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed("refund_id"));
        }
        Some(ledger.find_refund_id(mch_id, refund_id))
    } else if let Some(out_refund_no) = fields.text("out_refund_no") {
        limits::check_out_refund_no(out_refund_no).map_err(|_| malformed("out_refund_no"))?;
        Some(ledger.find_refund(mch_id, out_refund_no))
    } else {
        None
    };
    if let Some(found) = one {
        let is_theirs = |refund: &&Refund| request.may_see(ledger.order(refund.order));
        let refund = found.map(|id| ledger.refund(id)).filter(is_theirs).ok_or_else(unknown)?;
        return Ok(answer(ledger.order(refund.order), &[refund], 1));
    }
    let order = ledger.order(named_order(&ledger, request)?.ok_or_else(unknown)?);
    let refunds: Vec<&Refund> = ledger.refunds_of(order).collect();
    if refunds.is_empty() {
        return Err(unknown());
    }
    let (offset, page) = (to_usize(offset), to_usize(RefundQuery::PAGE));
    if refunds.len() < offset {
        return Err(Refusal::param("offset", "超过退款总数"));
    }
    let shown: Vec<&Refund> = refunds.iter().copied().skip(offset).take(page).collect();
    Ok(answer(order, &shown, refunds.len()))
}

fn answer(order: &Order, shown: &[&Refund], total: usize) -> Fields {
    let payment = order.payment.as_ref().expect("only paid orders have refunds");
    let total_fee = payment.amount.get().to_string();
    let sum = shown.iter().try_fold(Fen::ZERO, |sum, refund| sum.checked_add(refund.amount));
    let sum = sum.expect("ten amounts of an order are no more than the order").get().to_string();
    let mut fields: Fields = [
        ("transaction_id", payment.transaction_id.as_str()),
        ("out_trade_no", &order.out_trade_no),
        ("total_fee", &total_fee),
        ("settlement_total_fee", &total_fee),
        ("fee_type", &payment.fee_type),
        ("cash_fee", &total_fee),
        // No document has it, and production answers do.
        ("refund_fee", &sum),
        ("refund_count", &shown.len().to_string()),
        ("total_refund_count", &total.to_string()),
    ]
    .into_iter()
    .collect();
    let summaries: Vec<RefundSummary> = shown.iter().map(|refund| summary(refund)).collect();
    for (name, value) in write_refunds(&summaries).iter() {
        fields.insert(name, value);
    }
    fields
}

fn summary(refund: &Refund) -> RefundSummary {
    RefundSummary {
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        refund_fee: refund.amount,
        settlement_refund_fee: Some(refund.amount),
        status: RefundStatus::parse(refund.state().as_str()),
        channel: Some("ORIGINAL".to_owned()),
        received_by: Some(RECEIVED_BY.to_owned()),
        succeeded_at: refund.succeeded_at(),
        coupon_refund_fee: Some(Fen::ZERO),
        coupons: Vec::new(),
    }
}

fn to_usize(count: u32) -> usize {
    usize::try_from(count).expect("a count of 32 bits is an index")
}
