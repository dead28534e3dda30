//! Yuan as decimal text, read into and printed from an integer of the smallest unit.

use std::fmt;

/// Longest text that is looked at. `i64` in fen needs 20 characters; the rest is room for trailing zeros.
const MAX_TEXT_BYTES: usize = 40;

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not `-?digits[.digits]`: empty, a `+`, an exponent, spaces, separators, or longer than any amount.
    #[error("not a decimal amount of yuan")]
    Malformed,
    /// A decimal number, but finer than the unit it is read into.
    #[error("not a whole number of the smallest unit")]
    NotWhole,
    /// Larger than the type can hold.
    #[error("amount too large")]
    Overflow,
}

/// Reads `-?digits[.digits]` as a whole number of 10^-`places` yuan. Trailing zeros beyond `places` are allowed.
pub(crate) fn parse(text: &str, places: usize) -> Result<i64, MoneyError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(MoneyError::Malformed);
    }
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(MoneyError::Malformed),
        None => (unsigned, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyError::Malformed);
    }
    let (kept, dropped) = fraction.split_at(fraction.len().min(places));
    if dropped.bytes().any(|byte| byte != b'0') {
        return Err(MoneyError::NotWhole);
    }
    let digits = whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', places - kept.len()));
    let mut units: i128 = 0;
    for digit in digits {
        units = units
            .checked_mul(10)
            .and_then(|units| units.checked_add(i128::from(digit - b'0')))
            .ok_or(MoneyError::Overflow)?;
    }
    i64::try_from(if negative { -units } else { units }).map_err(|_| MoneyError::Overflow)
}

/// Prints 10^-`places` yuan with exactly `places` decimals.
pub(crate) fn print(units: i64, places: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let scale = (0..places).fold(1_u64, |scale, _| scale * 10);
    let size = units.unsigned_abs();
    let sign = if units < 0 { "-" } else { "" };
    f.pad(&format!("{sign}{}.{:0places$}", size / scale, size % scale))
}
