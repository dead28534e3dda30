//! The merchants of every bench.

use std::fs;

use tempfile::TempDir;
use wechat_pay::v2::{
    ApiKey, Fields, SignType,
    sign::{SIGN, sign},
};

use super::provider;

/// Where callbacks go that a test does not look at: nobody listens there, and no name server is asked.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

/// A merchant account as a client sees it.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) mch_id: &'static str,
    pub(crate) app_id: &'static str,
    pub(crate) app_secret: &'static str,
    pub(crate) sign_type: SignType,
    pub(crate) key: &'static str,
}

pub(crate) const ACME: Account = Account {
    name: "acme-mini",
    mch_id: "1900000109",
    app_id: "wx0000000000000acm",
    app_secret: "acmesecret0000000000000000000000",
    sign_type: SignType::HmacSha256,
    key: "acmekey0000000000000000000000001",
};

pub(crate) const TEA: Account = Account {
    name: "tea-house",
    mch_id: "1900000110",
    app_id: "wx0000000000000tea",
    app_secret: "teasecret00000000000000000000000",
    sign_type: SignType::Md5,
    key: "teakey00000000000000000000000002",
};

/// A native app of [`ACME`], without a secret.
pub(crate) const ACME_NATIVE_APP: &str = "wx0000000000000app";

impl Account {
    pub(crate) fn api_key(&self) -> ApiKey {
        ApiKey::parse(self.key).unwrap()
    }

    /// Identity and nonce, then these fields, then sign type and signature.
    pub(crate) fn signed(&self, fields: &[(&str, &str)]) -> Fields {
        let mut all: Fields =
            [("appid", self.app_id), ("mch_id", self.mch_id), ("nonce_str", "5K8264ILTKCH16CQ")].into_iter().collect();
        if self.sign_type == SignType::HmacSha256 {
            all.insert("sign_type", self.sign_type.as_str());
        }
        for (name, value) in fields {
            all.insert(*name, *value);
        }
        self.sign(&mut all);
        all
    }

    pub(crate) fn sign(&self, fields: &mut Fields) {
        let signature = sign(fields, &self.api_key(), self.sign_type);
        fields.insert(SIGN, signature);
    }

    /// A complete unifiedorder of one yuan by a mini program.
    pub(crate) fn order(&self, out_trade_no: &str, changes: &[(&str, &str)]) -> Fields {
        let notify_url = format!("{NOWHERE}/notify/wechat-v2/acme-mini/payment");
        let mut fields = vec![
            ("body", "通宝-苹果"),
            ("out_trade_no", out_trade_no),
            ("total_fee", "100"),
            ("spbill_create_ip", "203.0.113.7"),
            ("notify_url", &*notify_url),
            ("trade_type", "JSAPI"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ];
        fields.extend_from_slice(changes);
        self.signed(&fields)
    }
}

/// A directory with the files of [`ACME`], [`TEA`] and the sub-merchants of a service provider.
pub(crate) fn merchants() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for account in [ACME, TEA] {
        let Account { name, mch_id, app_id, app_secret, sign_type, key } = account;
        let more = if name == ACME.name {
            format!("[[apps]]\napp_id = \"{ACME_NATIVE_APP}\"\nkind = \"app\"\n")
        } else {
            String::new()
        };
        let text = format!(
            "provider = \"wechat-v2\"\nmch_id = \"{mch_id}\"\nsign_type = \"{sign_type}\"\n\
             notify_base_url = \"{NOWHERE}\"\napi_key_file = \"{name}.key\"\n\
             [[apps]]\napp_id = \"{app_id}\"\nkind = \"mini-program\"\napp_secret_file = \"{name}.secret\"\n{more}"
        );
        fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
        fs::write(dir.path().join(format!("{name}.key")), key).unwrap();
        fs::write(dir.path().join(format!("{name}.secret")), app_secret).unwrap();
    }
    provider::write(dir.path());
    dir
}
