//! WeChat Pay v2: XML in, signed or sealed, and XML out.

pub(super) mod answer;
pub(super) mod payment;
pub(super) mod refund;
pub(super) mod scan;

use merchants::WechatV2Account;
use wechat_pay::v2::Identity;
use wechat_pay::v2::sign::SignError;

/// Longest number of WeChat's, longest number of ours for a payment, longest app id.
const MAX_BYTES: usize = 32;

/// Whether a message is about this account, and about nobody else who shares its key: the sub-merchants of one service
/// provider do, so theirs must be named, and a direct merchant has none. Absence is a mismatch.
///
/// Which app the message is about is not asked here: an app that was taken out of the file still has orders in flight.
fn is_about(account: &WechatV2Account, identity: &Identity) -> bool {
    let whose = match &account.sub_merchant {
        None => identity.sub_mch_id.is_none() && identity.sub_appid.is_none(),
        Some(sub) => identity.sub_mch_id.as_deref() == Some(sub.sub_mch_id.as_str()),
    };
    identity.mch_id == account.mch_id && whose
}

/// Whether both apps of a message have the form of an app's id.
fn has_app_ids(identity: &Identity) -> bool {
    is_app_id(&identity.appid) && identity.sub_appid.as_deref().is_none_or(is_app_id)
}

/// Whether a text can be an app's id.
fn is_app_id(text: &str) -> bool {
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a text of at most `most` bytes can be a number or word of WeChat's or ours: it becomes part of the id, which is a
/// header on the bus.
fn is_printable(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a signature may be that of another key, so that the key before this one is worth a try.
fn is_of_another_key(error: SignError) -> bool {
    matches!(error, SignError::Length { .. } | SignError::Mismatch)
}
