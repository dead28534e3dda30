//! What the client needs to open the cashier, signed a second time for it.
//!
//! A result that the client reports is a hint. Whether money came is said by the notice or the query alone.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::sign::sign;
use super::{ApiKey, Fields, Identity, SignType};

/// Everything but the unreserved characters of RFC 3986.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Arguments of `wx.requestPayment` (mini program) and `WeixinJSBridge` (JSAPI). Serialises to the names that both
/// expect; the mini program's call ignores `appId`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// The app that opens the cashier.
    pub app_id: String,
    /// Unix seconds, as text.
    pub time_stamp: String,
    /// A nonce of its own.
    pub nonce_str: String,
    /// `prepay_id=…`.
    pub package: String,
    /// The sign type of the order.
    pub sign_type: SignType,
    /// The signature over the five fields above.
    pub pay_sign: String,
}

impl Invocation {
    /// Signs the invocation of a prepaid order. `sign_type` must be the order's; `nonce` is at most 32 letters and
    /// digits and need not be the order's.
    pub fn new(
        identity: &Identity,
        prepay_id: &str,
        nonce: &str,
        now: Timestamp,
        key: &ApiKey,
        sign_type: SignType,
    ) -> Invocation {
        let mut invocation = Invocation {
            app_id: identity.launching_appid().to_owned(),
            time_stamp: now.as_second().to_string(),
            nonce_str: nonce.to_owned(),
            package: format!("prepay_id={prepay_id}"),
            sign_type,
            pay_sign: String::new(),
        };
        invocation.pay_sign = sign(&invocation.signed_fields(), key, sign_type);
        invocation
    }

    /// The fields under `paySign`.
    pub fn signed_fields(&self) -> Fields {
        Fields::from_iter([
            ("appId", self.app_id.as_str()),
            ("timeStamp", &self.time_stamp),
            ("nonceStr", &self.nonce_str),
            ("package", &self.package),
            ("signType", self.sign_type.as_str()),
        ])
    }
}

/// Arguments of the payment call of WeChat's SDK for native apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppInvocation {
    /// The app that opens the cashier.
    pub appid: String,
    /// The merchant; in service-provider mode the sub-merchant.
    pub partnerid: String,
    /// The prepaid order.
    pub prepayid: String,
    /// Always `Sign=WXPay`.
    pub package: &'static str,
    /// A nonce of its own.
    pub noncestr: String,
    /// Unix seconds, as text.
    pub timestamp: String,
    /// The signature over the six fields above; its type is not among them.
    pub sign: String,
}

impl AppInvocation {
    /// Signs the invocation of a prepaid order; see [`Invocation::new`].
    pub fn new(
        identity: &Identity,
        prepay_id: &str,
        nonce: &str,
        now: Timestamp,
        key: &ApiKey,
        sign_type: SignType,
    ) -> AppInvocation {
        let mut invocation = AppInvocation {
            appid: identity.launching_appid().to_owned(),
            partnerid: identity.sub_mch_id.as_ref().unwrap_or(&identity.mch_id).clone(),
            prepayid: prepay_id.to_owned(),
            package: "Sign=WXPay",
            noncestr: nonce.to_owned(),
            timestamp: now.as_second().to_string(),
            sign: String::new(),
        };
        invocation.sign = sign(&invocation.signed_fields(), key, sign_type);
        invocation
    }

    /// The fields under `sign`.
    pub fn signed_fields(&self) -> Fields {
        Fields::from_iter([
            ("appid", self.appid.as_str()),
            ("partnerid", &self.partnerid),
            ("prepayid", &self.prepayid),
            ("package", self.package),
            ("noncestr", &self.noncestr),
            ("timestamp", &self.timestamp),
        ])
    }
}

/// The fields under the signature of a Native mode 1 QR code.
pub fn native_1_fields(appid: &str, mch_id: &str, product_id: &str, nonce: &str, now: Timestamp) -> Fields {
    Fields::from_iter([
        ("appid", appid.to_owned()),
        ("mch_id", mch_id.to_owned()),
        ("product_id", product_id.to_owned()),
        ("time_stamp", now.as_second().to_string()),
        ("nonce_str", nonce.to_owned()),
    ])
}

/// The text of a Native mode 1 QR code: values signed raw, percent-encoded in the URL.
pub fn native_1_url(fields: &Fields, key: &ApiKey, sign_type: SignType) -> String {
    let mut url = format!("weixin://wxpay/bizpayurl?sign={}", sign(fields, key, sign_type));
    for (name, value) in fields.iter() {
        url.push('&');
        url.push_str(name);
        url.push('=');
        url.push_str(&query_value(value));
    }
    url
}

/// Where a browser goes to pay: `mweb_url` as WeChat gave it, and the way back behind it. The browser returns there whether or
/// not it was paid; see [`limits::check_redirect_url`](super::limits::check_redirect_url).
pub fn h5_url(mweb_url: &str, redirect_url: Option<&str>) -> String {
    match redirect_url {
        Some(redirect_url) => format!("{mweb_url}&redirect_url={}", query_value(redirect_url)),
        None => mweb_url.to_owned(),
    }
}

/// A value percent-encoded as WeChat expects it in a query string.
pub(crate) fn query_value(value: &str) -> String {
    utf8_percent_encode(value, QUERY_VALUE).to_string()
}
