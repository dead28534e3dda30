//! `/face/get_wxpayface_authinfo` on WeChat's face host: what a face device's SDK starts with.

use jiff::Timestamp;

use super::request::sign_into;
use super::{ApiKey, FieldError, Fields, Identity, SignType};

/// Asks for a device's credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceCredentialRequest {
    /// For whom.
    pub identity: Identity,
    /// The store's number, 1 to 32 characters.
    pub store_id: String,
    /// Its name, 1 to 128 characters.
    pub store_name: String,
    /// The device's number, 1 to 32 characters.
    pub device_id: String,
    /// What the device's SDK gave (`get_wxpayface_rawdata`), 1 to 2048 characters.
    pub rawdata: String,
    /// JSON that is handed on.
    pub attach: Option<String>,
}

impl FaceCredentialRequest {
    /// Path below the face host, `https://payapp.weixin.qq.com`.
    pub const PATH: &str = "/face/get_wxpayface_authinfo";

    /// The signed request, in the order of WeChat's table; unlike elsewhere the sign type is always named. `nonce` is at most 32
    /// letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, now: Timestamp, key: &ApiKey, sign_type: SignType) -> Fields {
        let mut fields = Fields::from_iter([
            ("store_id", self.store_id.as_str()),
            ("store_name", &self.store_name),
            ("device_id", &self.device_id),
            ("rawdata", &self.rawdata),
        ]);
        if let Some(attach) = &self.attach {
            fields.insert("attach", attach);
        }
        for (name, value) in self.identity.pairs() {
            fields.insert(name, value);
        }
        fields.insert("now", now.as_second().to_string());
        fields.insert("version", "1");
        fields.insert("sign_type", sign_type.as_str());
        fields.insert("nonce_str", nonce);
        sign_into(&mut fields, key, sign_type);
        fields
    }
}

/// What a face device starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceCredential {
    /// Handed to the device's SDK as it is, at most 4096 characters.
    pub authinfo: String,
    /// How many seconds it is good for.
    pub expires_in: u32,
}

impl FaceCredential {
    /// Reads the fields of a successful answer.
    ///
    /// # Errors
    /// [`FieldError`] when the credential or its life is absent or malformed.
    pub fn parse(fields: &Fields) -> Result<FaceCredential, FieldError> {
        fields.required("expires_in")?;
        Ok(FaceCredential {
            authinfo: fields.required("authinfo")?.to_owned(),
            expires_in: fields.count("expires_in")?.unwrap_or_default(),
        })
    }
}
