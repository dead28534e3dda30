//! What a payer shows at a counter.

use super::{LimitError, number};

/// Most characters of `face_code`.
pub const FACE_CODE_BYTES: usize = 128;

/// Digits of `auth_code`.
pub const AUTH_CODE_DIGITS: usize = 18;

/// `auth_code` of a pay code: 18 digits, the first two 10 to 15.
pub fn check_auth_code(auth_code: &str) -> Result<(), LimitError> {
    check_face_pay_code(auth_code)?;
    let fits = auth_code.starts_with('1') && matches!(auth_code.as_bytes()[1], b'0'..=b'5');
    if fits { Ok(()) } else { Err(LimitError::AuthCode) }
}

/// `auth_code` that a face device gave (`face_code_type=1`): 18 digits. WeChat does not say how they begin.
pub fn check_face_pay_code(auth_code: &str) -> Result<(), LimitError> {
    if auth_code.is_empty() {
        return Err(LimitError::Empty);
    }
    let fits = auth_code.len() == AUTH_CODE_DIGITS && auth_code.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(()) } else { Err(LimitError::AuthCode) }
}

/// `face_code` of the older face API: 1 to 128 printable ASCII characters.
pub fn check_face_code(face_code: &str) -> Result<(), LimitError> {
    if face_code.is_empty() {
        return Err(LimitError::Empty);
    }
    if FACE_CODE_BYTES < face_code.len() {
        return Err(LimitError::TooLong { max: FACE_CODE_BYTES });
    }
    if face_code.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(LimitError::Characters { what: "other characters than printable ASCII" })
    }
}

/// `mch_billno`: 1 to 28 letters and digits.
pub fn check_mch_billno(mch_billno: &str) -> Result<(), LimitError> {
    number(mch_billno, 1..=28, b"")
}
