use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

/// An order as order-svc's database has it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OrderRow {
    /// Its id.
    pub order_id: Uuid,
    /// The account that gets the money.
    pub merchant: String,
    /// Its price.
    pub amount_fen: i64,
    /// PENDING, PAID or CLOSED.
    pub state: String,
    /// The payment that paid it.
    pub paid_payment_id: Option<Uuid>,
}

/// An attempt as order-svc's database has it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PaymentRow {
    /// Its id; the hex digits are WeChat's `out_trade_no`.
    pub payment_id: Uuid,
    /// What it pays.
    pub order_id: Uuid,
    /// The account that gets the money.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// WeChat's number of the account.
    pub mch_id: String,
    /// The app whose cashier opened.
    pub app_id: String,
    /// What must be paid.
    pub amount_fen: i64,
    /// CREATED, PENDING, SUCCEEDED, CLOSED or FAILED.
    pub state: String,
    /// WeChat's number of the payment.
    pub transaction_id: Option<String>,
    /// WeChat's time of the payment.
    #[sqlx(try_from = "Option<jiff_sqlx::Timestamp>")]
    pub paid_time: PaidTime,
    /// The order could not keep the money.
    pub surplus: bool,
    /// WeChat says that it was paid, but not what was asked for: a person looks at it, and its order goes on without it.
    pub disputed: bool,
}

/// A time that may not be there, as the database has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaidTime(pub Option<Timestamp>);

impl From<Option<jiff_sqlx::Timestamp>> for PaidTime {
    fn from(time: Option<jiff_sqlx::Timestamp>) -> Self {
        Self(time.map(jiff_sqlx::Timestamp::to_jiff))
    }
}

impl PaymentRow {
    /// The number by which WeChat knows it.
    pub fn out_trade_no(&self) -> String {
        self.payment_id.simple().to_string()
    }
}

/// Orders, attempts, and how many events wait, all of one moment.
pub(super) async fn read(conn: &mut PgConnection) -> sqlx::Result<(Vec<OrderRow>, Vec<PaymentRow>, i64)> {
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *conn).await?;
    let orders = sqlx::query_as("SELECT order_id, merchant, amount_fen, state, paid_payment_id FROM orders");
    let orders = orders.fetch_all(&mut *conn).await?;
    let payments = sqlx::query_as(
        "SELECT payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, state, transaction_id, paid_time, surplus,
                disputed_at IS NOT NULL AS disputed FROM payments",
    );
    let payments = payments.fetch_all(&mut *conn).await?;
    let waiting = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&mut *conn).await?;
    sqlx::query("COMMIT").execute(conn).await?;
    Ok((orders, payments, waiting))
}
