//! Numbers in WeChat's patterns. They name things and protect nothing, so a fast generator is enough.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;
use wechat_pay::time;

/// What WeChat's transaction ids begin with.
const TRANSACTION_PREFIX: &str = "4200";

/// What WeChat's numbers of refunds begin with.
const REFUND_PREFIX: &str = "5030";

/// A nonce: 32 letters and digits.
pub(crate) fn nonce() -> String {
    letters_and_digits(32)
}

/// 28 digits: prefix, six random digits, the Beijing date, ten random digits. Random rather than counted, because the
/// numbers of two runs end up in the same event stream.
pub(crate) fn transaction_id(at: Timestamp) -> String {
    let date = time::print_date(time::bill_date(at));
    format!("{TRANSACTION_PREFIX}{:06}{date}{:010}", fastrand::u32(..1_000_000), fastrand::u64(..10_000_000_000))
}

/// 29 digits: prefix, six random digits, the Beijing date, eleven random digits.
pub(crate) fn refund_id(at: Timestamp) -> String {
    let date = time::print_date(time::bill_date(at));
    format!("{REFUND_PREFIX}{:06}{date}{:011}", fastrand::u32(..1_000_000), fastrand::u64(..100_000_000_000))
}

/// A pay code: 18 digits, the first two 10 to 15.
pub(crate) fn pay_code() -> String {
    format!("{}{:016}", fastrand::u32(10..=15), fastrand::u64(..10_000_000_000_000_000))
}

/// A face code: 18 digits. No source names what it begins with; 90 to 95 cannot be taken for a pay code.
pub(crate) fn face_code() -> String {
    format!("{}{:016}", fastrand::u32(90..=95), fastrand::u64(..10_000_000_000_000_000))
}

/// `wx`, the Beijing time, 20 letters and digits.
pub(crate) fn prepay_id(at: Timestamp) -> String {
    format!("wx{}{}", time::print_14(at), letters_and_digits(20).to_lowercase())
}

/// The opaque part of `code_url`.
pub(crate) fn code_token() -> String {
    letters_and_digits(7)
}

/// The number of a red packet: `10000`, the merchant's number, the Beijing date, ten random digits.
pub(crate) fn red_packet_id(mch_id: &str, at: Timestamp) -> String {
    let date = time::print_date(time::bill_date(at));
    format!("10000{mch_id}{date}{:010}", fastrand::u64(..10_000_000_000))
}

/// What a face device starts with.
pub(crate) fn face_credential() -> String {
    letters_and_digits(256)
}

/// The opaque part of a short URL.
pub(crate) fn token() -> String {
    letters_and_digits(11)
}

/// A login code, as `wx.login` gives it.
pub(crate) fn login_code() -> String {
    letters_and_digits(32)
}

/// An openid: 28 characters, the first an `o`.
pub(crate) fn openid() -> String {
    format!("o{}", letters_and_digits(27))
}

/// The openid of somebody under another app. The same person has the same one there whenever it is asked for, and nobody
/// can tell from it who that is elsewhere.
pub(crate) fn openid_under(person: &str, app_id: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digit = |at: u8| {
        // New hashers are all alike, so the same words give the same digit.
        let mut hasher = DefaultHasher::new();
        (person, app_id, at).hash(&mut hasher);
        let index = hasher.finish() % 62;
        char::from(ALPHABET[usize::try_from(index).expect("less than 62")])
    };
    format!("o{}", (0..27).map(digit).collect::<String>())
}

/// A session key: 16 bytes in base64.
pub(crate) fn session_key() -> String {
    format!("{}==", letters_and_digits(22))
}

fn letters_and_digits(length: usize) -> String {
    (0..length).map(|_| fastrand::alphanumeric()).collect()
}
