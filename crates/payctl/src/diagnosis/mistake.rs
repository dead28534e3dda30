//! The mistakes that people make.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use wechat_pay::v2::SignType;

use super::{
    KeyText,
    recipe::{Charset, Empty, Ending, Hash, Order, Recipe},
};
use crate::message::Field;

/// Everything but the unreserved characters of RFC 3986.
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One mistake. Most change how a message is signed; [`Mistake::LowerHex`] and [`Mistake::Padded`] spoil the finished
/// signature.
#[derive(Clone, Debug)]
pub(crate) enum Mistake {
    /// MD5 instead of HMAC-SHA256, or the other way round; holds what it was signed with.
    OtherType(SignType),
    /// The hex digits are not in the case that they must be in.
    LowerHex,
    /// Blanks around the signature.
    Padded,
    /// Signed with the key of this account.
    OtherKey(KeyText),
    /// The key was not what the file holds.
    Key(KeyForm),
    KeyNotAppended,
    KeyEmpty,
    KeyBare,
    KeyWithoutName,
    KeyWithoutAmpersand,
    /// Plain SHA-256.
    PlainSha256,
    Unsorted,
    SortedIgnoringCase,
    SortedPairs,
    EmptyIncluded,
    EmptyAsNull,
    EmptySignIncluded,
    /// `sign_type` is sent and was not signed.
    SignTypeLeftOut(&'static str),
    /// `sign_type` was signed and is not sent.
    SignTypeAdded(&'static str, SignType),
    ZeroDropped(Vec<String>),
    Trimmed(Vec<String>),
    Escaped(Vec<String>),
    Unescaped(Vec<String>),
    CdataIncluded,
    PercentEncoded(Vec<String>),
    FormEncoded(Vec<String>),
    PercentDecoded(Vec<String>),
    Quoted,
    NamesLower(Vec<String>),
    /// One field by another name.
    Renamed(String, &'static str),
    /// The prepaid order without its `prepay_id=`.
    BarePrepayId,
    Gbk,
    Latin1,
    EncodedTwice,
    /// An amount in yuan.
    Yuan(String),
    /// A field that is sent and was not signed.
    FieldDropped(String),
}

/// What was done to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyForm {
    WithLineEnd,
    WithWindowsLineEnd,
    Trimmed,
    HexDecoded,
    Lower,
    Upper,
}

/// Two mistakes of one part exclude each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Finish,
    Key,
    Ending,
    Order,
    Empty,
    SignType,
    Text,
    Names,
    Charset,
    Hash,
    Field,
}

/// Other names under which a field is signed by mistake.
const NAMES: [&[&str]; 7] = [
    &["timeStamp", "timestamp", "time_stamp"],
    &["nonceStr", "noncestr", "nonce_str"],
    &["appId", "appid", "app_id"],
    &["mch_id", "mchid", "partnerid", "partnerId"],
    &["prepayid", "prepayId", "prepay_id"],
    &["signType", "sign_type", "signtype"],
    &["package", "packageValue"],
];

impl Mistake {
    /// Every mistake that is possible with these fields, the likeliest reading of one signature first.
    pub(super) fn possible(fields: &[Field], sign_type_name: &'static str, others: &[KeyText]) -> Vec<Mistake> {
        use Mistake::{
            BarePrepayId, CdataIncluded, EmptyAsNull, EmptyIncluded, EmptySignIncluded, EncodedTwice, Escaped,
            FieldDropped, FormEncoded, Gbk, Key, KeyBare, KeyEmpty, KeyNotAppended, KeyWithoutAmpersand,
            KeyWithoutName, Latin1, NamesLower, OtherKey, PercentDecoded, PercentEncoded, PlainSha256, Quoted, Renamed,
            SignTypeAdded, SignTypeLeftOut, SortedIgnoringCase, SortedPairs, Trimmed, Unescaped, Unsorted, Yuan,
            ZeroDropped,
        };
        let whose = |test: &dyn Fn(&str) -> bool| -> Vec<String> {
            fields.iter().filter(|(_, value)| test(value)).map(|(name, _)| name.clone()).collect()
        };
        let changed = |change: fn(&str) -> String| whose(&|value| change(value) != value);
        let mut all: Vec<Mistake> = others.iter().cloned().map(OtherKey).collect();
        all.extend(KeyForm::ALL.map(Key));
        all.extend([KeyNotAppended, KeyEmpty, KeyBare, KeyWithoutName, KeyWithoutAmpersand, PlainSha256]);
        all.extend([Unsorted, SortedIgnoringCase, SortedPairs, EmptyIncluded, EmptyAsNull, EmptySignIncluded]);
        all.push(SignTypeLeftOut(sign_type_name));
        if !fields.iter().any(|(name, _)| name == sign_type_name) {
            all.extend(SignType::ALL.map(|sign_type| SignTypeAdded(sign_type_name, sign_type)));
        }
        all.push(ZeroDropped(whose(&|value| value == "0")));
        all.push(Trimmed(changed(trimmed)));
        all.push(Escaped(changed(escaped)));
        all.push(Unescaped(changed(unescaped)));
        all.push(CdataIncluded);
        all.push(PercentEncoded(changed(percent_encoded)));
        all.push(FormEncoded(changed(form_encoded)));
        all.push(PercentDecoded(changed(percent_decoded)));
        all.push(Quoted);
        let capital = fields.iter().filter(|(name, _)| name.bytes().any(|byte| byte.is_ascii_uppercase()));
        all.push(NamesLower(capital.map(|(name, _)| name.clone()).collect()));
        for (name, _) in fields {
            let family = NAMES.into_iter().find(|names| names.contains(&name.as_str())).unwrap_or_default();
            all.extend(family.iter().filter(|other| *other != name).map(|other| Renamed(name.clone(), other)));
        }
        all.extend([BarePrepayId, Gbk, Latin1, EncodedTwice]);
        for (name, value) in fields {
            all.extend(yuan(name, value).map(|_| Yuan(name.clone())));
            // One field of several is what a list of fields to encode leaves behind.
            if percent_encoded(value) != *value {
                all.push(PercentEncoded(vec![name.clone()]));
            }
        }
        all.extend(fields.iter().map(|(name, _)| FieldDropped(name.clone())));
        all
    }

