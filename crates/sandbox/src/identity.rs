//! Whose message it is: a direct merchant's, or a service provider's about one of its sub-merchants.

use std::sync::Arc;

use merchants::Merchant;
use wechat_pay::v2::Fields;

use crate::platform::{Platform, service_provider_app_id};

/// Whether a service provider must say which sub-merchant it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Nearly every message is about one.
    OneSubMerchant,
    /// Bills can be about all of them.
    AnySubMerchant,
}

/// What does not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// The app is nobody's.
    UnknownApp,
    /// The app is somebody else's.
    OtherApp,
    /// A direct merchant has nobody below it, and this field says that it has.
    NotProvider(&'static str),
    /// A service provider does not say whom it means.
    SubMerchantMissing,
    /// The sub-merchant does not exist.
    UnknownSubMerchant,
    /// The sub-merchant is not this service provider's.
    OtherSubMerchant,
    /// The sub-merchant's app is not the sub-merchant's.
    OtherSubApp,
    /// A user of the sub-merchant's app is named, but not the app.
    SubAppMissing,
}

/// The merchant that a message with these fields is about; `mch_id` is known to be somebody's. Without a sub-merchant it
/// is any of the service provider's.
///
/// # Errors
/// [`Stranger`].
pub(crate) fn check(platform: &Platform, fields: &Fields, meant: Meant) -> Result<Arc<Merchant>, Stranger> {
    let (mch_id, app_id) = (fields.text("mch_id").unwrap_or_default(), fields.text("appid").unwrap_or_default());
    let accounts = platform.accounts(mch_id);
    let another_app = || if platform.knows_app(app_id) { Stranger::OtherApp } else { Stranger::UnknownApp };
    if let Some(direct) = accounts.iter().find(|merchant| merchant.sub_mch_id().is_none()) {
        let below = ["sub_mch_id", "sub_appid", "sub_openid"].into_iter().find(|field| fields.text(field).is_some());
        if let Some(field) = below {
            return Err(Stranger::NotProvider(field));
        }
        return if direct.app(app_id).is_some() { Ok(Arc::clone(direct)) } else { Err(another_app()) };
    }
    let sub_merchant = fields.text("sub_mch_id");
    let merchant = match sub_merchant {
        Some(number) => accounts.iter().find(|merchant| merchant.sub_mch_id() == Some(number)).ok_or_else(|| {
            if platform.knows_number(number) { Stranger::OtherSubMerchant } else { Stranger::UnknownSubMerchant }
        })?,
        None if meant == Meant::AnySubMerchant => accounts.first().ok_or_else(another_app)?,
        None => return Err(Stranger::SubMerchantMissing),
    };
    // Whichever sub-merchant is meant, the app is the service provider's.
    if service_provider_app_id(merchant) != Some(app_id) {
        return Err(another_app());
    }
    if let Some(sub_app) = fields.text("sub_appid") {
        let own = sub_app != app_id && merchant.app(sub_app).is_some();
        return if own { Ok(Arc::clone(merchant)) } else { Err(Stranger::OtherSubApp) };
    }
    if fields.text("sub_openid").is_some() { Err(Stranger::SubAppMissing) } else { Ok(Arc::clone(merchant)) }
}
