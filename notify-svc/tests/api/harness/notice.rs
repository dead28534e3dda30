use wechat_pay::v2::sign::{ApiKey, SignType, sign};
use wechat_pay::v2::{Fields, xml};

/// The key of `acme-mini`.
pub(crate) const KEY: &str = "acmeacmeacmeacmeacmeacmeacmeacm1";
/// The key that `acme-mini` had before.
pub(crate) const PREVIOUS_KEY: &str = "acmeacmeacmeacmeacmeacmeacmeacm0";
/// The key of `other-shop`.
pub(crate) const OTHER_KEY: &str = "shopshopshopshopshopshopshopsho1";
/// The key of the service provider of `sub-tea` and `sub-cake`.
pub(crate) const PROVIDER_KEY: &str = "provproviderproviderproviderpro1";
/// The merchant number of `acme-mini`.
pub(crate) const MCH_ID: &str = "1900000109";

/// A payment notice that can be bent before it is signed, and after.
#[derive(Clone)]
pub(crate) struct Notice(pub(crate) Fields);

impl Notice {
    /// A genuine notice of one payment of `acme-mini`, not signed yet.
    pub(crate) fn paid(transaction_id: &str) -> Notice {
        Notice(Fields::from_iter([
            ("appid", "wxd930ea5d5a258f4f"),
            ("bank_type", "OTHERS"),
            ("cash_fee", "80"),
            ("fee_type", "CNY"),
            ("is_subscribe", "N"),
            ("mch_id", MCH_ID),
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
            ("out_trade_no", "01981b6e6f3c7a01b2c3d4e5f6a7b8c9"),
            ("result_code", "SUCCESS"),
            ("return_code", "SUCCESS"),
            ("time_end", "20260814093015"),
            ("total_fee", "100"),
            ("trade_type", "JSAPI"),
            ("transaction_id", transaction_id),
        ]))
    }

    /// With another value in one field.
    pub(crate) fn with(mut self, field: &str, value: &str) -> Notice {
        self.0.insert(field, value);
        self
    }

    /// Without one field.
    pub(crate) fn without(mut self, field: &str) -> Notice {
        self.0.remove(field).expect("the field was there");
        self
    }

    /// Signed with a key and sign type.
    pub(crate) fn signed_with(mut self, key: &str, sign_type: SignType) -> Notice {
        self.0.remove("sign");
        let sign = sign(&self.0, &ApiKey::parse(key).expect("a key of the right length"), sign_type);
        self.0.insert("sign", sign);
        self
    }

    /// Signed as WeChat signs for `acme-mini`.
    pub(crate) fn signed(self) -> Notice {
        self.signed_with(KEY, SignType::HmacSha256)
    }

    /// As it goes over the wire.
    pub(crate) fn xml(&self) -> String {
        xml::write("xml", &self.0)
    }
}

/// A genuine, signed notice as it goes over the wire.
pub(crate) fn sent(transaction_id: &str) -> String {
    Notice::paid(transaction_id).signed().xml()
}
