use jiff::Timestamp;
use jiff::civil::Date;
use money::Fen;
use proto::event::PaymentPaid;

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
        // What the provider says is booked as it is, also when no order will ever take it; only nonsense is refused.
        let not_negative = |field, fen| if 0 <= fen { Ok(Fen::new(fen)) } else { Err(BookError::Field(field)) };
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
