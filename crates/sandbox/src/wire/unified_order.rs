use std::net::IpAddr;

use jiff::Timestamp;
use merchants::AppKind;
use money::Fen;
use wechat_pay::v2::{
    Fields,
    limits::{self, LimitError},
};

use super::{Refusal, Request};
use crate::{ids, ledger::Order, platform::Platform};

/// Optional texts that only have a longest form, in bytes.
const OPTIONAL_TEXTS: [(&str, usize); 6] = [
    ("device_info", 32),
    ("detail", 6000),
    ("goods_tag", 32),
    ("product_id", 32),
    ("scene_info", 256),
    ("user_creid", 32),
];

/// Optional fields that take one of a few words.
const OPTIONAL_WORDS: [(&str, &[&str]); 5] = [
    ("version", &["1.0"]),
    ("fee_type", &["CNY"]),
    ("limit_pay", &["no_credit"]),
    ("receipt", &["Y"]),
    ("profit_sharing", &["Y", "N"]),
];

/// Places an order, or issues another prepay id for the same order.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let now = platform.clock.now();
    let wanted = Wanted::read(&request.fields)?;
    check_trade_type(platform, request, &wanted)?;
    let mut ledger = platform.ledger();
    if let Some(id) = ledger.find(request.mch_id(), &wanted.out_trade_no) {
        let order = ledger.order_mut(id);
        // Another sub-merchant's number says nothing about its order.
        if !request.may_see(order) {
            return Err(number_taken());
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
        return Ok(prepaid(&wanted.trade_type, now));
    }
    if wanted.time_expire.is_some_and(|expire| limits::check_time_expire(now, expire).is_err()) {
        return Err(expires_too_soon());
    }
    let answer = prepaid(&wanted.trade_type, now);
    let order = Order {
        merchant: request.merchant.name.clone(),
        mch_id: request.mch_id().to_owned(),
        app_id: request.app_id().to_owned(),
        out_trade_no: wanted.out_trade_no,
        amount: wanted.total_fee,
        fee_type: "CNY".to_owned(),
        trade_type: wanted.trade_type,
        sign_type: request.sign_type,
        notify_url: wanted.notify_url,
        created_at: now,
        expires_at: wanted.time_expire,
        ordered: request.fields.clone(),
        prepaid_at: now,
        prepays: 1,
        closed_at: None,
        payment: None,
        refunds: Vec::new(),
    };
    ledger.enter(order).map(|_| answer).map_err(|_| Refusal::named("SYSTEMERROR"))
}

/// The order number, in the form that all calls demand.
pub(super) fn check_out_trade_no(fields: &Fields) -> Result<&str, Refusal> {
    let number = required(fields, "out_trade_no")?;
    limits::check_out_trade_no(number).map(|()| number).map_err(|_| malformed("out_trade_no"))
}

/// The fields that decide, in their own types.
struct Wanted {
    out_trade_no: String,
    total_fee: Fen,
    trade_type: String,
    notify_url: String,
    time_expire: Option<Timestamp>,
}

impl Wanted {
    fn read(fields: &Fields) -> Result<Wanted, Refusal> {
        // What is missing is told before what is wrong.
        for field in ["body", "out_trade_no", "total_fee", "spbill_create_ip", "notify_url", "trade_type"] {
            required(fields, field)?;
        }
        let out_trade_no = check_out_trade_no(fields)?.to_owned();
        limits::check_body(required(fields, "body")?).map_err(|_| malformed("body"))?;
        let checked = |field, check: fn(&str) -> Result<(), LimitError>| match fields.text(field) {
            Some(text) => check(text).map_err(|_| malformed(field)),
            None => Ok(()),
        };
        checked("attach", limits::check_attach)?;
        checked("openid", limits::check_openid)?;
        checked("sub_openid", limits::check_openid)?;
        checked("notify_url", limits::check_notify_url)?;
        for (field, max) in OPTIONAL_TEXTS {
            if fields.text(field).is_some_and(|text| max < text.len()) {
                return Err(malformed(field));
            }
        }
        for (field, words) in OPTIONAL_WORDS {
            if fields.text(field).is_some_and(|word| !words.contains(&word)) {
                return Err(malformed(field));
            }
        }
        let total_fee = fields.required_fen("total_fee").map_err(|_| malformed("total_fee"))?;
        limits::check_total_fee(total_fee).map_err(|_| malformed("total_fee"))?;
        if required(fields, "spbill_create_ip")?.parse::<IpAddr>().is_err() {
            return Err(malformed("spbill_create_ip"));
        }
        let time = |field| fields.time_14(field).map_err(|_| malformed(field));
        let (time_start, time_expire) = (time("time_start")?, time("time_expire")?);
        if time_start.zip(time_expire).is_some_and(|(start, expire)| expire <= start) {
            return Err(Refusal::param("time_expire", "必须晚于time_start"));
        }
        let notify_url = required(fields, "notify_url")?.to_owned();
        let trade_type = required(fields, "trade_type")?.to_owned();
        Ok(Wanted { out_trade_no, total_fee, trade_type, notify_url, time_expire })
    }
}

