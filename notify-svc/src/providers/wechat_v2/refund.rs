//! The refund notice.
//!
//! It carries no signature, and the encryption of its content authenticates nothing: blocks of one notice can be pasted into
//! another by whoever has seen both. So it is checked as far as that goes — it decrypts with the account's key, it is about
//! the account, its numbers have their form — and told as a hint without amounts. Whoever hears the hint asks the provider.
//!
//! Source: WeChat Pay v2 docs, "Refund result notification", read 2026-08.

use merchants::{Merchant, WechatV2Account};
use proto::event::RefundNoticed;
use wechat_pay::v2::refund_notice::{self, RefundHint, RefundNoticeError};
use wechat_pay::v2::xml::XmlError;

use super::{MAX_BYTES, has_app_ids, is_about, is_printable};
use crate::outcome::Outcome;
use crate::providers::Reading;

/// Longest number of a refund, ours or one that was given in the merchant platform.
const MAX_OUT_REFUND_NO_BYTES: usize = 64;

/// Opens and reads one notice with the account's keys.
pub(in crate::providers) fn read(
    merchant: &Merchant,
    account: &WechatV2Account,
    body: &[u8],
) -> Result<Reading, Outcome> {
    let told = opened(account, body).map_err(|error| refusal(&error))?;
    hint(merchant, account, told).map(|hint| Reading::RefundNoticed(Box::new(hint)))
}

/// Tries the key in force, then the one before it while keys are being changed.
fn opened(account: &WechatV2Account, body: &[u8]) -> Result<RefundHint, RefundNoticeError> {
    let read = refund_notice::read(body, &account.api_key);
    let Some(previous) = &account.previous_api_key else { return read };
    if !read.as_ref().is_err_and(is_of_another_key) {
        return read;
    }
    match refund_notice::read(body, previous) {
        Err(error) if is_of_another_key(&error) => read,
        with_previous => with_previous,
    }
}

/// A wrong key shows in the padding, or, when that fits by chance, in bytes that are no text.
fn is_of_another_key(error: &RefundNoticeError) -> bool {
    matches!(error, RefundNoticeError::Sealed(_) | RefundNoticeError::Inner(XmlError::Encoding))
}

fn refusal(error: &RefundNoticeError) -> Outcome {
    match error {
        RefundNoticeError::TooLarge => Outcome::TooLarge,
        RefundNoticeError::Unreadable(XmlError::Doctype) | RefundNoticeError::Inner(XmlError::Doctype) => {
            Outcome::Doctype
        }
        RefundNoticeError::Base64 | RefundNoticeError::Sealed(_) | RefundNoticeError::Inner(XmlError::Encoding) => {
            Outcome::SealedWrong
        }
        RefundNoticeError::Unreadable(_) | RefundNoticeError::Inner(_) => Outcome::Malformed,
        RefundNoticeError::ReturnCode => Outcome::ReturnCode,
        RefundNoticeError::Field(_) => Outcome::Field,
    }
}

fn hint(merchant: &Merchant, account: &WechatV2Account, told: RefundHint) -> Result<RefundNoticed, Outcome> {
    let digest = told.digest();
    let RefundHint { identity, transaction_id, out_trade_no, refund_id, out_refund_no, status, .. } = told;
    // Nobody signed this either; a wrong one is refused because nothing good can come of it.
    if !is_about(account, &identity) {
        return Err(Outcome::OtherAccount);
    }
    // The state is an open set: a word that WeChat adds is a reason to ask as well.
    let texts = [&transaction_id, &out_trade_no, &refund_id, status.as_str()];
    let readable = texts.into_iter().all(|text| is_printable(text, MAX_BYTES));
    if !readable || !is_printable(&out_refund_no, MAX_OUT_REFUND_NO_BYTES) || !has_app_ids(&identity) {
        return Err(Outcome::Field);
    }
    Ok(RefundNoticed {
        merchant: merchant.name.as_str().to_owned(),
        provider: merchant.provider().as_str().to_owned(),
        mch_id: identity.mch_id,
        out_refund_no,
        refund_id,
        word: status.as_str().to_owned(),
        digest,
    })
}