    /// Spoils `recipe`. `key` is the one that should sign.
    pub(super) fn apply(&self, recipe: &mut Recipe, key: &KeyText) {
        let fields = &mut recipe.fields;
        match self {
            Mistake::LowerHex | Mistake::Padded => {}
            Mistake::OtherType(sign_type) => recipe.hash = (*sign_type).into(),
            Mistake::OtherKey(other) => recipe.key = other.bytes().to_vec(),
            Mistake::Key(form) => recipe.key = form.of(key),
            Mistake::KeyNotAppended => recipe.ending = Ending::Missing,
            Mistake::KeyEmpty => recipe.ending = Ending::EmptyKey,
            Mistake::KeyBare => recipe.ending = Ending::Bare,
            Mistake::KeyWithoutName => recipe.ending = Ending::Ampersand,
            Mistake::KeyWithoutAmpersand => recipe.ending = Ending::NoAmpersand,
            Mistake::PlainSha256 => {
                if recipe.hash == Hash::HmacSha256 {
                    recipe.hash = Hash::Sha256;
                }
            }
            Mistake::Unsorted => recipe.order = Order::Written,
            Mistake::SortedIgnoringCase => recipe.order = Order::IgnoringCase,
            Mistake::SortedPairs => recipe.order = Order::Pairs,
            Mistake::EmptyIncluded => recipe.empty = Empty::Kept,
            Mistake::EmptyAsNull => recipe.empty = Empty::Null,
            Mistake::EmptySignIncluded => {
                recipe.empty = Empty::Kept;
                fields.retain(|(_, value)| !value.is_empty());
                fields.push(("sign".to_owned(), String::new()));
            }
            Mistake::SignTypeLeftOut(name) => fields.retain(|(field, _)| field != name),
            Mistake::SignTypeAdded(name, sign_type) => fields.push(((*name).to_owned(), sign_type.as_str().to_owned())),
            Mistake::ZeroDropped(_) => fields.retain(|(_, value)| value != "0"),
            Mistake::Trimmed(names) => change(fields, names, trimmed),
            Mistake::Escaped(names) => change(fields, names, escaped),
            Mistake::Unescaped(names) => change(fields, names, unescaped),
            Mistake::PercentEncoded(names) => change(fields, names, percent_encoded),
            Mistake::FormEncoded(names) => change(fields, names, form_encoded),
            Mistake::PercentDecoded(names) => change(fields, names, percent_decoded),
            Mistake::CdataIncluded => change_all(fields, |value| format!("<![CDATA[{value}]]>")),
            Mistake::Quoted => change_all(fields, |value| format!("\"{value}\"")),
            Mistake::NamesLower(_) => fields.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase()),
            Mistake::Renamed(from, to) => {
                let renamed = fields.iter_mut().filter(|(name, _)| name == from);
                renamed.for_each(|(name, _)| (*to).clone_into(name));
            }
            Mistake::BarePrepayId => {
                change(fields, &["package".to_owned()], |value| value.trim_start_matches("prepay_id=").to_owned());
            }
            Mistake::Gbk => recipe.charset = Charset::Gbk,
            Mistake::Latin1 => recipe.charset = Charset::Latin1,
            Mistake::EncodedTwice => recipe.charset = Charset::Twice,
            Mistake::Yuan(field) => {
                for (name, value) in fields.iter_mut().filter(|(name, _)| name == field) {
                    if let Some(text) = yuan(name, value) {
                        *value = text;
                    }
                }
            }
            Mistake::FieldDropped(field) => fields.retain(|(name, _)| name != field),
        }
    }

