//! Signatures over the whole field map.
//!
//! `name=value` of every field except `sign` and the empty ones, sorted by the bytes of the *names*, joined by `&`,
//! then `&key=` and the API key; MD5 or HMAC-SHA256 of that in upper-case hex. Values are raw: decoded XML text,
//! nothing trimmed, nothing URL-encoded. `"0"` is a value like any other.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::Fields;
use super::fields::beginning;

/// Length that WeChat gives every API key, in ASCII characters.
pub const KEY_BYTES: usize = 32;

/// The field that carries the signature.
pub const SIGN: &str = "sign";

/// What stands before the key at the end of the text that is hashed.
const KEY_NAME: &str = "&key=";

/// The algorithm of a signature. It is pinned by the order; nothing in a received message chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum SignType {
    /// MD5, WeChat's default: 32 hex digits.
    #[serde(rename = "MD5")]
    Md5,
    /// HMAC-SHA256: 64 hex digits.
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
}

impl SignType {
    /// Both of them.
    pub const ALL: [SignType; 2] = [SignType::Md5, SignType::HmacSha256];

    /// WeChat's name: `MD5`, `HMAC-SHA256`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SignType::Md5 => "MD5",
            SignType::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// Length of a signature in hex digits.
    pub const fn hex_len(self) -> usize {
        match self {
            SignType::Md5 => 32,
            SignType::HmacSha256 => 64,
        }
    }
}

impl fmt::Display for SignType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignType {
    type Err = UnknownSignType;

    fn from_str(text: &str) -> Result<SignType, UnknownSignType> {
        SignType::ALL.into_iter().find(|sign_type| sign_type.as_str() == text).ok_or(UnknownSignType)
    }
}

/// A sign type that is neither `MD5` nor `HMAC-SHA256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sign type is neither MD5 nor HMAC-SHA256")]
pub struct UnknownSignType;

/// The API key of one merchant account: it signs everything, so it prints nothing.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Takes a key as the merchant platform shows it: 32 printable ASCII characters.
    ///
    /// # Errors
    /// [`KeyError`] for anything else. With an empty or guessable key anybody could sign.
    pub fn parse(text: &str) -> Result<ApiKey, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() != KEY_BYTES {
            return Err(KeyError::Length { bytes: text.len() });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Characters);
        }
        Ok(ApiKey(SecretString::from(text)))
    }

    /// Takes the key of a published sample, which may have any length but zero.
    ///
    /// # Errors
    /// [`KeyError::Empty`].
    #[cfg(feature = "sample-keys")]
    pub fn of_sample(text: &str) -> Result<ApiKey, KeyError> {
        if text.is_empty() { Err(KeyError::Empty) } else { Ok(ApiKey(SecretString::from(text))) }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Why a text is not an API key. Says nothing about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key at all.
    #[error("API key is empty")]
    Empty,
    /// Not 32 bytes.
    #[error("API key has {bytes} bytes instead of 32")]
    Length {
        /// How many it has.
        bytes: usize,
    },
    /// Spaces, control or non-ASCII characters.
    #[error("API key has characters other than printable ASCII")]
    Characters,
}

/// The signature of `fields`, in upper-case hex.
pub fn sign(fields: &Fields, key: &ApiKey, sign_type: SignType) -> String {
    let mut text = joined(fields, KEY_NAME.len() + key.expose().len());
    text.push_str(KEY_NAME);
    text.push_str(key.expose());
    hash(&text, key, sign_type)
}

/// The text to sign without its `&key=…` end, for documentation and for comparing with WeChat's checking tool.
pub fn text_to_sign(fields: &Fields) -> String {
    joined(fields, 0)
}

/// The text to sign, with room for `more` bytes.
fn joined(fields: &Fields, more: usize) -> String {
    let mut signed = Vec::with_capacity(fields.len());
    let to_sign = fields.iter().filter(|(name, value)| *name != SIGN && !value.is_empty());
    signed.extend(to_sign.map(|(name, value)| (beginning(name), name, value)));
    // By name, not by joined pair: '=' sorts after the digits.
    signed.sort_unstable_by(|(left, left_name, _), (right, right_name, _)| {
        left.cmp(right).then_with(|| left_name.as_bytes().cmp(right_name.as_bytes()))
    });
    let bytes: usize = signed.iter().map(|(_, name, value)| name.len() + value.len() + 2).sum();
    let mut text = String::with_capacity(bytes + more);
    for (at, (_, name, value)) in signed.into_iter().enumerate() {
        if 0 < at {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// Checks the `sign` of `fields` against the one sign type that it must have.
///
/// # Errors
/// [`SignError`] unless the signature is there, long enough and right. Compared in constant time.
pub fn verify(fields: &Fields, key: &ApiKey, sign_type: SignType) -> Result<(), SignError> {
    let given = match fields.get(SIGN) {
        None => return Err(SignError::Missing),
        Some("") => return Err(SignError::Empty),
        Some(given) => given,
    };
    if given.len() != sign_type.hex_len() {
        return Err(SignError::Length { bytes: given.len() });
    }
    let expected = sign(fields, key, sign_type);
    if bool::from(expected.as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(SignError::Mismatch) }
}

/// Checks `fields` against the sign types that orders of this merchant were placed with: mostly one, two while a
/// merchant changes over. Returns the one that matched.
///
/// # Errors
/// [`SignError::NotPinned`] when the message is genuine, but signed with a type that no order used. It is refused like
/// a forgery; the caller should also query the order, because WeChat was seen to sign a few notices with MD5 although
/// their orders used HMAC-SHA256.
pub fn verify_pinned(fields: &Fields, key: &ApiKey, pinned: &[SignType]) -> Result<SignType, SignError> {
    let mut refusal = None;
    for sign_type in SignType::ALL {
        match verify(fields, key, sign_type) {
            Ok(()) if pinned.contains(&sign_type) => return Ok(sign_type),
            Ok(()) => return Err(SignError::NotPinned { sign_type }),
            Err(SignError::Mismatch) if pinned.contains(&sign_type) => refusal = Some(SignError::Mismatch),
            Err(error) if pinned.contains(&sign_type) => refusal = refusal.or(Some(error)),
            Err(_) => {}
        }
    }
    Err(refusal.unwrap_or(SignError::Mismatch))
}

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no `sign`.
    #[error("message is not signed")]
    Missing,
    /// `sign` is empty.
    #[error("signature is empty")]
    Empty,
    /// `sign` is not as long as the pinned sign type makes it.
    #[error("signature has {bytes} bytes, which is not its sign type's length")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// `sign` is not the signature of these fields with this key. Lower-case hex lands here too.
    #[error("signature does not match")]
    Mismatch,
    /// Signed by the key's owner, but with a sign type the order did not use.
    #[error("signature is genuine but of type {sign_type}, which the order did not use")]
    NotPinned {
        /// The type it was signed with.
        sign_type: SignType,
    },
}

/// Hashes a finished text, in upper-case hex.
fn hash(text: &str, key: &ApiKey, sign_type: SignType) -> String {
    match sign_type {
        SignType::Md5 => hex(&Md5::digest(text.as_bytes())),
        SignType::HmacSha256 => {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes a key of any length");
            mac.update(text.as_bytes());
            hex(&mac.finalize().into_bytes())
        }
    }
}

/// Upper-case hex.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 0x0f)]);
    }
    text
}
