//! A service provider and two sub-merchants whose accounts it runs.

use std::{fs, path::Path};

use wechat_pay::v2::SignType;

use super::{Account, NOWHERE};

/// The service provider's own app: `appid` of every call.
pub(crate) const PROVIDER_APP: &str = "wx0000000000000prv";
/// The first sub-merchant, and its mini program.
pub(crate) const BREW_NUMBER: &str = "1900000301";
pub(crate) const BREW_APP: &str = "wx0000000000000brw";
/// The second one.
pub(crate) const LEAF_NUMBER: &str = "1900000302";
pub(crate) const LEAF_APP: &str = "wx0000000000000lef";

/// The secret of every app of the service provider and below it.
const SECRET: &str = "prvsecret00000000000000000000000";

/// The service provider as a client sees it: one number and one key for all of its sub-merchants.
pub(crate) const PROVIDER_ACCOUNT: Account = Account {
    name: "brew-bar",
    mch_id: "1900000300",
    app_id: PROVIDER_APP,
    app_secret: SECRET,
    sign_type: SignType::HmacSha256,
    key: "prvkey00000000000000000000000003",
};

/// What an order of a sub-merchant says beyond an order of a direct merchant: a user of the service provider's app pays.
pub(crate) const BREW: [(&str, &str); 1] = [("sub_mch_id", BREW_NUMBER)];
pub(crate) const LEAF: [(&str, &str); 1] = [("sub_mch_id", LEAF_NUMBER)];

pub(super) fn write(dir: &Path) {
    let Account { mch_id, key, .. } = PROVIDER_ACCOUNT;
    for (name, number, app) in [("brew-bar", BREW_NUMBER, BREW_APP), ("leaf-bar", LEAF_NUMBER, LEAF_APP)] {
        let text = format!(
            "provider = \"wechat-v2\"\nmch_id = \"{mch_id}\"\nsub_mch_id = \"{number}\"\n\
             service_provider_app_id = \"{PROVIDER_APP}\"\nsign_type = \"HMAC-SHA256\"\n\
             notify_base_url = \"{NOWHERE}\"\napi_key_file = \"provider.key\"\n\
             [[apps]]\napp_id = \"{app}\"\nkind = \"mini-program\"\napp_secret_file = \"provider.secret\"\n\
             [[apps]]\napp_id = \"{PROVIDER_APP}\"\nkind = \"official-account\"\napp_secret_file = \"provider.secret\"\n"
        );
        fs::write(dir.join(format!("{name}.toml")), text).unwrap();
    }
    fs::write(dir.join("provider.key"), key).unwrap();
    fs::write(dir.join("provider.secret"), SECRET).unwrap();
}
