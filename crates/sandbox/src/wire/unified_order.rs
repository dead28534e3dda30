//! `/pay/unifiedorder`: the merchant's side of an order, before anybody pays.

mod content;
mod detail;
mod scene;
mod trade_type;

use wechat_pay::v2::Fields;

use super::{Refusal, Request};
use crate::{
    ledger::{Misbilling, Order, Prepay},
    platform::Platform,
};
use content::{Content, check_expiry, expires_too_soon};
use detail::check_detail;
use trade_type::TradeType;

pub(super) use content::check_out_trade_no;
pub(crate) use scene::{host, wap_host};

/// Where an H5 payment begins; the page of the sandbox's phone serves it.
pub(crate) const H5_PATH: &str = "/cgi-bin/mmpayweb-bin/checkmweb";

/// Places an order, or issues another prepay id for the same order.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let now = platform.clock.now();
    let wanted = Content::read(&request.fields)?;
    let trade_type = TradeType::read(platform, request)?;
    let mut ledger = platform.ledger();
    if let Some(id) = ledger.find(request.mch_id(), &wanted.out_trade_no) {
        let order = ledger.order_mut(id);
        // Another sub-merchant's number says nothing about its order.
        if !request.may_see(order) {
            return Err(number_taken());
        }
        if order.reversal.is_some() {
            return Err(Refusal::named("ORDERCLOSED"));
        }
        if order.payment.is_some() {
            return Err(Refusal::named("ORDERPAID"));
        }
        if order.closed_at.is_some() {
            return Err(Refusal::named("ORDERCLOSED"));
        }
        if !order.is_same_order(&request.fields) {
            return Err(number_taken());
        }
        // The expiry of the first call is in force, whatever this one says.
        if order.has_expired(now) {
            return Err(expires_too_soon());
        }
        order.prepay_again(now);
        return prepaid(trade_type, &ledger.issue(id, now), request);
    }
    check_expiry(wanted.time_expire, now)?;
    let order = Order {
        merchant: request.merchant.name.clone(),
        mch_id: request.mch_id().to_owned(),
        app_id: request.app_id().to_owned(),
        out_trade_no: wanted.out_trade_no,
        amount: wanted.total_fee,
        fee_type: "CNY".to_owned(),
        trade_type: trade_type.as_str().to_owned(),
        sign_type: request.sign_type,
        notify_url: wanted.notify_url,
        created_at: now,
        expires_at: wanted.time_expire,
        ordered: request.fields.clone(),
        prepaid_at: now,
        prepays: 1,
        closed_at: None,
        payment: None,
        charge: None,
        reversal: None,
        refunds: Vec::new(),
        misbilling: Misbilling::default(),
    };
    let id = ledger.enter(order).map_err(|_| Refusal::named("SYSTEMERROR"))?;
    prepaid(trade_type, &ledger.issue(id, now), request)
}

/// What a placed order is answered with.
fn prepaid(trade_type: TradeType, prepay: &Prepay, request: &Request) -> Result<Fields, Refusal> {
    let mut fields: Fields = [("trade_type", trade_type.as_str())].into_iter().collect();
    match trade_type {
        TradeType::Native => drop(fields.insert("code_url", prepay.code_url())),
        TradeType::H5 => {
            // The browser reaches this sandbox where the merchant did.
            let origin = request.origin.as_deref().ok_or_else(|| Refusal::named("SYSTEMERROR"))?;
            let Prepay { prepay_id, package, .. } = prepay;
            fields.insert("mweb_url", format!("{origin}{H5_PATH}?prepay_id={prepay_id}&package={package}"));
        }
        TradeType::Jsapi | TradeType::App => {}
    }
    fields.insert("prepay_id", prepay.prepay_id.as_str());
    Ok(fields)
}

/// A field that must be there.
pub(super) fn required<'a>(fields: &'a Fields, field: &str) -> Result<&'a str, Refusal> {
    fields.text(field).ok_or_else(|| Refusal::lacks(field))
}

/// A field has another form.
pub(super) fn malformed(field: &str) -> Refusal {
    Refusal::param(field, "参数格式错误")
}

fn number_taken() -> Refusal {
    Refusal::new("INVALID_REQUEST", "201 商户订单号重复")
}
