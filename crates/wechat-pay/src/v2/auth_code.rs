//! `/tools/authcodetoopenid`: tells who shows a pay code. Needs a permission of WeChat's.

use super::request::Request;
use super::{ApiKey, FieldError, Fields, Identity, OpenId, PayCode, SignType};

/// Asks who shows a pay code. From then on only this merchant can charge the code, until it refreshes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthCodeToOpenid {
    /// For whom.
    pub identity: Identity,
    /// What the payer shows.
    pub auth_code: PayCode,
}

impl AuthCodeToOpenid {
    /// Path below WeChat's host.
    pub const PATH: &str = "/tools/authcodetoopenid";

    /// The only type that this call takes, whatever the merchant's: WeChat's schema has no room for a longer signature, and
    /// none for a `sign_type`.
    pub const SIGN_TYPE: SignType = SignType::Md5;

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        Request::new(&self.identity, nonce)
            .with("auth_code", self.auth_code.as_str())
            .signed(key, AuthCodeToOpenid::SIGN_TYPE)
    }

    /// Reads the payer out of a successful answer: under the sub-merchant's app when the request names one.
    ///
    /// # Errors
    /// [`FieldError`] when the answer does not tell it.
    pub fn payer(&self, fields: &Fields) -> Result<OpenId, FieldError> {
        let name = if self.identity.sub_appid.is_some() { "sub_openid" } else { "openid" };
        fields.required(name).map(OpenId::new)
    }
}
