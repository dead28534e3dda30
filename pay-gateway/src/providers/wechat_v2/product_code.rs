use wechat_pay::v2::{
    SignType,
    client::{native_1_fields, native_1_url},
};

use super::{Session, nonce};

impl Session {
    /// The text of a product's QR code (Native mode 1). The code names no sign type and outlives changes of it, so it is signed
    /// with MD5 whatever the merchant signs its calls with, as WeChat's own SDK does.
    pub(crate) fn sign_product_code(&self, app_id: &str, product_id: &str) -> String {
        let account = &self.account;
        let fields = native_1_fields(app_id, &account.mch_id, product_id, &nonce(), self.wechat.clock.now());
        native_1_url(&fields, &account.api_key, SignType::Md5)
    }
}
