//! Which callback a request is, decided by its path alone. The path chooses the keys, and nothing else in the request can.

use hyper::Uri;
use merchants::{Merchant, MerchantName, NoticeKind, Provider};

/// Where a callback is addressed to. Whether such a merchant exists is not decided here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) provider: Provider,
    pub(crate) merchant: MerchantName,
    pub(crate) kind: CallbackKind,
}

/// What a callback is about; the last part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CallbackKind {
    /// The notice that a payment succeeded.
    Payment,
    /// The notice that a refund reached its end.
    Refund,
    /// The question of Native mode 1: a product code was scanned.
    NativeScan,
}

impl CallbackKind {
    const ALL: [CallbackKind; 3] = [CallbackKind::Payment, CallbackKind::Refund, CallbackKind::NativeScan];

    /// The last part of the path, and the word in metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            CallbackKind::Payment => NoticeKind::Payment.as_str(),
            CallbackKind::Refund => NoticeKind::Refund.as_str(),
            CallbackKind::NativeScan => "native",
        }
    }

    /// Whether this merchant has such callbacks. Product codes are a direct merchant's: WeChat's question names no
    /// sub-merchant, so a service provider's could not be told apart.
    pub(crate) fn is_served_for(self, merchant: &Merchant) -> bool {
        match self {
            CallbackKind::Payment | CallbackKind::Refund => true,
            CallbackKind::NativeScan => merchant.sub_mch_id().is_none(),
        }
    }
}

/// Reads `/notify/<provider>/<merchant>/<kind>`; `None` is 404.
///
/// The path is compared byte for byte as it was sent: nothing is decoded, lower-cased or tidied, so each address has one
/// spelling. A query string, even an empty one, makes it another address.
pub(crate) fn address(uri: &Uri) -> Option<Address> {
    if uri.query().is_some() {
        return None;
    }
    let mut parts = uri.path().strip_prefix("/notify/")?.split('/');
    let (provider, merchant, kind) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Address {
        provider: Provider::ALL.into_iter().find(|(_, word)| *word == provider)?.0,
        merchant: MerchantName::parse(merchant).ok()?,
        kind: CallbackKind::ALL.into_iter().find(|served| served.as_str() == kind)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str) -> Option<Address> {
        address(&uri.parse().expect("a URI"))
    }

    #[test]
    fn the_path_names_provider_merchant_and_kind() {
        let address = read("/notify/wechat-v2/acme-mini/payment").expect("an address");
        assert_eq!(address.provider, Provider::WechatV2);
        assert_eq!(address.merchant.as_str(), "acme-mini");
        assert_eq!(address.kind, CallbackKind::Payment);
        let address = read("/notify/wechat-v2/acme-mini/refund").expect("an address");
        assert_eq!((address.merchant.as_str(), address.kind), ("acme-mini", CallbackKind::Refund));
        let address = read("/notify/wechat-v2/acme-mini/native").expect("an address");
        assert_eq!((address.merchant.as_str(), address.kind), ("acme-mini", CallbackKind::NativeScan));
    }

    #[test]
    fn every_other_spelling_of_the_path_is_not_found() {
        for uri in [
            "/",
            "/notify",
            "/notify/",
            "/notify/wechat-v2/acme-mini",
            "/notify/wechat-v2/acme-mini/",
            "/notify/wechat-v2/acme-mini/payment/",
            "/notify/wechat-v2/acme-mini/payment/x",
            "/notify/wechat-v2/acme-mini/payment?",
            "/notify/wechat-v2/acme-mini/payment?key=x",
            "/notify/wechat-v2/acme-mini/Payment",
            "/notify/wechat-v2/Acme-mini/payment",
            "/notify/WeChat-v2/acme-mini/payment",
            "/NOTIFY/wechat-v2/acme-mini/payment",
            "//notify/wechat-v2/acme-mini/payment",
            "/notify//wechat-v2/acme-mini/payment",
            "/notify/wechat-v2//payment",
            "/notify/wechat-v2/acme-mini//payment",
            "/notify/wechat-v2/other/../acme-mini/payment",
            "/notify/wechat-v2/./acme-mini/payment",
            "/notify/wechat-v2/acme%2Dmini/payment",
            "/notify/wechat-v2/%2e%2e/acme-mini/payment",
            "/notify%2Fwechat-v2%2Facme-mini%2Fpayment",
            "/notify/wechat-v2/acme-mini/payment;v=1",
            "/notify/wechat-v2/acme-mini/payment%00",
            "/notify/wechat-v2/acme-mini/refund/",
            "/notify/wechat-v2/acme-mini/refunds",
            "/notify/wechat-v2/acme-mini/payment/refund",
            "/notify/wechat-v2/acme-mini/native/",
            "/notify/wechat-v2/acme-mini/Native",
            "/notify/wechat-v2/acme-mini/scan",
            "/notify/wechat-v3/acme-mini/payment",
            "/notify/wechat-v2/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/payment",
            "*",
        ] {
            assert_eq!(read(uri), None, "{uri}");
        }
    }
}
