//! The payment notice: the fields WeChat posts, and how faults spoil them.

use merchants::Merchant;
use money::Fen;
use wechat_pay::{
    time,
    v2::{
        ApiKey, Fields, SignType,
        sign::{SIGN, sign},
    },
};

use crate::{
    control::Fault,
    ids,
    ledger::{Order, Payment},
    platform::wechat,
};

/// A key that no merchant has.
const FORGED_KEY: &str = "00000000000000000000000000000000";

/// Names what differs from the ledger in a tampered notice when the rule does not.
const TAMPERED_FIELD: &str = "total_fee";

/// The signed fields of a payment notice, and whether they are what WeChat would send.
pub(crate) fn signed(merchant: &Merchant, order: &Order, payment: &Payment, fault: Option<&Fault>) -> Option<Notice> {
    let key = &wechat(merchant)?.api_key;
    let mut fields = fields(order, payment);
    let mut genuine = true;
    let sign_with = |fields: &mut Fields, key: &ApiKey, sign_type: SignType| {
        let signature = sign(fields, key, sign_type);
        fields.insert(SIGN, signature);
    };
    match fault {
        Some(Fault::Forge) => {
            sign_with(&mut fields, &forged_key(), order.sign_type);
            genuine = false;
        }
        Some(Fault::OtherSignType) => {
            sign_with(&mut fields, key, other(order.sign_type));
            genuine = false;
        }
        Some(Fault::Tamper { field, value }) => {
            sign_with(&mut fields, key, order.sign_type);
            let field = field.as_deref().unwrap_or(TAMPERED_FIELD);
            change(&mut fields, field, value.as_deref().unwrap_or(&another_amount(payment.amount)));
            genuine = false;
        }
        Some(Fault::Rewrite { field, value }) => {
            change(&mut fields, field, value);
            sign_with(&mut fields, key, order.sign_type);
            genuine = false;
        }
        _ => sign_with(&mut fields, key, order.sign_type),
    }
    Some(Notice { fields, genuine })
}

/// A notice ready to be written.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) fields: Fields,
    /// Whether it says what the ledger says, signed or sealed as WeChat does it.
    pub(crate) genuine: bool,
}

/// The key that forged signatures are made with.
pub(crate) fn forged_key() -> ApiKey {
    ApiKey::parse(FORGED_KEY).expect("it has the form of a key")
}

/// What a notice and the query of a paid order say about the payment; same names, same values.
pub(crate) fn payment_fields(order: &Order, payment: &Payment) -> Fields {
    let mut fields = Fields::new();
    if let Some(device_info) = order.ordered("device_info") {
        fields.insert("device_info", device_info);
    }
    fields.insert("openid", payment.openid.as_str());
    fields.insert("is_subscribe", "N");
    if let Some(sub_openid) = order.sub_openid(payment) {
        fields.insert("sub_openid", sub_openid);
        fields.insert("sub_is_subscribe", "N");
    }
    fields.insert("trade_type", order.trade_type.as_str());
    fields.insert("bank_type", "OTHERS");
    fields.insert("total_fee", payment.amount.get().to_string());
    fields.insert("fee_type", payment.fee_type.as_str());
    fields.insert("cash_fee", payment.amount.get().to_string());
    fields.insert("transaction_id", payment.transaction_id.as_str());
    fields.insert("out_trade_no", order.out_trade_no.as_str());
    if let Some(attach) = order.ordered("attach") {
        fields.insert("attach", attach);
    }
    fields.insert("time_end", time::print_14(payment.paid_at));
    fields
}

/// Everything of a notice but its signature. Production notices carry no `sign_type`, and neither do these.
fn fields(order: &Order, payment: &Payment) -> Fields {
    let mut fields = Fields::new();
    fields.insert("return_code", "SUCCESS");
    fields.insert("appid", payment.app_id.as_str());
    fields.insert("mch_id", order.mch_id.as_str());
    insert_sub_merchant(&mut fields, order);
    fields.insert("nonce_str", ids::nonce());
    fields.insert("result_code", "SUCCESS");
    for (name, value) in payment_fields(order, payment).iter() {
        fields.insert(name, value);
    }
    fields
}

/// The sub-merchant of an order that a service provider placed, and its app; the same names in every message about it.
pub(crate) fn insert_sub_merchant(fields: &mut Fields, order: &Order) {
    for (name, value) in [("sub_appid", order.sub_app_id()), ("sub_mch_id", order.sub_mch_id())] {
        if let Some(value) = value {
            fields.insert(name, value);
        }
    }
}

/// Gives a field another value; the empty text removes it.
pub(crate) fn change(fields: &mut Fields, field: &str, value: &str) {
    if value.is_empty() {
        fields.remove(field);
    } else {
        fields.insert(field, value);
    }
}

fn another_amount(amount: Fen) -> String {
    if amount == Fen::new(1) { "2".to_owned() } else { "1".to_owned() }
}

fn other(sign_type: SignType) -> SignType {
    match sign_type {
        SignType::Md5 => SignType::HmacSha256,
        SignType::HmacSha256 => SignType::Md5,
    }
}
