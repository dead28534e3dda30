//! What WeChat takes in a request, checked before anything is sent. The sandbox refuses by the same rules.

mod counter;
mod particulars;
mod tools;

use jiff::{SignedDuration, Timestamp};
use money::Fen;

pub use counter::*;
pub use particulars::{
    DETAIL_BYTES, DEVICE_INFO_CHARS, GOODS_ID_CHARS, GOODS_NAME_CHARS, GOODS_TAG_CHARS, QUANTITY_MAX,
    REDIRECT_URL_BYTES, SCENE_INFO_BYTES, STORE_ADDRESS_CHARS, STORE_ID_CHARS, STORE_NAME_CHARS, Violation,
    check_device_info, check_goods_tag, check_h5_scene, check_particulars, check_redirect_url, check_refund_goods,
};
pub use tools::*;

use super::xml::is_xml_char;

/// Most bytes of `body`. Older pages say 128 characters; 127 bytes are right everywhere.
pub const BODY_BYTES: usize = 127;
/// Most bytes of `attach`.
pub const ATTACH_BYTES: usize = 127;
/// Most bytes of `refund_desc`.
pub const REFUND_DESC_BYTES: usize = 80;
/// Most bytes of `notify_url`.
pub const NOTIFY_URL_BYTES: usize = 256;
/// Most characters of `nonce_str`.
pub const NONCE_BYTES: usize = 32;
/// Most characters of `openid`.
pub const OPENID_BYTES: usize = 128;
/// Most characters of `product_id`.
pub const PRODUCT_ID_BYTES: usize = 32;
/// Most characters of `out_trade_no`, and the fewest.
pub const OUT_TRADE_NO_BYTES: std::ops::RangeInclusive<usize> = 6..=32;
/// Most characters of `out_refund_no`, and the fewest.
pub const OUT_REFUND_NO_BYTES: std::ops::RangeInclusive<usize> = 1..=64;
/// Most fen of an order: WeChat declares int32.
pub const TOTAL_FEE_MAX: Fen = Fen::new(i32::MAX as i64);
/// `time_expire` must be further ahead than this.
pub const EXPIRY_MIN: SignedDuration = SignedDuration::from_mins(1);

/// What a value may not be. Says nothing about the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Nothing was given.
    #[error("must not be empty")]
    Empty,
    /// Fewer characters than WeChat takes.
    #[error("must have at least {min} characters")]
    TooShort {
        /// The fewest.
        min: usize,
    },
    /// More bytes than WeChat takes; a Chinese character has three.
    #[error("must not exceed {max} bytes of UTF-8")]
    TooLong {
        /// The most.
        max: usize,
    },
    /// The parts fit, but together they make more of WeChat's JSON than it takes.
    #[error("must not exceed {max} bytes as WeChat's JSON")]
    TooLongAsJson {
        /// The most.
        max: usize,
    },
    /// A number outside its range.
    #[error("must be between {min} and {max}")]
    Range {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// Not an administrative division.
    #[error("must be six digits")]
    AreaCode,
    /// Not the address of a page.
    #[error("must be an absolute http(s) URL")]
    WebUrl,
    /// Not the address of a page behind TLS.
    #[error("must be an absolute https URL")]
    HttpsUrl,
    /// Characters WeChat refuses.
    #[error("must not contain {what}")]
    Characters {
        /// Which ones.
        what: &'static str,
    },
    /// A space or line break at either end, over which WeChat's own SDKs disagree when they sign.
    #[error("must not begin or end with white space")]
    Padded,
    /// Below 1 fen or above [`TOTAL_FEE_MAX`].
    #[error("must be between 1 and {} fen", TOTAL_FEE_MAX.get())]
    Amount,
    /// Not further ahead than [`EXPIRY_MIN`].
    #[error("must be more than one minute ahead")]
    Expiry,
    /// Not a code that a payer can show.
    #[error("must be {AUTH_CODE_DIGITS} digits; a pay code begins with 10 to 15")]
    AuthCode,
    /// More characters than WeChat takes.
    #[error("must not exceed {max} characters")]
    TooManyCharacters {
        /// The most.
        max: usize,
    },
    /// Below 1 fen or above [`REDPACK_MAX`].
    #[error("must be between 1 and {} fen", REDPACK_MAX.get())]
    RedpackAmount,
    /// No scene of red packets, or none where one is needed.
    #[error("must be PRODUCT_1 to PRODUCT_8; it may be left out from 100 to 20000 fen")]
    Scene,
    /// Not an absolute http or https address without query and fragment.
    #[error("must be an absolute http(s) URL without query string")]
    Url,
}

/// `body`: 1 to 127 bytes without control characters, without characters beyond the basic plane (emoji), which WeChat
/// answers with errors, and without white space at the ends.
pub fn check_body(body: &str) -> Result<(), LimitError> {
    text(body, BODY_BYTES)
}

