//! Native mode 1: WeChat asks which prepaid order belongs to a product code that was scanned.
//!
//! Unlike a notice it is about the present, so the app must be one of the account's: a code of an app that was taken out of
//! the file sells nothing any more.
//!
//! Source: WeChat Pay v2 docs, "Native payment, mode 1", read 2026-08.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use merchants::{Merchant, WechatV2Account};
use proto::order::v1::NativeScan as Question;
use uuid::Uuid;
use wechat_pay::v2::native_scan::{self, NativeScan, NativeScanAnswer, NativeScanError};
use wechat_pay::v2::sign::SignError;
use wechat_pay::v2::xml::XmlError;
use wechat_pay::v2::{ApiKey, Identity, SignType};

use super::answer::xml;
use super::{MAX_BYTES, has_app_ids, is_about, is_of_another_key, is_printable};
use crate::outcome::Outcome;
use crate::scans::Said;

/// Longest openid.
const MAX_OPENID_BYTES: usize = 128;

/// What the payer reads when nobody answered us in time: "The shop is busy; please scan again in a moment."
const BUSY: &str = "商家系统繁忙，请稍后重新扫码";

/// A verified scan, and what its answer needs.
#[derive(Debug)]
pub(crate) struct Scan {
    /// What is asked on the bus.
    pub(crate) question: Question,
    identity: Identity,
    /// The key that the question was signed with: in the middle of a key change, WeChat has that one.
    key: ApiKey,
    /// And the type.
    sign_type: SignType,
}

/// Verifies and reads one question with the account's keys, in either sign type: no order has pinned one yet, the code on the wall
/// names none, and WeChat asks in a type of its own choice.
///
/// A pin refuses genuine signatures that were made for something else. None of those can be read as a question, which needs
/// `openid`, `product_id` and `nonce_str` together: a code on the wall is signed without `openid`, an invocation without
/// `product_id`, and a request that has all three goes to WeChat alone. No part of ours signs for strangers what they write
/// (`payctl verify` does not show such signatures), so whoever has one over these fields knows the key, and with that both types.
pub(in crate::providers) fn read(merchant: &Merchant, account: &WechatV2Account, body: &[u8]) -> Result<Scan, Outcome> {
    let (scan, key) = verified(account, body).map_err(|error| refusal(&error))?;
    let NativeScan { identity, openid, product_id, nonce, sign_type } = scan;
    if !is_about(account, &identity) || merchant.app(&identity.appid).is_none() {
        return Err(Outcome::OtherAccount);
    }
    let is_openid = is_printable(openid.as_str(), MAX_OPENID_BYTES);
    let is_text = |text: &str| is_printable(text, MAX_BYTES);
    if !is_openid || !has_app_ids(&identity) || !is_text(&product_id) || !is_text(&nonce) {
        return Err(Outcome::Field);
    }
    let question = Question {
        merchant: merchant.name.as_str().to_owned(),
        provider: merchant.provider().as_str().to_owned(),
        mch_id: identity.mch_id.clone(),
        app_id: identity.appid.clone(),
        openid: openid.into_string(),
        product_id,
        nonce_str: nonce,
    };
    Ok(Scan { question, identity, key: key.clone(), sign_type })
}

/// Tries the key in force, then the one before it while keys are being changed.
fn verified<'a>(account: &'a WechatV2Account, body: &[u8]) -> Result<(NativeScan, &'a ApiKey), NativeScanError> {
    let read = |key: &'a ApiKey| native_scan::read(body, key, &SignType::ALL).map(|scan| (scan, key));
    let first = read(&account.api_key);
    let Err(NativeScanError::BadSign(error)) = &first else { return first };
    let Some(previous) = account.previous_api_key.as_ref().filter(|_| is_of_another_key(*error)) else { return first };
    match read(previous) {
        Err(NativeScanError::BadSign(error)) if is_of_another_key(error) => first,
        with_previous => with_previous,
    }
}

fn refusal(error: &NativeScanError) -> Outcome {
    match error {
        NativeScanError::TooLarge => Outcome::TooLarge,
        NativeScanError::Unreadable(XmlError::Doctype) => Outcome::Doctype,
        NativeScanError::Unreadable(_) => Outcome::Malformed,
        NativeScanError::BadSign(SignError::Missing | SignError::Empty) => Outcome::Unsigned,
        NativeScanError::BadSign(SignError::Length { .. } | SignError::Mismatch) => Outcome::SignWrong,
        NativeScanError::BadSign(SignError::NotPinned { .. }) => Outcome::SignTypeGenuine,
        NativeScanError::Field(_) => Outcome::Field,
    }
}

/// The signed answer. It is always 200: the payer looks at the phone, and WeChat shows nothing of any other status.
pub(in crate::providers) fn answer(scan: &Scan, said: &Said) -> Response<Full<Bytes>> {
    let told = match said {
        Said::Prepaid(prepay_id) => NativeScanAnswer::Prepaid(prepay_id),
        Said::Refusal(words) if !words.trim().is_empty() => NativeScanAnswer::Refused(words),
        Said::Refusal(_) | Said::Nothing(_) => NativeScanAnswer::Refused(BUSY),
    };
    let nonce = Uuid::new_v4().simple().to_string();
    xml(native_scan::answer(&scan.identity, &nonce, told, &scan.key, scan.sign_type))
}
