use std::net::IpAddr;

use jiff::Timestamp;
use money::Fen;
use wechat_pay::v2::{Fields, limits};

use super::{
    Refusal, Request,
    goods::{Goods, Pieces},
    unified_order::{check_out_trade_no, malformed, required},
};
use crate::{
    control::PayBehaviour,
    ids,
    ledger::{Charge, CodeKind, CodeRefused, Misbilling, Order, Progress},
    notice::payment_fields,
    platform::Platform,
};

/// Longest code; those that exist have 18 digits.
const MAX_CODE: usize = 128;

/// Optional texts that only have a longest form, in bytes.
const OPTIONAL_TEXTS: [(&str, usize); 4] =
    [("device_info", 32), ("detail", 6000), ("goods_tag", 32), ("scene_info", 256)];

/// Optional fields that take one of a few words.
const OPTIONAL_WORDS: [(&str, &[&str]); 6] = [
    ("version", &["1.0"]),
    ("fee_type", &["CNY"]),
    ("limit_pay", &["no_credit"]),
    ("receipt", &["Y"]),
    ("profit_sharing", &["Y", "N"]),
    ("deposit", &["Y", "N"]),
];

/// Charges a pay code, or a face code of 18 digits. Nobody is told but by the answer.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let wanted = Wanted::read(&request.fields, "auth_code", platform.clock.now())?;
    let code = required(&request.fields, "auth_code")?;
    if !is_code(code) {
        return Err(invalid_code());
    }
    charge(platform, request, wanted, &Shown { code, said: Said::Nobody, trade_type: "MICROPAY" })
}

/// What is shown to be charged.
pub(super) struct Shown<'a> {
    pub(super) code: &'a str,
    pub(super) said: Said<'a>,
    pub(super) trade_type: &'static str,
}

