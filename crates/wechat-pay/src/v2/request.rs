//! What every request has in common.

use super::sign::{SIGN, sign};
use super::{ApiKey, Fields, Identity, SignType};

/// A request under construction: identity first, then what the call needs, signed at the end.
pub(crate) struct Request(Fields);

impl Request {
    pub(crate) fn new(identity: &Identity, nonce: &str) -> Request {
        let mut fields: Fields = identity.pairs().collect();
        fields.insert("nonce_str", nonce);
        Request(fields)
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Request {
        self.0.insert(name, value);
        self
    }

    /// Sets `name` when there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<impl AsRef<str>>) -> Request {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn signed(mut self, key: &ApiKey, sign_type: SignType) -> Fields {
        // MD5 is the default, and some calls refuse to see it named.
        if sign_type != SignType::Md5 {
            self.0.insert("sign_type", sign_type.as_str());
        }
        sign_into(&mut self.0, key, sign_type);
        self.0
    }
}

/// Puts the signature of everything else into `fields`.
pub(crate) fn sign_into(fields: &mut Fields, key: &ApiKey, sign_type: SignType) {
    let signature = sign(fields, key, sign_type);
    fields.insert(SIGN, signature);
}
