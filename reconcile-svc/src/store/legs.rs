//! What the legs say about one difference.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::runs::InputKind;

/// Rows of one kind: a number has one or two, and a person reads no more.
const MAX_ROWS: i64 = 4;

/// A payment as order-svc told of it.
#[derive(Clone, Debug)]
pub struct OrderPayment {
    /// The team's own number of the order.
    pub order_no: Option<String>,
    /// The team.
    pub app: String,
    /// When the order was closed.
    pub close_time: Option<jiff_sqlx::Timestamp>,
    /// Our number.
    pub out_trade_no: String,
    /// What was asked for.
    pub issued_amount_fen: Option<i64>,
    /// How it was to be paid.
    pub method: Option<String>,
    /// When the number was given out.
    pub issue_time: Option<jiff_sqlx::Timestamp>,
    /// `PAID` or `SURPLUS`.
    pub taken_as: Option<String>,
    /// What was accepted.
    pub taken_amount_fen: Option<i64>,
    /// The provider's number.
    pub transaction_id: Option<String>,
    /// The provider's time.
    pub paid_time: Option<jiff_sqlx::Timestamp>,
    /// The order was paid by another attempt.
    pub paid_by_other: bool,
    /// What is given back of it, or on its way back.
    pub given_back_fen: i64,
}

/// The payment with that number.
pub async fn order_payment(
    conn: &mut PgConnection,
    merchant: &str,
    out_trade_no: &str,
) -> sqlx::Result<Option<OrderPayment>> {
    sqlx::query_as!(
        OrderPayment,
        r#"SELECT o.order_no AS "order_no?", p.app, o.close_time AS "close_time?: jiff_sqlx::Timestamp", p.out_trade_no,
             p.issued_amount_fen, p.method, p.issue_time AS "issue_time?: jiff_sqlx::Timestamp", p.taken_as,
             p.taken_amount_fen, p.transaction_id, p.paid_time AS "paid_time?: jiff_sqlx::Timestamp",
             EXISTS (SELECT 1 FROM book_payments b WHERE b.order_id = p.order_id AND b.taken_as = 'PAID'
                     AND b.out_trade_no <> p.out_trade_no) AS "paid_by_other!",
             COALESCE((SELECT SUM(r.amount_fen) FROM book_refunds r
                       WHERE r.merchant = p.merchant AND r.out_trade_no = p.out_trade_no
                         AND r.state NOT IN ('REJECTED', 'CLOSED')), 0)::BIGINT AS "given_back_fen!"
           FROM book_payments p LEFT JOIN book_orders o USING (order_id)
           WHERE p.merchant = $1 AND p.out_trade_no = $2"#,
        merchant,
        out_trade_no,
    )
    .fetch_optional(conn)
    .await
}

/// A refund as order-svc told of it.
#[derive(Clone, Debug)]
pub struct OrderRefund {
    /// Our number.
    pub out_refund_no: String,
    /// The provider's number.
    pub refund_id: Option<String>,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// How far it is.
    pub state: String,
    /// Who wanted it.
    pub cause: String,
    /// What goes back.
    pub amount_fen: i64,
    /// When the provider accepted it.
    pub accept_time: Option<jiff_sqlx::Timestamp>,
    /// When the money was back.
    pub success_time: Option<jiff_sqlx::Timestamp>,
}

/// Refunds with one of these numbers.
pub async fn order_refunds(
    conn: &mut PgConnection,
    merchant: &str,
    out_refund_no: &str,
    refund_id: &str,
) -> sqlx::Result<Vec<OrderRefund>> {
    sqlx::query_as!(
        OrderRefund,
        r#"SELECT out_refund_no, refund_id, out_trade_no, state, cause, amount_fen,
             accept_time AS "accept_time?: jiff_sqlx::Timestamp", success_time AS "success_time?: jiff_sqlx::Timestamp"
           FROM book_refunds
           WHERE merchant = $1 AND (out_refund_no = $2 OR (refund_id = $3 AND $3 <> ''))
           ORDER BY out_refund_no LIMIT $4"#,
        merchant,
        out_refund_no,
        refund_id,
        MAX_ROWS,
    )
    .fetch_all(conn)
    .await
}

/// A payment as the provider told of it.
#[derive(Clone, Debug)]
pub struct ProviderSays {
    /// Our number.
    pub out_trade_no: String,
    /// The provider's number.
    pub transaction_id: String,
    /// Order amount.
    pub amount_fen: i64,
    /// What the payer paid after coupons.
    pub payer_amount_fen: i64,
    /// Its currency.
    pub currency: String,
    /// Whose account.
    pub mch_id: String,
    /// The provider's time.
    pub paid_time: jiff_sqlx::Timestamp,
    /// Who reported it.
    pub source: String,
}

/// Payments that the provider told of with one of these numbers.
pub async fn provider_payments(
    conn: &mut PgConnection,
    merchant: &str,
    out_trade_no: &str,
    transaction_id: &str,
) -> sqlx::Result<Vec<ProviderSays>> {
    sqlx::query_as!(
        ProviderSays,
        r#"SELECT out_trade_no, transaction_id, amount_fen, payer_amount_fen, currency, mch_id,
             paid_time AS "paid_time: jiff_sqlx::Timestamp", source
           FROM provider_payments
           WHERE merchant = $1 AND ((out_trade_no = $2 AND $2 <> '') OR (transaction_id = $3 AND $3 <> ''))
           ORDER BY paid_time LIMIT $4"#,
        merchant,
        out_trade_no,
        transaction_id,
        MAX_ROWS,
    )
    .fetch_all(conn)
    .await
}

