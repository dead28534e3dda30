//! Messages signed wrongly by a little signer that knows nothing of the code under test.

mod docs;
mod mistakes;
mod never;
mod right;

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use wechat_pay::v2::SignType;

use super::{Case, KeyText, Mistake, Verdict, Wrong, judge};
use crate::message::{Field, Kind, Message};

const KEY: &str = "0123456789abcdefGHIJKLMNopqrstuv";
const OTHER: &str = "an0ther-merchants-key-0123456789";

/// A notice with everything in it that people stumble over.
const NOTICE: [(&str, &str); 14] = [
    ("return_code", "SUCCESS"),
    ("appid", "wx0000000000000001"),
    ("mch_id", "1900000109"),
    ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
    ("attach", "龙井 & more <1+1>"),
    ("detail", ""),
    ("coupon_fee_0", "5"),
    ("coupon_fee", "10"),
    ("coupon_count", "0"),
    ("total_fee", "100"),
    ("Zone", "b"),
    ("time_end", "20261121100000"),
    ("note", " padded "),
    ("link", "https://pay.example.com/a%20b?c=&amp;"),
];

fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn message(kind: Kind, pairs: &[(&str, &str)], sign: &str) -> Message {
    Message { kind, fields: fields(pairs), sign: Some(sign.to_owned()), notes: Vec::new() }
}

fn key(text: &str) -> KeyText {
    KeyText::new(format!("the key {}", &text[..2]), text.as_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    })
}

fn md5(text: impl AsRef<[u8]>) -> String {
    hex(&Md5::digest(text.as_ref()))
}

fn hmac(text: impl AsRef<[u8]>, key: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_ref());
    hex(&mac.finalize().into_bytes())
}

/// The text as WeChat defines it, without its end.
fn text(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn with_key(text: &str) -> String {
    format!("{text}&key={KEY}")
}

fn judged(message: &Message, sign_types: &[SignType]) -> Verdict {
    let (keys, others) = ([key(KEY)], [key(OTHER)]);
    let app_ids = ["wx0000000000000001".to_owned(), "wx0000000000000002".to_owned()];
    judge(&Case { message, keys: &keys, sign_types, others: &others, app_ids: &app_ids })
}

fn wrong(message: &Message, sign_type: SignType) -> Wrong {
    match judged(message, &[sign_type]) {
        Verdict::Wrong(wrong) => wrong,
        other => panic!("it must be wrong: {other:?}"),
    }
}

/// The words of the causes of a notice with this signature.
fn causes(sign: &str) -> Vec<&'static str> {
    causes_of(&message(Kind::Notice, &NOTICE, sign), SignType::Md5)
}

fn causes_of(message: &Message, sign_type: SignType) -> Vec<&'static str> {
    words(&wrong(message, sign_type).causes)
}

fn words(mistakes: &[Mistake]) -> Vec<&'static str> {
    mistakes.iter().map(|mistake| mistake.told().cause).collect()
}

/// The pairs with each value changed.
fn each(pairs: &[(&str, &str)], change: impl Fn(&str, &str) -> String) -> String {
    let changed: Vec<(&str, String)> = pairs.iter().map(|(name, value)| (*name, change(name, value))).collect();
    let changed: Vec<(&str, &str)> = changed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    text(&changed)
}
