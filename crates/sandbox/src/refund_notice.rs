//! The refund notice: encrypted, signed by nobody, and how faults spoil it.

use jiff::Timestamp;
use merchants::Merchant;
use wechat_pay::{
    time,
    v2::{
        Fields,
        refund_notice::{SealKey, seal},
    },
};

use crate::{
    control::{Fault, RefundState},
    ids,
    ledger::{Order, Payment, Refund},
    notice::{Notice, change, forged_key, insert_sub_merchant},
    platform::wechat,
};

/// Names what differs from the ledger in a tampered notice when the rule does not: what a careless reader believes.
const TAMPERED_FIELD: &str = "refund_status";

/// What a notice tells of.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) order: &'a Order,
    pub(crate) payment: &'a Payment,
    pub(crate) refund: &'a Refund,
    /// The state that it reached then.
    pub(crate) state: RefundState,
    pub(crate) reached_at: Timestamp,
}

/// The fields of a refund notice, and whether they are what WeChat would send.
pub(crate) fn sealed(merchant: &Merchant, told: &Told<'_>, fault: Option<&Fault>) -> Option<Notice> {
    let key = SealKey::of(&wechat(merchant)?.api_key);
    let (mut outer, mut inner) = (outer(told), inner(told));
    let (key, genuine) = match fault {
        Some(Fault::Forge) => (SealKey::of(&forged_key()), false),
        Some(Fault::Tamper { field, value }) => {
            let field = field.as_deref().unwrap_or(TAMPERED_FIELD);
            let part = if outer.get(field).is_some() { &mut outer } else { &mut inner };
            change(part, field, value.as_deref().unwrap_or(another_state(told.state)));
            (key, false)
        }
        _ => (key, true),
    };
    outer.insert("req_info", seal(&inner, &key));
    Some(Notice { fields: outer, genuine })
}

/// The part that everybody can read.
fn outer(told: &Told<'_>) -> Fields {
    let mut fields = Fields::new();
    fields.insert("return_code", "SUCCESS");
    fields.insert("appid", told.payment.app_id.as_str());
    fields.insert("mch_id", told.order.mch_id.as_str());
    insert_sub_merchant(&mut fields, told.order);
    fields.insert("nonce_str", ids::nonce());
    fields
}

/// The part that is encrypted.
fn inner(told: &Told<'_>) -> Fields {
    let Told { order, payment, refund, state, reached_at } = told;
    let (total_fee, refund_fee) = (payment.amount.get().to_string(), refund.amount.get().to_string());
    let arrived = *state == RefundState::Success;
    let success_time = if arrived { time::print_spaced(*reached_at) } else { String::new() };
    [
        ("out_refund_no", refund.out_refund_no.as_str()),
        ("out_trade_no", &order.out_trade_no),
        ("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS"),
        ("refund_fee", &refund_fee),
        ("refund_id", &refund.refund_id),
        ("refund_recv_accout", RECEIVED_BY),
        ("refund_request_source", refund.source.as_str()),
        ("refund_status", state.as_str()),
        ("settlement_refund_fee", &refund_fee),
        ("settlement_total_fee", &total_fee),
        ("success_time", &success_time),
        ("total_fee", &total_fee),
        ("transaction_id", &payment.transaction_id),
    ]
    .into_iter()
    .collect()
}

/// Where the money of this sandbox goes back to: the user's change.
pub(crate) const RECEIVED_BY: &str = "支付用户零钱";

fn another_state(state: RefundState) -> &'static str {
    match state {
        RefundState::Success => RefundState::RefundClose.as_str(),
        _ => RefundState::Success.as_str(),
    }
}
