use wechat_pay::v2::Fields;

use super::{Refusal, Request, unified_order::check_out_trade_no};
use crate::{
    ledger::{Ledger, Order, OrderId},
    notice::{insert_sub_merchant, payment_fields},
    platform::Platform,
};

/// Longest transaction id, in digits.
const MAX_TRANSACTION_ID: usize = 32;

/// Tells the state of an order. An unpaid one has no payment fields.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let ledger = platform.ledger();
    let id = named_order(&ledger, request)?;
    id.map(|id| state(ledger.order(id))).ok_or_else(|| Refusal::named("ORDERNOTEXIST"))
}

/// The order that a request names, by WeChat's number of its payment or by the merchant's own.
pub(super) fn named_order(ledger: &Ledger, request: &Request) -> Result<Option<OrderId>, Refusal> {
    let found = match request.fields.text("transaction_id") {
        // It wins when both numbers are there.
        Some(transaction_id) => {
            if MAX_TRANSACTION_ID < transaction_id.len() || !transaction_id.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Refusal::param("transaction_id", "参数格式错误"));
            }
            ledger.find_paid(request.mch_id(), transaction_id)
        }
        None => ledger.find(request.mch_id(), check_out_trade_no(&request.fields)?),
    };
    Ok(found.filter(|id| request.may_see(ledger.order(*id))))
}

/// What is told of an order.
pub(super) fn state(order: &Order) -> Fields {
    let state = order.trade_state();
    // The money of a reversed payment is gone, and its fields with it.
    let payment = order.payment.as_ref().filter(|_| order.reversal.is_none());
    let mut fields = if let Some(payment) = payment {
        let mut fields = payment_fields(order, payment);
        // Normally the app of the request; a payment through another app shows here.
        fields.insert("appid", payment.app_id.as_str());
        insert_sub_merchant(&mut fields, order);
        fields
    } else {
        let mut fields = Fields::new();
        fields.insert("out_trade_no", order.out_trade_no.as_str());
        fields.insert("total_fee", order.amount.get().to_string());
        if let Some(attach) = order.ordered("attach") {
            fields.insert("attach", attach);
        }
        fields
    };
    fields.insert("trade_state", state.as_str());
    fields.insert("trade_state_desc", sentence(state.as_str()));
    fields
}

fn sentence(trade_state: &str) -> &'static str {
    match trade_state {
        "SUCCESS" => "支付成功",
        "REFUND" => "订单发生过退款",
        "CLOSED" => "订单已关闭",
        "REVOKED" => "订单已撤销",
        "USERPAYING" => "用户支付中，需要输入密码",
        "PAYERROR" => "支付失败",
        _ => "订单未支付",
    }
}
