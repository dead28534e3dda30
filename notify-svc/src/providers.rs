//! What the providers' callbacks say. One module per provider; each reads its own notices and answers in its own shape.

mod wechat_v2;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use merchants::{Account, Merchant, NoticeKind};
use proto::event::{PaymentPaid, RefundNoticed};

use crate::outcome::Outcome;

/// What a notice says that we believe, as far as its kind can be believed.
#[derive(Debug)]
pub(crate) enum Reading {
    /// An attempt was paid.
    Paid(Box<PaymentPaid>),
    /// Nothing was paid.
    NotPaid,
    /// A refund may have changed: a hint, because nothing signed says so.
    RefundNoticed(Box<RefundNoticed>),
}

/// Verifies and reads a notice with the keys of the merchant that it was addressed to.
///
/// # Errors
/// The outcome of a notice that is refused.
pub(crate) fn read(merchant: &Merchant, kind: NoticeKind, body: &[u8]) -> Result<Reading, Outcome> {
    match (&merchant.account, kind) {
        (Account::WechatV2(account), NoticeKind::Payment) => wechat_v2::payment::read(merchant, account, body),
        (Account::WechatV2(account), NoticeKind::Refund) => wechat_v2::refund::read(merchant, account, body),
    }
}

/// Answers in the provider's own shape.
pub(crate) fn answer(merchant: &Merchant, outcome: Outcome) -> Response<Full<Bytes>> {
    match merchant.account {
        Account::WechatV2(_) => wechat_v2::answer::answer(outcome),
    }
}
