//! Who a message is about.

use std::fmt;

use super::Fields;

/// Whose money a message is about. The same four fields are in every request and every answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The app; in service-provider mode the provider's.
    pub appid: String,
    /// The merchant; in service-provider mode the provider.
    pub mch_id: String,
    /// The sub-merchant's app, when it opens the cashier.
    pub sub_appid: Option<String>,
    /// The sub-merchant. `None` for a direct merchant.
    pub sub_mch_id: Option<String>,
}

impl Identity {
    /// A direct merchant and one of its apps.
    pub fn direct(appid: impl Into<String>, mch_id: impl Into<String>) -> Identity {
        Identity { appid: appid.into(), mch_id: mch_id.into(), sub_appid: None, sub_mch_id: None }
    }

    /// The app that opens the cashier: the sub-merchant's when the order names one.
    pub fn launching_appid(&self) -> &str {
        self.sub_appid.as_deref().unwrap_or(&self.appid)
    }

    /// Names and values of what is set, in the order of WeChat's tables.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("appid", Some(self.appid.as_str())),
            ("mch_id", Some(self.mch_id.as_str())),
            ("sub_appid", self.sub_appid.as_deref()),
            ("sub_mch_id", self.sub_mch_id.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The first field of `fields` that is present and names somebody else.
    pub(crate) fn first_mismatch(&self, fields: &Fields) -> Option<&'static str> {
        self.pairs().find(|(name, ours)| fields.text(name).is_some_and(|theirs| theirs != *ours)).map(|(name, _)| name)
    }
}

/// A user under one app. Personal data: `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OpenId(String);

impl OpenId {
    /// Takes the text as WeChat wrote it.
    pub fn new(openid: impl Into<String>) -> OpenId {
        OpenId(openid.into())
    }

    /// The text, for the wire and for the store; never for a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, given away.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenId(redacted)")
    }
}
