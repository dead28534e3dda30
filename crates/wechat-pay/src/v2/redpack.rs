//! The client invocation of a mini program's red packet, which is signed unlike everything else.

use jiff::Timestamp;
use serde::Serialize;

use super::client::query_value;
use super::sign::sign;
use super::{ApiKey, Fields, SignType};

/// Arguments of `wx.sendBizRedPacket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedpackInvocation {
    /// Unix seconds, as text.
    pub time_stamp: String,
    /// A nonce of its own.
    pub nonce_str: String,
    /// WeChat's package text, percent-encoded.
    pub package: String,
    /// Always MD5, and not under the signature.
    pub sign_type: SignType,
    /// The signature, in lower-case hex.
    pub pay_sign: String,
}

impl RedpackInvocation {
    /// Signs the invocation for the package text of a created red packet.
    pub fn new(appid: &str, package: &str, nonce: &str, now: Timestamp, key: &ApiKey) -> RedpackInvocation {
        let mut invocation = RedpackInvocation {
            time_stamp: now.as_second().to_string(),
            nonce_str: nonce.to_owned(),
            package: query_value(package),
            sign_type: SignType::Md5,
            pay_sign: String::new(),
        };
        invocation.pay_sign = sign(&invocation.signed_fields(appid), key, SignType::Md5).to_ascii_lowercase();
        invocation
    }

    /// The fields under `paySign`.
    pub fn signed_fields(&self, appid: &str) -> Fields {
        Fields::from_iter([
            ("appId", appid),
            ("timeStamp", &self.time_stamp),
            ("nonceStr", &self.nonce_str),
            ("package", &self.package),
        ])
    }
}
