//! A payment that WeChat says it took, in the fields that notices and order queries share.

use jiff::Timestamp;
use money::Fen;

use super::fields::FieldProblem;
use super::{FieldError, Fields, Identity, OpenId};

/// The only currency of mainland merchants, and what an absent `fee_type` means.
pub(crate) const CNY: &str = "CNY";

/// A payment, as a notice or a query describes it. Evidence only as far as the message it was read from is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// WeChat's number.
    pub transaction_id: String,
    /// Our number.
    pub out_trade_no: String,
    /// The amount of the order. This is what is compared, never `cash_fee` or `settlement_total_fee`.
    pub total_fee: Fen,
    /// `total_fee` minus coupons the merchant did not prepay; present only when there were such coupons, and
    /// readable.
    pub settlement_total_fee: Option<Fen>,
    /// What the user paid after coupons, when it is told in a readable form; see [`Payment::payer_amount`].
    pub cash_fee: Option<Fen>,
    /// All coupons together, when it is told in a readable form.
    pub coupon_fee: Option<Fen>,
    /// Currency of the order, `CNY` when WeChat leaves it out.
    pub fee_type: String,
    /// When the user paid.
    pub time_end: Timestamp,
    /// The payer under `appid`.
    pub openid: Option<OpenId>,
    /// The payer under `sub_appid`.
    pub sub_openid: Option<OpenId>,
    /// `JSAPI`, `NATIVE`, `APP`, `MWEB`, `MICROPAY`, `FACEPAY`, …: an open set.
    pub trade_type: Option<String>,
    /// Where the money came from: an open set (`OTHERS`, `CFT`, `ICBC_DEBIT`, …).
    pub bank_type: Option<String>,
    /// What the order carried along.
    pub attach: Option<String>,
}

impl Payment {
    /// Reads a payment out of verified fields. The amounts that only explain `total_fee` are `None` when they are malformed:
    /// the money came all the same.
    ///
    /// # Errors
    /// [`FieldError`] when a number, the amount or the time is absent or malformed.
    pub fn parse(fields: &Fields) -> Result<Payment, FieldError> {
        let text = |name| fields.text(name).map(str::to_owned);
        Ok(Payment {
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            total_fee: fields.required_fen("total_fee")?,
            settlement_total_fee: fields.fen_told("settlement_total_fee"),
            cash_fee: fields.fen_told("cash_fee"),
            coupon_fee: fields.fen_told("coupon_fee"),
            fee_type: fields.text("fee_type").unwrap_or(CNY).to_owned(),
            time_end: fields.time_14("time_end")?.ok_or_else(|| FieldError::new("time_end", FieldProblem::Missing))?,
            openid: fields.text("openid").map(OpenId::new),
            sub_openid: fields.text("sub_openid").map(OpenId::new),
            trade_type: text("trade_type"),
            bank_type: text("bank_type"),
            attach: text("attach"),
        })
    }

    /// What the user paid: `cash_fee`; without it what the coupons leave of `total_fee`; without them `total_fee`. Coupons
    /// worth more than the order explain nothing and are left out.
    pub fn payer_amount(&self) -> Fen {
        let after_coupons = || self.total_fee.checked_sub(self.coupon_fee?).filter(|left| Fen::ZERO <= *left);
        self.cash_fee.or_else(after_coupons).unwrap_or(self.total_fee)
    }
}

/// Reads the identity of a message that must carry one.
pub(crate) fn identity(fields: &Fields) -> Result<Identity, FieldError> {
    Ok(Identity {
        appid: fields.required("appid")?.to_owned(),
        mch_id: fields.required("mch_id")?.to_owned(),
        sub_appid: fields.text("sub_appid").map(str::to_owned),
        sub_mch_id: fields.text("sub_mch_id").map(str::to_owned),
    })
}