/// A refund as the provider told of it.
#[derive(Clone, Debug)]
pub struct ProviderRefundSays {
    /// Our number.
    pub out_refund_no: String,
    /// The provider's number.
    pub refund_id: String,
    /// What became of it.
    pub state: String,
    /// What goes back.
    pub amount_fen: i64,
    /// When the money was back.
    pub success_time: Option<jiff_sqlx::Timestamp>,
    /// Who reported it.
    pub source: String,
}

/// Refunds that the provider told of with one of these numbers.
pub async fn provider_refunds(
    conn: &mut PgConnection,
    merchant: &str,
    out_refund_no: &str,
    refund_id: &str,
) -> sqlx::Result<Vec<ProviderRefundSays>> {
    sqlx::query_as!(
        ProviderRefundSays,
        r#"SELECT out_refund_no, refund_id, state, amount_fen, success_time AS "success_time?: jiff_sqlx::Timestamp", source
           FROM provider_refunds
           WHERE merchant = $1 AND ((out_refund_no = $2 AND $2 <> '') OR (refund_id = $3 AND $3 <> ''))
           ORDER BY refund_id, state LIMIT $4"#,
        merchant,
        out_refund_no,
        refund_id,
        MAX_ROWS,
    )
    .fetch_all(conn)
    .await
}

/// The order behind a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBehind {
    /// Names it.
    pub order_id: Uuid,
    /// The team.
    pub app: String,
    /// The team's own number; `None` while its event has not come.
    pub order_no: Option<String>,
}

/// The order of a payment or a refund.
pub async fn order_behind(
    conn: &mut PgConnection,
    merchant: &str,
    out_trade_no: &str,
    out_refund_no: &str,
) -> sqlx::Result<Option<OrderBehind>> {
    sqlx::query_as!(
        OrderBehind,
        r#"SELECT f.order_id AS "order_id!", f.app AS "app!", o.order_no AS "order_no?"
           FROM (SELECT order_id, app FROM book_payments WHERE merchant = $1 AND out_trade_no = $2
                 UNION SELECT order_id, app FROM book_refunds WHERE merchant = $1 AND out_refund_no = $3) AS f
           LEFT JOIN book_orders o USING (order_id) LIMIT 1"#,
        merchant,
        out_trade_no,
        out_refund_no,
    )
    .fetch_optional(conn)
    .await
}

/// The run that saw a difference last: the current one of its day before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBy {
    /// The run.
    pub run_id: Uuid,
    /// Its day.
    pub bill_date: Date,
}

/// Which run saw a difference last.
pub async fn seen_by(conn: &mut PgConnection, discrepancy: Uuid) -> sqlx::Result<Option<SeenBy>> {
    let row = sqlx::query!(
        "SELECT r.run_id, r.bill_date FROM run_differences f JOIN runs r USING (run_id)
         WHERE f.discrepancy_id = $1 ORDER BY r.current DESC, r.run_id DESC LIMIT 1",
        discrepancy,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| SeenBy { run_id: row.run_id, bill_date: row.bill_date.to_jiff() }))
}

/// An input of a run, and the file that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptInput {
    /// `READ`, `NONE` or `NOT_FETCHED`.
    pub state: String,
    /// The file; `None` when it is gone, or never was.
    pub bill_id: Option<Uuid>,
    /// Of its decompressed bytes, hex, as the run read them.
    pub sha256: String,
}

/// One input of a run; `None` in runs of earlier releases.
pub async fn input(
    conn: &mut PgConnection,
    merchant: &str,
    run: &SeenBy,
    kind: InputKind,
) -> sqlx::Result<Option<KeptInput>> {
    sqlx::query_as!(
        KeptInput,
        r#"SELECT i.state, b.bill_id AS "bill_id?", i.sha256 FROM run_inputs i
           LEFT JOIN bills b ON b.merchant = $2 AND b.bill_date = $3 AND b.kind = i.input AND b.sha256 = i.sha256
           WHERE i.run_id = $1 AND i.input = $4"#,
        run.run_id,
        merchant,
        run.bill_date.to_sqlx() as _,
        kind.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// A piece of a kept file, 0, 1, …; `None` after the last.
pub async fn piece(conn: &mut PgConnection, bill_id: Uuid, piece: i32) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("SELECT gzip FROM bill_pieces WHERE bill_id = $1 AND piece = $2", bill_id, piece)
        .fetch_optional(conn)
        .await
}

/// What an account opened and closed with, as a run saw it, and what it closed with on the day before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    /// Before the first movement, in fen.
    pub opening_fen: Option<i64>,
    /// After the last.
    pub closing_fen: Option<i64>,
    /// After the last of the day before.
    pub closing_before_fen: Option<i64>,
}

/// The balances of an account.
pub async fn balances(
    conn: &mut PgConnection,
    merchant: &str,
    run: &SeenBy,
    account: &str,
) -> sqlx::Result<Option<Balances>> {
    sqlx::query_as!(
        Balances,
        r#"SELECT a.opening_fen, a.closing_fen,
             (SELECT b.closing_fen FROM run_accounts b JOIN runs r USING (run_id)
              WHERE r.merchant = $2 AND r.bill_date = $3::DATE - 1 AND r.current AND b.account = a.account) AS closing_before_fen
           FROM run_accounts a WHERE a.run_id = $1 AND a.account = $4"#,
        run.run_id,
        merchant,
        run.bill_date.to_sqlx() as _,
        account,
    )
    .fetch_optional(conn)
    .await
}

/// A time of a row.
pub fn instant(at: Option<jiff_sqlx::Timestamp>) -> Option<Timestamp> {
    at.map(jiff_sqlx::Timestamp::to_jiff)
}
