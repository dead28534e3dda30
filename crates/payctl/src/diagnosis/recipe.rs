//! One way to sign a message: the right one, until a mistake spoils it.

use encoding_rs::GBK;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use wechat_pay::v2::SignType;

use super::secret::MASK;
use crate::message::Field;

/// How the fields are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By the bytes of their names: the right one.
    Names,
    /// Not at all.
    Written,
    /// By `name=value`.
    Pairs,
    /// By their names, large and small letters alike.
    IgnoringCase,
}

/// Which fields take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empty {
    /// Those with a value: the right ones.
    Dropped,
    /// Empty ones, too.
    Kept,
    /// Empty ones as `null`.
    Null,
}

/// What follows the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// `&key=` and the key: the right one.
    Named,
    /// Nothing.
    Missing,
    /// The key alone.
    Bare,
    /// `&` and the key.
    Ampersand,
    /// `key=` and the key, without `&`.
    NoAmpersand,
    /// `&key=` and nothing.
    EmptyKey,
}

/// How the text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// The right one.
    Utf8,
    Gbk,
    /// Latin-1, which has a `?` for everything Chinese.
    Latin1,
    /// UTF-8 taken for Latin-1 and written as UTF-8 once more.
    Twice,
}

/// How the bytes become a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    HmacSha256,
    /// SHA-256 without a key of its own.
    Sha256,
}

impl From<SignType> for Hash {
    fn from(sign_type: SignType) -> Hash {
        match sign_type {
            SignType::Md5 => Hash::Md5,
            SignType::HmacSha256 => Hash::HmacSha256,
        }
    }
}

#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) fields: Vec<Field>,
    pub(super) order: Order,
    pub(super) empty: Empty,
    pub(super) ending: Ending,
    pub(super) charset: Charset,
    pub(super) hash: Hash,
    pub(super) key: Vec<u8>,
}

impl Recipe {
    /// The right way.
    pub(super) fn right(fields: &[Field], key: &[u8], sign_type: SignType) -> Recipe {
        Recipe {
            fields: fields.to_vec(),
            order: Order::Names,
            empty: Empty::Dropped,
            ending: Ending::Named,
            charset: Charset::Utf8,
            hash: sign_type.into(),
            key: key.to_vec(),
        }
    }

    /// The signature that comes out, in upper-case hex.
    pub(super) fn signature(&self) -> String {
        let bytes = self.bytes();
        match self.hash {
            Hash::Md5 => hex(&Md5::digest(bytes)),
            Hash::Sha256 => hex(&Sha256::digest(bytes)),
            Hash::HmacSha256 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
                mac.update(&bytes);
                hex(&mac.finalize().into_bytes())
            }
        }
    }

    /// What is hashed. Holds the key.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = encoded(&self.text(), self.charset);
        bytes.extend_from_slice(self.ending());
        if !matches!(self.ending, Ending::Missing | Ending::EmptyKey) {
            bytes.extend_from_slice(&self.key);
        }
        bytes
    }

    /// What is hashed, for people.
    pub(super) fn shown(&self) -> String {
        let ending = std::str::from_utf8(self.ending()).unwrap_or_default();
        let mask = if matches!(self.ending, Ending::Missing | Ending::EmptyKey) { "" } else { MASK };
        format!("{}{ending}{mask}", self.text())
    }

    fn ending(&self) -> &'static [u8] {
        match self.ending {
            Ending::Named | Ending::EmptyKey => b"&key=",
            Ending::Missing | Ending::Bare => b"",
            Ending::Ampersand => b"&",
            Ending::NoAmpersand => b"key=",
        }
    }

    fn text(&self) -> String {
        let mut fields: Vec<(&str, &str)> =
            self.fields.iter().filter_map(|(name, value)| self.kept(name, value)).collect();
        match self.order {
            Order::Names => fields.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes())),
            Order::Written => {}
            Order::Pairs => fields.sort_by_cached_key(|(name, value)| format!("{name}={value}")),
            Order::IgnoringCase => fields.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase()),
        }
        let pairs: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }

    fn kept<'a>(&self, name: &'a str, value: &'a str) -> Option<(&'a str, &'a str)> {
        match (value.is_empty(), self.empty) {
            (true, Empty::Dropped) => None,
            (true, Empty::Null) => Some((name, "null")),
            (true, Empty::Kept) | (false, _) => Some((name, value)),
        }
    }
}

fn encoded(text: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Gbk => GBK.encode(text).0.into_owned(),
        Charset::Latin1 => text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect(),
        Charset::Twice => text.bytes().map(char::from).collect::<String>().into_bytes(),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A text takes everything.
        let _ = write!(text, "{byte:02X}");
        text
    })
}
