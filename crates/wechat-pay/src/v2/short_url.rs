//! `/tools/shorturl`: a shorter text for the QR code of a Native mode 1 product.

use super::client::query_value;
use super::request::Request;
use super::{ApiKey, FieldError, Fields, Identity, SignType};

/// Asks for a shorter text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortUrl {
    /// For whom.
    pub identity: Identity,
    /// The long text, at most 512 bytes.
    pub long_url: String,
}

impl ShortUrl {
    /// Path below WeChat's host.
    pub const PATH: &str = "/tools/shorturl";

    /// The request as it is sent: signed over the raw text, which then travels percent-encoded. `nonce` is at most 32 letters and
    /// digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        let mut fields = Request::new(&self.identity, nonce).with("long_url", &self.long_url).signed(key, sign_type);
        fields.insert("long_url", query_value(&self.long_url));
        fields
    }

    /// Reads the shorter text out of a successful answer: `weixin://wxpay/s/…`.
    ///
    /// # Errors
    /// [`FieldError`] when there is none.
    pub fn short_url(fields: &Fields) -> Result<String, FieldError> {
        fields.required("short_url").map(str::to_owned)
    }
}
