use jiff::Timestamp;
use jiff::civil::Date;
use money::Fen;
use proto::event::refund_changed::State;
use proto::event::{PaymentPaid, RefundChanged};

use super::{BookError, instant, optional_text, text};

/// The provider told us that a number was paid. Whether an order took the money is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPayment {
    /// Merchant account.
    pub merchant: String,
    /// Which provider.
    pub provider: String,
    /// Our number.
    pub out_trade_no: String,
    /// The provider's number.
    pub transaction_id: String,
    /// Order amount.
    pub amount: Fen,
    /// What the payer paid after coupons.
    pub payer_amount: Fen,
    /// As the provider says.
    pub currency: String,
    /// The provider's number of the account, as it says.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode, as the provider says; empty otherwise.
    pub sub_mch_id: String,
    /// The app, as it says.
    pub app_id: String,
    /// The provider's time of the payment.
    pub paid_time: Timestamp,
    /// Who reported it: the name of the enum value.
    pub source: String,
}

impl ProviderPayment {
    /// The bill day: civil date in Asia/Shanghai of the provider's time, never of ours.
    pub fn paid_date(&self) -> Date {
        wechat_pay::time::bill_date(self.paid_time)
    }
}

impl TryFrom<PaymentPaid> for ProviderPayment {
    type Error = BookError;

    fn try_from(event: PaymentPaid) -> Result<Self, BookError> {
        Ok(Self {
            paid_time: instant("paid_time", event.paid_time.as_ref())?,
            amount: not_negative("amount_fen", event.amount_fen)?,
            payer_amount: not_negative("payer_amount_fen", event.payer_amount_fen)?,
            source: event.source().as_str_name().to_owned(),
            merchant: text("merchant", event.merchant)?,
            provider: text("provider", event.provider)?,
            out_trade_no: text("out_trade_no", event.out_trade_no)?,
            transaction_id: text("transaction_id", event.transaction_id)?,
            currency: optional_text("currency", event.currency)?,
            mch_id: optional_text("mch_id", event.mch_id)?,
            sub_mch_id: optional_text("sub_mch_id", event.sub_mch_id)?,
            app_id: optional_text("app_id", event.app_id)?,
        })
    }
}

/// The provider told us what became of a refund. Each state of one refund is a fact of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRefund {
    /// Merchant account.
    pub merchant: String,
    /// Which provider.
    pub provider: String,
    /// The provider's number of it.
    pub refund_id: String,
    /// `SUCCEEDED`, `ABNORMAL` or `CLOSED`.
    pub state: &'static str,
    /// Our number of it.
    pub out_refund_no: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// What goes back.
    pub amount: Fen,
    /// The provider's number of the account, as it says.
    pub mch_id: String,
    /// When the money was back, if it is.
    pub success_time: Option<Timestamp>,
    /// Who reported it: the name of the enum value.
    pub source: String,
}

impl TryFrom<RefundChanged> for ProviderRefund {
    type Error = BookError;

    fn try_from(event: RefundChanged) -> Result<Self, BookError> {
        let state = match event.state() {
            State::Succeeded => "SUCCEEDED",
            State::Abnormal => "ABNORMAL",
            State::Closed => "CLOSED",
            State::Unspecified => return Err(BookError::Field("state")),
        };
        let success_time = event.success_time.as_ref();
        Ok(Self {
            success_time: success_time.map(|at| instant("success_time", Some(at))).transpose()?,
            amount: not_negative("amount_fen", event.amount_fen)?,
            source: event.source().as_str_name().to_owned(),
            state,
            merchant: text("merchant", event.merchant)?,
            provider: text("provider", event.provider)?,
            refund_id: text("refund_id", event.refund_id)?,
            out_refund_no: text("out_refund_no", event.out_refund_no)?,
            transaction_id: optional_text("transaction_id", event.transaction_id)?,
            out_trade_no: optional_text("out_trade_no", event.out_trade_no)?,
            mch_id: optional_text("mch_id", event.mch_id)?,
        })
    }
}

/// What the provider says is booked as it is, also when it is about nothing of ours; only nonsense is refused.
fn not_negative(field: &'static str, fen: i64) -> Result<Fen, BookError> {
    if 0 <= fen { Ok(Fen::new(fen)) } else { Err(BookError::Field(field)) }
}
