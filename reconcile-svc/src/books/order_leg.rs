use jiff::Timestamp;
use jiff::civil::Date;
use money::Fen;
use proto::event::{OrderClosed, OrderCreated, OrderPaid, PaymentCreated, PaymentSurplus};
use uuid::Uuid;

use super::{BookError, amount, id, instant, text, told};

/// What an event tells about an order itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderNote {
    /// Which order.
    pub order_id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// The calling team.
    pub app: String,
    /// The team's own number.
    pub order_no: String,
    /// Its price.
    pub amount: Fen,
    /// When it was created, if this event knows.
    pub create_time: Option<Timestamp>,
    /// When it was closed, if this event knows.
    pub close_time: Option<Timestamp>,
}

/// A number was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedPayment {
    /// Merchant account.
    pub merchant: String,
    /// The number.
    pub out_trade_no: String,
    /// Which attempt.
    pub payment_id: Uuid,
    /// Of which order.
    pub order_id: Uuid,
    /// The calling team.
    pub app: String,
    /// What was asked for.
    pub amount: Fen,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode.
    pub sub_mch_id: Option<String>,
    /// The app that opens the cashier; `None` when an earlier release did not say.
    pub app_id: Option<String>,
    /// How it is paid: `mini_program`, …
    pub method: Option<String>,
    /// When.
    pub issue_time: Timestamp,
}

/// Money was accepted for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPayment {
    /// Merchant account.
    pub merchant: String,
    /// The number.
    pub out_trade_no: String,
    /// Which attempt.
    pub payment_id: Uuid,
    /// Of which order.
    pub order_id: Uuid,
    /// The calling team.
    pub app: String,
    /// As what.
    pub taken_as: TakenAs,
    /// How much.
    pub amount: Fen,
    /// The provider's number.
    pub transaction_id: String,
    /// The provider's time of the payment.
    pub paid_time: Timestamp,
}

/// What order-svc did with the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenAs {
    /// It pays the order.
    Paid,
    /// The order was closed or already paid.
    Surplus,
}

impl TakenAs {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            TakenAs::Paid => "PAID",
            TakenAs::Surplus => "SURPLUS",
        }
    }
}

impl TakenPayment {
    /// The bill day: civil date in Asia/Shanghai of the provider's time, never of ours.
    pub fn paid_date(&self) -> Date {
        wechat_pay::time::bill_date(self.paid_time)
    }
}

impl TryFrom<OrderCreated> for OrderNote {
    type Error = BookError;

    fn try_from(event: OrderCreated) -> Result<Self, BookError> {
        Ok(Self {
            order_id: id("order", &event.order)?,
            create_time: Some(instant("create_time", event.create_time.as_ref())?),
            close_time: None,
            merchant: text("merchant", event.merchant)?,
            app: text("app", event.app)?,
            order_no: text("order_no", event.order_no)?,
            amount: amount("amount_fen", event.amount_fen)?,
        })
    }
}

impl TryFrom<OrderClosed> for OrderNote {
    type Error = BookError;

    fn try_from(event: OrderClosed) -> Result<Self, BookError> {
        Ok(Self {
            order_id: id("order", &event.order)?,
            create_time: None,
            close_time: Some(instant("close_time", event.close_time.as_ref())?),
            merchant: text("merchant", event.merchant)?,
            app: text("app", event.app)?,
            order_no: text("order_no", event.order_no)?,
            amount: amount("amount_fen", event.amount_fen)?,
        })
    }
}

impl TryFrom<PaymentCreated> for IssuedPayment {
    type Error = BookError;