/// What only one way to pay needs.
fn check_trade_type(platform: &Platform, request: &Request, wanted: &Wanted) -> Result<(), Refusal> {
    let fields = &request.fields;
    let served = match wanted.trade_type.as_str() {
        "JSAPI" => {
            if fields.text("openid").is_none() && fields.text("sub_openid").is_none() {
                let instead = if request.sub_mch_id().is_some() { "openid或sub_openid" } else { "openid" };
                return Err(Refusal::lacks(instead));
            }
            check_payer(platform, request)?;
            opens_in(request, |kind| matches!(kind, AppKind::MiniProgram | AppKind::OfficialAccount))
        }
        "NATIVE" => {
            required(fields, "product_id")?;
            true
        }
        "APP" => opens_in(request, |kind| kind == AppKind::App),
        "MWEB" => {
            let scene_info = required(fields, "scene_info")?;
            if !serde_json::from_str::<serde_json::Value>(scene_info).is_ok_and(|scene| scene["h5_info"].is_object()) {
                return Err(malformed("scene_info"));
            }
            true
        }
        _ => return Err(malformed("trade_type")),
    };
    if served { Ok(()) } else { Err(Refusal::named("NOAUTH")) }
}

/// Whether the app that opens the cashier is of such a kind. A service provider's own app is its own affair unless the
/// merchant's file lists it.
fn opens_in(request: &Request, is_right: impl Fn(AppKind) -> bool) -> bool {
    let sub_app = request.fields.text("sub_appid");
    let app = request.merchant.app(sub_app.unwrap_or_else(|| request.app_id()));
    app.map_or_else(|| sub_app.is_none() && is_right(AppKind::OfficialAccount), |app| is_right(app.kind))
}

/// Every user that an order names must be the app's.
fn check_payer(platform: &Platform, request: &Request) -> Result<(), Refusal> {
    let (fields, logins) = (&request.fields, platform.logins());
    let is_strange = |openid: &str, app_id: &str| {
        let openid = fields.text(openid);
        openid.is_some_and(|openid| logins.is_of_another_app(openid, app_id))
    };
    if is_strange("openid", request.app_id()) {
        return Err(Refusal::new("PARAM_ERROR", "appid和openid不匹配"));
    }
    if is_strange("sub_openid", fields.text("sub_appid").unwrap_or_default()) {
        return Err(Refusal::new("PARAM_ERROR", "sub_appid和sub_openid不匹配"));
    }
    Ok(())
}

fn prepaid(trade_type: &str, now: Timestamp) -> Fields {
    let mut fields = Fields::new();
    fields.insert("trade_type", trade_type);
    let prepay_id = ids::prepay_id(now);
    match trade_type {
        "NATIVE" => drop(fields.insert("code_url", format!("weixin://wxpay/bizpayurl?pr={}", ids::token()))),
        "MWEB" => {
            let page = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb";
            fields.insert("mweb_url", format!("{page}?prepay_id={prepay_id}&package={}", fastrand::u32(..)));
        }
        _ => {}
    }
    fields.insert("prepay_id", prepay_id);
    fields
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

fn expires_too_soon() -> Refusal {
    Refusal::param("time_expire", "时间过短，至少1分钟")
}