/// Whose face it is said to be.
pub(super) enum Said<'a> {
    /// Nobody's: a code alone is shown.
    Nobody,
    /// A user of the app that charges.
    Payer(&'a str),
    /// A user of the sub-merchant's app.
    SubPayer(&'a str),
}

/// The fields of a charge that decide.
pub(super) struct Wanted {
    out_trade_no: String,
    total_fee: Fen,
    time_expire: Option<Timestamp>,
}

impl Wanted {
    /// Checks what both ways to charge have in common; `code` names the field of the code.
    pub(super) fn read(fields: &Fields, code: &'static str, now: Timestamp) -> Result<Wanted, Refusal> {
        // What is missing is told before what is wrong.
        for field in ["body", "out_trade_no", "total_fee", "spbill_create_ip", code] {
            required(fields, field)?;
        }
        let out_trade_no = check_out_trade_no(fields)?.to_owned();
        limits::check_body(required(fields, "body")?).map_err(|_| malformed("body"))?;
        if fields.text("attach").is_some_and(|attach| limits::check_attach(attach).is_err()) {
            return Err(malformed("attach"));
        }
        if MAX_CODE < required(fields, code)?.len() {
            return Err(malformed(code));
        }
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
        let is_store = |scene: &str| {
            serde_json::from_str::<serde_json::Value>(scene).is_ok_and(|scene| scene["store_info"].is_object())
        };
        if fields.text("scene_info").is_some_and(|scene| !is_store(scene)) {
            return Err(malformed("scene_info"));
        }
        if fields.text("version").is_some() {
            let pieces = if code == "face_code" { Pieces::GoodsNum } else { Pieces::Quantity };
            Goods::ordered(fields, pieces).map_err(|_| malformed("detail"))?;
        }
        let time = |field| fields.time_14(field).map_err(|_| malformed(field));
        let (time_start, time_expire) = (time("time_start")?, time("time_expire")?);
        if time_start.zip(time_expire).is_some_and(|(start, expire)| expire <= start) {
            return Err(Refusal::param("time_expire", "必须晚于time_start"));
        }
        if time_expire.is_some_and(|expire| limits::check_time_expire(now, expire).is_err()) {
            return Err(Refusal::param("time_expire", "时间过短，至少1分钟"));
        }
        // Deposits are a product of their own, with calls of their own.
        if fields.text("deposit") == Some("Y") {
            return Err(Refusal::named("NOAUTH"));
        }
        Ok(Wanted { out_trade_no, total_fee, time_expire })
    }
}

/// Charges what is shown, and answers as the user behind it behaves.
///
/// The number is looked at before the code: a number that was used once is used for ever, whatever came of it.
pub(super) fn charge(
    platform: &Platform,
    request: &Request,
    wanted: Wanted,
    shown: &Shown<'_>,
) -> Result<Fields, Refusal> {
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    if let Some(id) = ledger.find(request.mch_id(), &wanted.out_trade_no) {
        let order = ledger.order(id);
        // Another sub-merchant's number says nothing about its order.
        let code = if request.may_see(order) { used(order) } else { "OUT_TRADE_NO_USED" };
        return Err(Refusal::named(code));
    }
    let code = ledger.codes.chargeable(shown.code, request.account(), now).map_err(refused)?.clone();
    let openid = match &shown.said {
        Said::Payer(openid) | Said::SubPayer(openid) if *openid != code.openid => {
            return Err(Refusal::param("openid", "与face_code不匹配"));
        }
        Said::Nobody | Said::Payer(_) => code.openid,
        Said::SubPayer(openid) => ids::openid_under(openid, request.app_id()),
    };
    let order = Order {
        merchant: request.merchant.name.clone(),
        mch_id: request.mch_id().to_owned(),
        app_id: request.app_id().to_owned(),
        out_trade_no: wanted.out_trade_no,
        amount: wanted.total_fee,
        fee_type: "CNY".to_owned(),
        trade_type: shown.trade_type.to_owned(),
        sign_type: request.sign_type,
        notify_url: String::new(),
        created_at: now,
        expires_at: wanted.time_expire,
        ordered: request.fields.clone(),
        prepaid_at: now,
        prepays: 0,
        closed_at: None,
        payment: None,
        charge: Some(Charge { openid, by_face: code.kind == CodeKind::Face, progress: Progress::Asked }),
        reversal: None,
        refunds: Vec::new(),
        misbilling: Misbilling::default(),
    };
    let pays_at = now.checked_add(code.after).unwrap_or(Timestamp::MAX);
    let id = ledger.charge(order, code.behaviour, pays_at, now).map_err(|_| Refusal::named("SYSTEMERROR"))?;
    ledger.codes.spend(shown.code);
    let order = ledger.order(id);
    match code.behaviour {
        PayBehaviour::Pays => {
            let payment = order.payment.as_ref().ok_or_else(|| Refusal::named("TRADE_ERROR"))?;
            Ok(payment_fields(order, payment))
        }
        PayBehaviour::Password | PayBehaviour::PaysLate => Err(Refusal::named("USERPAYING")),
        PayBehaviour::NoMoney => Err(Refusal::named("NOTENOUGH")),
        PayBehaviour::WrongCard => Err(Refusal::named("NOTSUPORTCARD")),
        PayBehaviour::BuyerMismatch => Err(Refusal::named("BUYER_MISMATCH")),
        PayBehaviour::SystemErrorPaid | PayBehaviour::SystemErrorUnpaid => Err(Refusal::named("SYSTEMERROR")),
        PayBehaviour::BankError => Err(Refusal::named("BANKERROR")),
    }
}

/// What a number is that was used before.
fn used(order: &Order) -> &'static str {
    if order.reversal.is_some() {
        "ORDERREVERSED"
    } else if order.payment.is_some() {
        "ORDERPAID"
    } else if order.closed_at.is_some() {
        "ORDERCLOSED"
    } else {
        "OUT_TRADE_NO_USED"
    }
}

/// Whether a text could be a code.
pub(super) fn is_code(code: &str) -> bool {
    code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Why a code cannot be charged or asked about.
pub(super) fn refused(refused: CodeRefused) -> Refusal {
    match refused {
        CodeRefused::Invalid => invalid_code(),
        CodeRefused::Expired => Refusal::named("AUTHCODEEXPIRE"),
        CodeRefused::Spent => Refusal::named("AUTH_CODE_ERROR"),
    }
}

/// It is no code of ours.
pub(super) fn invalid_code() -> Refusal {
    Refusal::named("AUTH_CODE_INVALID")
}