    fn try_from(event: PaymentCreated) -> Result<Self, BookError> {
        Ok(Self {
            payment_id: id("payment", &event.payment)?,
            order_id: id("order", &event.order)?,
            issue_time: instant("create_time", event.create_time.as_ref())?,
            merchant: text("merchant", event.merchant)?,
            out_trade_no: text("out_trade_no", event.out_trade_no)?,
            app: text("app", event.app)?,
            amount: amount("amount_fen", event.amount_fen)?,
            mch_id: text("mch_id", event.mch_id)?,
            sub_mch_id: told("sub_mch_id", event.sub_mch_id)?,
            app_id: told("app_id", event.app_id)?,
            method: told("method", event.method)?,
        })
    }
}

impl TryFrom<OrderPaid> for TakenPayment {
    type Error = BookError;

    fn try_from(event: OrderPaid) -> Result<Self, BookError> {
        Ok(Self {
            payment_id: id("payment", &event.payment)?,
            order_id: id("order", &event.order)?,
            paid_time: instant("paid_time", event.paid_time.as_ref())?,
            taken_as: TakenAs::Paid,
            merchant: text("merchant", event.merchant)?,
            out_trade_no: text("out_trade_no", event.out_trade_no)?,
            app: text("app", event.app)?,
            amount: amount("amount_fen", event.amount_fen)?,
            transaction_id: text("transaction_id", event.transaction_id)?,
        })
    }
}

impl TryFrom<PaymentSurplus> for TakenPayment {
    type Error = BookError;

    fn try_from(event: PaymentSurplus) -> Result<Self, BookError> {
        Ok(Self {
            payment_id: id("payment", &event.payment)?,
            order_id: id("order", &event.order)?,
            paid_time: instant("paid_time", event.paid_time.as_ref())?,
            taken_as: TakenAs::Surplus,
            merchant: text("merchant", event.merchant)?,
            out_trade_no: text("out_trade_no", event.out_trade_no)?,
            app: text("app", event.app)?,
            amount: amount("amount_fen", event.amount_fen)?,
            transaction_id: text("transaction_id", event.transaction_id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid_at(paid_time: &str) -> OrderPaid {
        let paid_time: Timestamp = paid_time.parse().expect("an instant");
        OrderPaid {
            order: "orders/01980000-0000-7000-8000-000000000001".into(),
            payment: "orders/01980000-0000-7000-8000-000000000001/payments/01980000-0000-7000-8000-000000000002".into(),
            app: "shop".into(),
            order_no: "A-1".into(),
            merchant: "acme-mini".into(),
            amount_fen: 100,
            out_trade_no: "01980000000070008000000000000002".into(),
            transaction_id: "4200".into(),
            provider: "wechat-v2".into(),
            paid_time: Some(proto::time::to_wire(paid_time)),
            ..Default::default()
        }
    }

    #[test]
    fn two_seconds_before_midnight_in_beijing_belong_to_the_day_that_ends() {
        let taken = TakenPayment::try_from(paid_at("2026-11-20T15:59:58Z")).expect("a whole event");
        assert_eq!(taken.paid_date(), jiff::civil::date(2026, 11, 20));
    }

    #[test]
    fn midnight_in_beijing_begins_the_next_day() {
        let taken = TakenPayment::try_from(paid_at("2026-11-20T16:00:00Z")).expect("a whole event");
        assert_eq!(taken.paid_date(), jiff::civil::date(2026, 11, 21));
    }

    #[test]
    fn an_event_without_its_time_or_with_no_amount_can_never_be_booked() {
        let event = OrderPaid { paid_time: None, ..paid_at("2026-11-20T16:00:00Z") };
        assert_eq!(TakenPayment::try_from(event), Err(BookError::Field("paid_time")));
        let event = OrderPaid { amount_fen: 0, ..paid_at("2026-11-20T16:00:00Z") };
        assert_eq!(TakenPayment::try_from(event), Err(BookError::Field("amount_fen")));
        let event = OrderPaid { out_trade_no: "a\0b".into(), ..paid_at("2026-11-20T16:00:00Z") };
        assert_eq!(TakenPayment::try_from(event), Err(BookError::Field("out_trade_no")));
    }
}
