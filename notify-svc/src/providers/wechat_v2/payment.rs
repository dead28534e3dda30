//! The payment notice.
//!
//! What is checked here needs the account alone: signature, codes, merchant number, sub-merchant, and the form of the fields.
//! Whether number, app, amount and currency are those of an order is checked by the owner of orders, from the fact: an app
//! that was taken out of the file still has orders in flight. In service-provider mode a notice without `sub_appid` is about
//! the provider's own app, and so is no payment of an order under the sub-merchant's; but one with `sub_appid` may be of an
//! order under the provider's app, which named none. So the fact tells both apps.
//!
//! Source: WeChat Pay v2 docs, "Payment result notification", read 2026-08.

use merchants::{Merchant, WechatV2Account};
use proto::event::{PaymentPaid, Source};
use wechat_pay::v2::notice::{self, Notice, NoticeError, PaymentNotice};
use wechat_pay::v2::sign::SignError;
use wechat_pay::v2::xml::XmlError;

use super::{MAX_BYTES, has_app_ids, is_about, is_of_another_key, is_printable};
use crate::outcome::Outcome;
use crate::providers::Reading;

/// Verifies and reads one notice with the account's keys and its pinned sign types; nothing in the notice chooses either.
pub(in crate::providers) fn read(
    merchant: &Merchant,
    account: &WechatV2Account,
    body: &[u8],
) -> Result<Reading, Outcome> {
    match verified(account, body).map_err(|error| refusal(&error))? {
        Notice::NotPaid => Ok(Reading::NotPaid),
        Notice::Paid(notice) => fact(merchant, account, *notice).map(|fact| Reading::Paid(Box::new(fact))),
    }
}

/// Tries the key in force, then the one before it while keys are being changed.
fn verified(account: &WechatV2Account, body: &[u8]) -> Result<Notice, NoticeError> {
    let pinned = account.notice_sign_types();
    let read = notice::read(body, &account.api_key, &pinned);
    let Err(NoticeError::BadSign { error, .. }) = &read else { return read };
    let Some(previous) = account.previous_api_key.as_ref().filter(|_| is_of_another_key(*error)) else { return read };
    match notice::read(body, previous, &pinned) {
        Err(NoticeError::BadSign { error, .. }) if is_of_another_key(error) => read,
        with_previous => with_previous,
    }
}

fn refusal(error: &NoticeError) -> Outcome {
    match error {
        NoticeError::TooLarge => Outcome::TooLarge,
        NoticeError::Unreadable(XmlError::Doctype) => Outcome::Doctype,
        NoticeError::Unreadable(_) => Outcome::Malformed,
        NoticeError::BadSign { error: SignError::Missing | SignError::Empty, .. } => Outcome::Unsigned,
        NoticeError::BadSign { error: SignError::Length { .. } | SignError::Mismatch, .. } => Outcome::SignWrong,
        NoticeError::BadSign { error: SignError::NotPinned { .. }, .. } => Outcome::SignTypeGenuine,
        NoticeError::ReturnCode => Outcome::ReturnCode,
        NoticeError::Field(_) => Outcome::Field,
    }
}

fn fact(merchant: &Merchant, account: &WechatV2Account, notice: PaymentNotice) -> Result<PaymentPaid, Outcome> {
    let PaymentNotice { identity, payment, .. } = notice;
    if !is_about(account, &identity) {
        return Err(Outcome::OtherAccount);
    }
    let is_number = |text: &str| is_printable(text, MAX_BYTES);
    if !has_app_ids(&identity) || !is_number(&payment.transaction_id) || !is_number(&payment.out_trade_no) {
        return Err(Outcome::Field);
    }
    let payer_amount = payment.payer_amount();
    Ok(PaymentPaid {
        merchant: merchant.name.as_str().to_owned(),
        provider: merchant.provider().as_str().to_owned(),
        out_trade_no: payment.out_trade_no,
        transaction_id: payment.transaction_id,
        amount_fen: payment.total_fee.get(),
        payer_amount_fen: payer_amount.get(),
        currency: payment.fee_type,
        // The app that opened the cashier, which is what an order knows.
        app_id: identity.launching_appid().to_owned(),
        mch_id: identity.mch_id,
        service_provider_app_id: identity.sub_mch_id.as_ref().map(|_| identity.appid).unwrap_or_default(),
        sub_mch_id: identity.sub_mch_id.unwrap_or_default(),
        paid_time: Some(pbjson_types::Timestamp {
            seconds: payment.time_end.as_second(),
            nanos: payment.time_end.subsec_nanosecond(),
        }),
        trade_type: payment.trade_type.unwrap_or_default(),
        bank_type: payment.bank_type.unwrap_or_default(),
        source: Source::Notice.into(),
    })
}
