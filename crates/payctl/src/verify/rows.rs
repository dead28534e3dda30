//! Rows of order-svc's database, as far as the rules look at them.

use jiff::Timestamp;
use uuid::Uuid;

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OrderRow {
    /// Its id.
    pub order_id: Uuid,
    /// The account that gets the money.
    pub merchant: String,
    /// Its price.
    pub amount_fen: i64,
    /// PENDING, PAID, `PARTIALLY_REFUNDED`, REFUNDED or CLOSED.
    pub state: String,
    /// Grows by one at each change.
    pub version: i64,
    /// The payment that paid it.
    pub paid_payment_id: Option<Uuid>,
    /// When it was written, by the service's clock.
    #[sqlx(try_from = "Option<jiff_sqlx::Timestamp>")]
    pub create_time: Instant,
}

/// A payment: one attempt to pay an order.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column, whatever the others are")]
pub struct PaymentRow {
    /// Its id; the hex digits are the provider's `out_trade_no`.
    pub payment_id: Uuid,
    /// What it pays.
    pub order_id: Uuid,
    /// The account that gets the money.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The app whose cashier opened.
    pub app_id: String,
    /// What must be paid.
    pub amount_fen: i64,
    /// CREATED, PENDING, SUCCEEDED, CLOSED or FAILED.
    pub state: String,
    /// How often the provider was asked to accept it.
    pub sends: i32,
    /// The provider's number of the payment.
    pub transaction_id: Option<String>,
    /// The provider's time of the payment.
    #[sqlx(try_from = "Option<jiff_sqlx::Timestamp>")]
    pub paid_time: Instant,
    /// The order could not keep the money.
    pub surplus: bool,
    /// A person decides about the surplus.
    pub surplus_held: bool,
    /// The provider says that it was paid, but not what was asked for: a person looks at it, and its order goes on without it.
    pub disputed: bool,
    /// A pay code or a face that is being taken back at the provider, or was.
    pub reversing: bool,
    /// What is back with the payer.
    pub refunded_fen: i64,
    /// What is on its way back.
    pub refunding_fen: i64,
}

impl PaymentRow {
    /// The number by which the provider knows it.
    pub fn out_trade_no(&self) -> String {
        self.payment_id.simple().to_string()
    }

    /// Whether it is a charge that the provider is asked to take back, and about which it is still asked.
    pub fn is_being_taken_back(&self) -> bool {
        self.reversing && matches!(self.state.as_str(), "CREATED" | "PENDING")
    }

    /// Whether it is a charge that has ended without money after the provider was asked to take it back.
    pub fn was_taken_back(&self) -> bool {
        self.reversing && matches!(self.state.as_str(), "CLOSED" | "FAILED")
    }

    /// Whether the order keeps its money.
    pub fn is_kept(&self) -> bool {
        self.state == "SUCCEEDED" && !self.surplus
    }
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RefundRow {
    /// Its id; the hex digits are the provider's `out_refund_no`, unless the provider's console has made it.
    pub refund_id: Uuid,
    /// Whose money goes back.
    pub order_id: Uuid,
    /// Which payment it was.
    pub payment_id: Uuid,
    /// The account that gives it back.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// What was paid.
    pub total_fen: i64,
    /// What goes back.
    pub amount_fen: i64,
    /// REQUESTED, SURPLUS or EXTERNAL.
    pub cause: String,
    /// CREATED, PROCESSING, SUCCEEDED, ABNORMAL, CLOSED or REJECTED.
    pub state: String,
    /// What a CREATED one waits for: ANSWER, BALANCE, CONFIGURATION, RATE; `None` when for nothing.
    pub waiting: Option<String>,
    /// How often the provider was asked for it.
    pub sends: i32,
    /// The provider's number of the refund.
    pub provider_refund_id: Option<String>,
    /// The number of one that was made in the provider's console.
    pub external_no: Option<String>,
}

impl RefundRow {
    /// The number by which the provider knows it.
    pub fn out_refund_no(&self) -> String {
        self.external_no.clone().unwrap_or_else(|| self.refund_id.simple().to_string())
    }
}

/// What reconciliation asked order-svc for about a difference.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RepairRow {
    /// Its id.
    pub repair_id: Uuid,
    /// The difference.
    pub discrepancy_id: Uuid,
    /// Whose account it is.
    pub merchant: String,
    /// What came of it; `None` while it waits.
    pub outcome: Option<String>,
}

/// One change of state, as triggers of the database have written it down.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ChangeRow {
    /// Its place among all changes.
    pub seq: i64,
    /// "order", "payment" or "refund".
    pub entity: String,
    /// Which one.
    pub id: Uuid,
    /// The order it belongs to.
    pub order_id: Uuid,
    /// The order's version; only for orders.
    pub version: Option<i64>,
    /// `None` when it was written first.
    pub from_state: Option<String>,
    /// The state after it.
    pub to_state: String,
}

/// Every change of state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The changes, oldest first.
    pub changes: Vec<ChangeRow>,
    /// Since when changes are written down, by the database's clock. What is older began without them.
    pub begun: Option<Timestamp>,
}

/// A time that may not be there, as the database has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instant(pub Option<Timestamp>);

impl From<Option<jiff_sqlx::Timestamp>> for Instant {
    fn from(time: Option<jiff_sqlx::Timestamp>) -> Self {
        Self(time.map(jiff_sqlx::Timestamp::to_jiff))
    }
}
