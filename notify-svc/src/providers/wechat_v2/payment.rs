//! The payment notice.
//!
//! What is checked here needs the account alone: signature, codes, merchant number, and the form of the fields. Whether
//! number, app, amount and currency are those of an order is checked by the owner of orders, from the fact: an app that
//! was taken out of the file still has orders in flight.
//!
//! Source: WeChat Pay v2 docs, "Payment result notification", read 2026-08.

use merchants::{Merchant, WechatV2Account};
use proto::event::{PaymentPaid, Source};
use wechat_pay::v2::notice::{self, Notice, NoticeError, PaymentNotice};
use wechat_pay::v2::sign::SignError;
use wechat_pay::v2::xml::XmlError;

use super::{MAX_BYTES, is_app_id, is_printable};
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
    let Err(NoticeError::BadSign { error: SignError::Length { .. } | SignError::Mismatch, .. }) = &read else {
        return read;
    };
    let Some(previous) = &account.previous_api_key else { return read };
    match notice::read(body, previous, &pinned) {
        Err(NoticeError::BadSign { error: SignError::Length { .. } | SignError::Mismatch, .. }) => read,
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
    // Sub-merchants exist in service-provider mode only, and every account here is a direct merchant's.
    let sub_merchant = identity.sub_mch_id.is_some() || identity.sub_appid.is_some();
    if identity.mch_id != account.mch_id || sub_merchant {
        return Err(Outcome::OtherAccount);
    }
    let is_number = |text: &str| is_printable(text, MAX_BYTES);
    if !is_app_id(&identity.appid) || !is_number(&payment.transaction_id) || !is_number(&payment.out_trade_no) {
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
        mch_id: identity.mch_id,
        app_id: identity.appid,
        paid_time: Some(pbjson_types::Timestamp {
            seconds: payment.time_end.as_second(),
            nanos: payment.time_end.subsec_nanosecond(),
        }),
        trade_type: payment.trade_type.unwrap_or_default(),
        bank_type: payment.bank_type.unwrap_or_default(),
        source: Source::Notice.into(),
        ..Default::default()
    })
}