    pub(super) const fn part(&self) -> Part {
        use Mistake as M;
        match self {
            M::LowerHex | M::Padded => Part::Finish,
            M::OtherType(_) | M::PlainSha256 => Part::Hash,
            M::OtherKey(_) | M::Key(_) => Part::Key,
            M::KeyNotAppended | M::KeyEmpty | M::KeyBare | M::KeyWithoutName | M::KeyWithoutAmpersand => Part::Ending,
            M::Unsorted | M::SortedIgnoringCase | M::SortedPairs => Part::Order,
            M::EmptyIncluded | M::EmptyAsNull | M::EmptySignIncluded => Part::Empty,
            M::SignTypeLeftOut(_) | M::SignTypeAdded(..) => Part::SignType,
            M::Trimmed(_)
            | M::Escaped(_)
            | M::Unescaped(_)
            | M::CdataIncluded
            | M::PercentEncoded(_)
            | M::FormEncoded(_)
            | M::PercentDecoded(_)
            | M::Quoted => Part::Text,
            M::NamesLower(_) => Part::Names,
            M::Gbk | M::Latin1 | M::EncodedTwice => Part::Charset,
            M::ZeroDropped(_) | M::Renamed(..) | M::BarePrepayId | M::Yuan(_) | M::FieldDropped(_) => Part::Field,
        }
    }
}

impl KeyForm {
    pub(super) const ALL: [KeyForm; 6] = [
        KeyForm::WithLineEnd,
        KeyForm::WithWindowsLineEnd,
        KeyForm::Trimmed,
        KeyForm::HexDecoded,
        KeyForm::Lower,
        KeyForm::Upper,
    ];

    /// The key as it was taken.
    fn of(self, key: &KeyText) -> Vec<u8> {
        let bytes = key.bytes();
        match self {
            KeyForm::WithLineEnd => [bytes, b"\n"].concat(),
            KeyForm::WithWindowsLineEnd => [bytes, b"\r\n"].concat(),
            KeyForm::Trimmed => key.file().trim_ascii().to_vec(),
            KeyForm::HexDecoded => hex_decoded(bytes).unwrap_or_else(|| bytes.to_vec()),
            KeyForm::Lower => bytes.to_ascii_lowercase(),
            KeyForm::Upper => bytes.to_ascii_uppercase(),
        }
    }
}

fn change(fields: &mut [Field], names: &[String], change: fn(&str) -> String) {
    fields.iter_mut().filter(|(name, _)| names.contains(name)).for_each(|(_, value)| *value = change(value));
}

/// Empty values are none, so there is nothing about them to change.
fn change_all(fields: &mut [Field], change: impl Fn(&str) -> String) {
    fields.iter_mut().filter(|(_, value)| !value.is_empty()).for_each(|(_, value)| *value = change(value));
}

fn trimmed(value: &str) -> String {
    value.trim().to_owned()
}

fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(value: &str) -> String {
    value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

fn percent_encoded(value: &str) -> String {
    utf8_percent_encode(value, URL).to_string()
}

fn form_encoded(value: &str) -> String {
    // `application/x-www-form-urlencoded` has a plus for a blank, leaves the star, and encodes the tilde.
    percent_encoded(value).replace("%20", "+").replace("%2A", "*").replace('~', "%7E")
}

fn percent_decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8().map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned)
}

/// An amount in fen as yuan; `None` for what is no amount.
fn yuan(name: &str, value: &str) -> Option<String> {
    let fen: money::Fen = name.ends_with("_fee").then(|| value.parse().ok().map(money::Fen::new)).flatten()?;
    Some(fen.to_yuan())
}

fn hex_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let pairs = text.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    if text.len().is_multiple_of(2) && text.iter().all(u8::is_ascii_hexdigit) { pairs.collect() } else { None }
}
