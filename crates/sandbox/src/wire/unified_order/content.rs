//! What every order says, whichever way it is paid.

use std::net::IpAddr;

use jiff::Timestamp;
use money::Fen;
use wechat_pay::v2::{
    Fields,
    limits::{self, LimitError},
};

use super::{Refusal, check_detail, malformed, required};

/// Optional texts that only have a longest form, in bytes.
const OPTIONAL_TEXTS: [(&str, usize); 7] = [
    ("device_info", 32),
    ("detail", 6000),
    ("goods_tag", 32),
    ("product_id", 32),
    ("scene_info", 256),
    ("user_creid", 32),
    ("user_truename", 64),
];

/// Optional fields that take one of a few words.
const OPTIONAL_WORDS: [(&str, &[&str]); 6] = [
    ("version", &["1.0"]),
    ("fee_type", &["CNY"]),
    ("limit_pay", &["no_credit"]),
    ("receipt", &["Y"]),
    ("profit_sharing", &["Y", "N"]),
    (
        "user_type",
        &[
            "IDCARD",
            "HONGKONG_MACAO",
            "HONGKONG_MACAO_RESIDENT",
            "TAIWAN_RESIDENT",
            "FOREIGN_RESIDENT",
            "OVERSEA_PASSPORT",
        ],
    ),
];

/// The fields that decide, in their own types.
pub(super) struct Content {
    pub(super) out_trade_no: String,
    pub(super) total_fee: Fen,
    pub(super) notify_url: String,
    pub(super) time_expire: Option<Timestamp>,
}

impl Content {
    pub(super) fn read(fields: &Fields) -> Result<Content, Refusal> {
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
        check_detail(fields)?;
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
        Ok(Content { out_trade_no, total_fee, notify_url: required(fields, "notify_url")?.to_owned(), time_expire })
    }
}

/// The order number, in the form that all calls demand.
pub(in crate::wire) fn check_out_trade_no(fields: &Fields) -> Result<&str, Refusal> {
    let number = required(fields, "out_trade_no")?;
    limits::check_out_trade_no(number).map(|()| number).map_err(|_| malformed("out_trade_no"))
}

/// An order must live longer than a minute from now.
pub(super) fn check_expiry(time_expire: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    let too_soon = time_expire.is_some_and(|expire| limits::check_time_expire(now, expire).is_err());
    if too_soon { Err(expires_too_soon()) } else { Ok(()) }
}

pub(super) fn expires_too_soon() -> Refusal {
    Refusal::param("time_expire", "时间过短，至少1分钟")
}
