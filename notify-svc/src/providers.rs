//! What the providers' callbacks say. One module per provider; each reads its own notices and answers in its own shape.

mod wechat_v2;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use merchants::{Account, Merchant};
use proto::event::{PaymentPaid, RefundNoticed};

use crate::outcome::Outcome;
use crate::routes::CallbackKind;
use crate::scans::Said;

pub(crate) use wechat_v2::scan::Scan;

/// What a notice says that we believe, as far as its kind can be believed.
#[derive(Debug)]
pub(crate) enum Reading {
    /// An attempt was paid.
    Paid(Box<PaymentPaid>),
    /// Nothing was paid.
    NotPaid,
    /// A refund may have changed: a hint, because nothing signed says so.
    RefundNoticed(Box<RefundNoticed>),
    /// A product code was scanned, and the provider wants to know what it costs.
    Scanned(Box<Scan>),
}

/// Verifies and reads a callback with the keys of the merchant that it was addressed to.
///
/// # Errors
/// The outcome of a callback that is refused.
pub(crate) fn read(merchant: &Merchant, kind: CallbackKind, body: &[u8]) -> Result<Reading, Outcome> {
    match (&merchant.account, kind) {
        (Account::WechatV2(account), CallbackKind::Payment) => wechat_v2::payment::read(merchant, account, body),
        (Account::WechatV2(account), CallbackKind::Refund) => wechat_v2::refund::read(merchant, account, body),
        (Account::WechatV2(account), CallbackKind::NativeScan) => {
            wechat_v2::scan::read(merchant, account, body).map(|scan| Reading::Scanned(Box::new(scan)))
        }
    }
}

/// Answers in the provider's own shape.
pub(crate) fn answer(merchant: &Merchant, outcome: Outcome) -> Response<Full<Bytes>> {
    match merchant.account {
        Account::WechatV2(_) => wechat_v2::answer::answer(outcome),
    }
}

/// Answers a scan in the provider's own shape, signed.
pub(crate) fn answer_scan(merchant: &Merchant, scan: &Scan, said: &Said) -> Response<Full<Bytes>> {
    match &merchant.account {
        Account::WechatV2(_) => wechat_v2::scan::answer(scan, said),
    }
}
