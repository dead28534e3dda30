//! Native mode 1: a payer scanned a QR code that never changes, and WeChat asks our URL which prepaid order to open.
//!
//! The question is signed and verified exactly like a payment notice. The answer is a signed message, too: its `prepay_id`
//! decides what the payer is asked to pay, so nobody but the account's owner may be able to write it.
//!
//! Source: WeChat Pay v2 docs, "Native payment, mode 1", read 2026-08.

use super::notice::{MAX_BYTES, MAX_FIELDS};
use super::payment::identity;
use super::request::sign_into;
use super::sign::{self, SignError};
use super::xml::{self, XmlError};
use super::{ApiKey, FieldError, Fields, Identity, OpenId, SignType};

/// Longest `err_code_des`, in bytes.
pub const MAX_REFUSAL_BYTES: usize = 128;

/// Longest `prepay_id`, in bytes.
pub const MAX_PREPAY_ID_BYTES: usize = 64;

/// A question whose signature was checked: WeChat, and nobody else, asked this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeScan {
    /// Whose code was scanned. Compare it with the merchant account that was addressed.
    pub identity: Identity,
    /// The payer under `appid`.
    pub openid: OpenId,
    /// The product of the code, as it was when the code was made.
    pub product_id: String,
    /// Names this scan; WeChat may ask more than once.
    pub nonce: String,
    /// The type of the signature.
    pub sign_type: SignType,
}

/// Why a question is refused. Answered with [`fail`](super::notice::fail): whoever cannot sign gets no signed answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NativeScanError {
    /// Larger than [`MAX_BYTES`].
    #[error("question is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not a message.
    #[error("question cannot be read: {0}")]
    Unreadable(#[source] XmlError),
    /// Not WeChat's, or not of a type that this merchant uses.
    #[error("question is not authentic: {0}")]
    BadSign(#[source] SignError),
    /// Genuine, but a field that every question has is absent.
    #[error("question is incomplete: {0}")]
    Field(#[from] FieldError),
}

/// Reads a question with the key of the merchant account it was addressed to. `pinned` are the sign types that this merchant
/// uses; nothing in the question can choose another.
///
/// # Errors
/// [`NativeScanError`]; the caller answers [`fail`](super::notice::fail).
pub fn read(body: &[u8], key: &ApiKey, pinned: &[SignType]) -> Result<NativeScan, NativeScanError> {
    if MAX_BYTES < body.len() {
        return Err(NativeScanError::TooLarge);
    }
    let fields = xml::parse_at_most("xml", body, MAX_FIELDS).map_err(NativeScanError::Unreadable)?;
    let sign_type = sign::verify_pinned(&fields, key, pinned).map_err(NativeScanError::BadSign)?;
    Ok(NativeScan {
        identity: identity(&fields)?,
        openid: OpenId::new(fields.required("openid")?),
        product_id: fields.required("product_id")?.to_owned(),
        nonce: fields.required("nonce_str")?.to_owned(),
        sign_type,
    })
}

/// What the payer's phone is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeScanAnswer<'a> {
    /// Open the cashier of this prepaid order.
    Prepaid(&'a str),
    /// Show these words. What is longer than [`MAX_REFUSAL_BYTES`] is cut off, and characters that do not print are left out.
    Refused(&'a str),
}

/// Writes the signed answer. `nonce` is at most 32 letters and digits, new for every answer. Send it with HTTP 200.
pub fn answer(
    identity: &Identity,
    nonce: &str,
    answer: NativeScanAnswer<'_>,
    key: &ApiKey,
    sign_type: SignType,
) -> String {
    let mut fields = Fields::from_iter([("return_code", "SUCCESS")]);
    for (name, value) in identity.pairs() {
        fields.insert(name, value);
    }
    fields.insert("nonce_str", nonce);
    match answer {
        NativeScanAnswer::Prepaid(prepay_id) => {
            fields.insert("prepay_id", prepay_id);
            fields.insert("result_code", "SUCCESS");
        }
        NativeScanAnswer::Refused(words) => {
            fields.insert("result_code", "FAIL");
            fields.insert("err_code_des", shown(words));
        }
    }
    sign_into(&mut fields, key, sign_type);
    xml::write("xml", &fields)
}

/// As many whole printable characters as fit.
fn shown(words: &str) -> String {
    let mut shown = String::new();
    for character in words.chars().filter(|character| !character.is_control() && xml::is_xml_char(*character)) {
        if MAX_REFUSAL_BYTES < shown.len() + character.len_utf8() {
            break;
        }
        shown.push(character);
    }
    shown
}
