//! Refund notices: WeChat tells our URL that a refund reached a final state.
//!
//! They are **not signed**, and the encryption of their content authenticates nothing. So what is read here is a
//! [`RefundHint`]: a reason to run a refund query, never evidence that money moved.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use money::Fen;
use sha2::{Digest as _, Sha256};

use super::payment::identity;
use super::xml::{self, XmlError};
use super::{ApiKey, FieldError, Fields, Identity, RefundStatus};

pub use super::sealed::{SealError, SealKey};

/// Largest notice that is read, as for payment notices.
pub const MAX_BYTES: usize = super::notice::MAX_BYTES;

/// Most fields of each of its two parts, as for payment notices.
pub const MAX_FIELDS: usize = super::notice::MAX_FIELDS;

/// Root element of the decrypted part.
const INNER_ROOT: &str = "root";

/// What somebody who knows the API key, or who pasted together pieces of such messages, says about a refund.
///
/// Confirm it with a refund query before anything depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundHint {
    /// Whose refund, from the part that is not even encrypted.
    pub identity: Identity,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Our number of the refund; one we never issued when it was made in the merchant platform.
    pub out_refund_no: String,
    /// The whole amount of the order.
    pub total_fee: Fen,
    /// What goes back.
    pub refund_fee: Fen,
    /// The state it reached.
    pub status: RefundStatus,
    /// When the money arrived; only of succeeded refunds.
    pub success_time: Option<Timestamp>,
    /// `API` or `VENDOR_PLATFORM`, when told.
    pub request_source: Option<String>,
}

impl RefundHint {
    /// Tells one notice from another: the first 16 hex digits of the SHA-256 of what it says. A repeated notice has the same.
    pub fn digest(&self) -> String {
        let said = [
            self.identity.mch_id.as_str(),
            &self.transaction_id,
            &self.out_trade_no,
            &self.refund_id,
            &self.out_refund_no,
            &self.total_fee.get().to_string(),
            &self.refund_fee.get().to_string(),
            self.status.as_str(),
            &self.success_time.map(|at| at.to_string()).unwrap_or_default(),
        ];
        // No text of a message holds this character: it is not allowed in XML.
        let hash = Sha256::digest(said.join("\u{1}"));
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        format!("{:016x}", u64::from_be_bytes(first))
    }
}

/// Why a refund notice is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundNoticeError {
    /// Larger than [`MAX_BYTES`].
    #[error("refund notice is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The outer part is not a message.
    #[error("refund notice cannot be read: {0}")]
    Unreadable(#[source] XmlError),
    /// `return_code` is not `SUCCESS`.
    #[error("refund notice reports a failure of communication")]
    ReturnCode,
    /// `req_info` is not base64.
    #[error("refund notice is not base64")]
    Base64,
    /// `req_info` does not decrypt.
    #[error("refund notice cannot be decrypted: {0}")]
    Sealed(#[from] SealError),
    /// `req_info` decrypts, but not to a message: another key whose padding fits by chance, a changed block, or a text that
    /// nobody but the holder of the key can have sealed.
    #[error("decrypted part of refund notice cannot be read: {0}")]
    Inner(#[source] XmlError),
    /// A field that every refund has is absent or malformed.
    #[error("refund notice is incomplete: {0}")]
    Field(#[from] FieldError),
}

/// Reads a refund notice with the key of the merchant account it was addressed to.
///
/// # Errors
/// [`RefundNoticeError`]; the caller answers [`fail`](super::notice::fail).
pub fn read(body: &[u8], key: &ApiKey) -> Result<RefundHint, RefundNoticeError> {
    if MAX_BYTES < body.len() {
        return Err(RefundNoticeError::TooLarge);
    }
    let outer = xml::parse_at_most("xml", body, MAX_FIELDS).map_err(RefundNoticeError::Unreadable)?;
    if outer.text("return_code") != Some("SUCCESS") {
        return Err(RefundNoticeError::ReturnCode);
    }
    let opened = open(outer.required("req_info")?, &SealKey::of(key))?;
    let inner = xml::parse_at_most(INNER_ROOT, &opened, MAX_FIELDS).map_err(RefundNoticeError::Inner)?;
    Ok(RefundHint {
        identity: identity(&outer)?,
        transaction_id: inner.required("transaction_id")?.to_owned(),
        out_trade_no: inner.required("out_trade_no")?.to_owned(),
        refund_id: inner.required("refund_id")?.to_owned(),
        out_refund_no: inner.required("out_refund_no")?.to_owned(),
        total_fee: inner.required_fen("total_fee")?,
        refund_fee: inner.required_fen("refund_fee")?,
        status: RefundStatus::parse(inner.required("refund_status")?),
        success_time: inner.time_spaced("success_time")?,
        request_source: inner.text("refund_request_source").map(str::to_owned),
    })
}

/// Decrypts `req_info`.
///
/// # Errors
/// [`RefundNoticeError::Base64`], [`RefundNoticeError::Sealed`].
pub fn open(req_info: &str, key: &SealKey) -> Result<Vec<u8>, RefundNoticeError> {
    let sealed = STANDARD.decode(req_info).map_err(|_| RefundNoticeError::Base64)?;
    Ok(key.decrypt(&sealed)?)
}

/// Makes the `req_info` of a refund notice, as WeChat does.
pub fn seal(inner: &Fields, key: &SealKey) -> String {
    STANDARD.encode(key.encrypt(xml::write(INNER_ROOT, inner).as_bytes()))
}