/// `attach`: like `body`, but without `&`. It comes back in the signed text of a notice, where `&name=value` inside it
/// would read like a field of its own.
pub fn check_attach(attach: &str) -> Result<(), LimitError> {
    text(attach, ATTACH_BYTES)?;
    if attach.contains('&') { Err(LimitError::Characters { what: "&" }) } else { Ok(()) }
}

/// `refund_desc`: 1 to 80 bytes, by the rules of `body`.
pub fn check_refund_desc(refund_desc: &str) -> Result<(), LimitError> {
    text(refund_desc, REFUND_DESC_BYTES)
}

/// `out_trade_no`: 6 to 32 of `0-9A-Za-z_-|*`.
pub fn check_out_trade_no(out_trade_no: &str) -> Result<(), LimitError> {
    number(out_trade_no, OUT_TRADE_NO_BYTES, b"_-|*")
}

/// `out_refund_no`: 1 to 64 of `0-9A-Za-z_-|*@`.
pub fn check_out_refund_no(out_refund_no: &str) -> Result<(), LimitError> {
    number(out_refund_no, OUT_REFUND_NO_BYTES, b"_-|*@")
}

/// `nonce_str`: 1 to 32 letters and digits.
pub fn check_nonce(nonce: &str) -> Result<(), LimitError> {
    number(nonce, 1..=NONCE_BYTES, b"")
}

/// `openid`: 1 to 128 of `0-9A-Za-z_-`.
pub fn check_openid(openid: &str) -> Result<(), LimitError> {
    number(openid, 1..=OPENID_BYTES, b"_-")
}

/// `product_id`: 1 to 32 of `0-9A-Za-z_-`.
pub fn check_product_id(product_id: &str) -> Result<(), LimitError> {
    number(product_id, 1..=PRODUCT_ID_BYTES, b"_-")
}

/// `total_fee`: 1 fen up to [`TOTAL_FEE_MAX`].
pub fn check_total_fee(total_fee: Fen) -> Result<(), LimitError> {
    if total_fee.is_positive() && total_fee <= TOTAL_FEE_MAX { Ok(()) } else { Err(LimitError::Amount) }
}

/// `time_expire`: more than a minute after `now`.
pub fn check_time_expire(now: Timestamp, time_expire: Timestamp) -> Result<(), LimitError> {
    if EXPIRY_MIN < time_expire.duration_since(now) { Ok(()) } else { Err(LimitError::Expiry) }
}

/// `notify_url`: absolute, at most 256 bytes, no query string, no fragment, no user name.
pub fn check_notify_url(notify_url: &str) -> Result<(), LimitError> {
    if NOTIFY_URL_BYTES < notify_url.len() {
        return Err(LimitError::TooLong { max: NOTIFY_URL_BYTES });
    }
    let rest =
        notify_url.strip_prefix("https://").or_else(|| notify_url.strip_prefix("http://")).ok_or(LimitError::Url)?;
    let host = rest.split('/').next().unwrap_or_default();
    let plain =
        rest.bytes().all(|byte| byte.is_ascii_graphic()) && !rest.contains(['?', '#', '"', '<', '>', '\\', '`']);
    if plain && !host.is_empty() && !host.starts_with(':') && !host.contains('@') {
        Ok(())
    } else {
        Err(LimitError::Url)
    }
}

/// Free text that people read, limited in bytes.
fn text(value: &str, max: usize) -> Result<(), LimitError> {
    if max < value.len() { Err(LimitError::TooLong { max }) } else { plain(value) }
}

/// Free text, limited in characters.
fn characters(value: &str, max: usize) -> Result<(), LimitError> {
    if max < value.chars().count() { Err(LimitError::TooManyCharacters { max }) } else { plain(value) }
}

/// Text that WeChat takes and that every SDK signs alike.
fn plain(value: &str) -> Result<(), LimitError> {
    if value.is_empty() {
        return Err(LimitError::Empty);
    }
    if value.chars().any(|character| character.is_control() || !is_xml_char(character)) {
        return Err(LimitError::Characters { what: "control characters" });
    }
    if value.chars().any(|character| '\u{ffff}' < character) {
        return Err(LimitError::Characters { what: "emoji and other characters beyond U+FFFF" });
    }
    if value.trim() == value { Ok(()) } else { Err(LimitError::Padded) }
}

/// A number of ASCII letters, digits and the `others`.
fn number(value: &str, length: std::ops::RangeInclusive<usize>, others: &[u8]) -> Result<(), LimitError> {
    if value.is_empty() {
        return Err(LimitError::Empty);
    }
    if *length.end() < value.len() {
        return Err(LimitError::TooLong { max: *length.end() });
    }
    if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte)) {
        return Err(LimitError::Characters { what: "other characters than its alphabet has" });
    }
    if value.len() < *length.start() { Err(LimitError::TooShort { min: *length.start() }) } else { Ok(()) }
}
