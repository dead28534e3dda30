//! Legs O and E. Every write fills what its event knows and never empties or changes what is there, so events may come
//! twice and in any order.

use futures::TryStreamExt as _;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::PgConnection;

use crate::books::{IssuedPayment, OrderNote, ProviderPayment, TakenPayment};
use crate::engine::{BookPayment, Issued, Key};

/// Most payments of one merchant's day that are compared in memory; about 300 bytes each.
pub const MAX_PAYMENTS_OF_A_DAY: usize = 2_000_000;

/// Why a day's books cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The database did not answer.
    #[error("the books cannot be read")]
    Database(#[from] sqlx::Error),
    /// More than [`MAX_PAYMENTS_OF_A_DAY`].
    #[error("the day has more than {MAX_PAYMENTS_OF_A_DAY} payments")]
    TooMany,
}

/// Notes an order.
pub async fn note_order(conn: &mut PgConnection, order: &OrderNote) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO book_orders (order_id, merchant, app, order_no, amount_fen, create_time, close_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (order_id) DO UPDATE SET
             create_time = COALESCE(book_orders.create_time, EXCLUDED.create_time),
             close_time = COALESCE(book_orders.close_time, EXCLUDED.close_time)",
        order.order_id,
        order.merchant,
        order.app,
        order.order_no,
        order.amount.get(),
        order.create_time.map(Timestamp::to_sqlx) as _,
        order.close_time.map(Timestamp::to_sqlx) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a number that was given out.
pub async fn note_issued(conn: &mut PgConnection, issued: &IssuedPayment) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO book_payments (merchant, out_trade_no, payment_id, order_id, app, issued_amount_fen, mch_id, issue_time,
             sub_mch_id, app_id, method)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (merchant, out_trade_no) DO UPDATE SET
             issued_amount_fen = COALESCE(book_payments.issued_amount_fen, EXCLUDED.issued_amount_fen),
             mch_id = COALESCE(book_payments.mch_id, EXCLUDED.mch_id),
             issue_time = COALESCE(book_payments.issue_time, EXCLUDED.issue_time),
             sub_mch_id = COALESCE(book_payments.sub_mch_id, EXCLUDED.sub_mch_id),
             app_id = COALESCE(book_payments.app_id, EXCLUDED.app_id),
             method = COALESCE(book_payments.method, EXCLUDED.method)",
        issued.merchant,
        issued.out_trade_no,
        issued.payment_id,
        issued.order_id,
        issued.app,
        issued.amount.get(),
        issued.mch_id,
        issued.issue_time.to_sqlx() as _,
        issued.sub_mch_id.as_deref(),
        issued.app_id.as_deref(),
        issued.method.as_deref(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes money that was accepted. The first word about a payment stays: it is taken once.
pub async fn note_taken(conn: &mut PgConnection, taken: &TakenPayment) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO book_payments (merchant, out_trade_no, payment_id, order_id, app,
             taken_as, taken_amount_fen, transaction_id, paid_time, paid_date)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (merchant, out_trade_no) DO UPDATE SET
             taken_as = EXCLUDED.taken_as, taken_amount_fen = EXCLUDED.taken_amount_fen,
             transaction_id = EXCLUDED.transaction_id, paid_time = EXCLUDED.paid_time, paid_date = EXCLUDED.paid_date
         WHERE book_payments.taken_as IS NULL",
        taken.merchant,
        taken.out_trade_no,
        taken.payment_id,
        taken.order_id,
        taken.app,
        taken.taken_as.as_str(),
        taken.amount.get(),
        taken.transaction_id,
        taken.paid_time.to_sqlx() as _,
        taken.paid_date().to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes what the provider told. A fact is the same whoever reports it, so the first report stays.
pub async fn note_provider_payment(conn: &mut PgConnection, told: &ProviderPayment) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO provider_payments (merchant, provider, transaction_id, out_trade_no, amount_fen, payer_amount_fen,
             currency, mch_id, app_id, paid_time, paid_date, source, sub_mch_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (merchant, provider, transaction_id) DO NOTHING",
        told.merchant,
        told.provider,
        told.transaction_id,
        told.out_trade_no,
        told.amount.get(),
        told.payer_amount.get(),
        told.currency,
        told.mch_id,
        told.app_id,
        told.paid_time.to_sqlx() as _,
        told.paid_date().to_sqlx() as _,
        told.source,
        told.sub_mch_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Payments that our books have on `day`, and for each the other day whose current run has it in its bill.
pub async fn payments_of_day(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
) -> Result<Vec<BookPayment>, BooksError> {
    let mut rows = sqlx::query!(
        r#"SELECT b.out_trade_no AS "out_trade_no!", b.transaction_id AS "transaction_id!", b.issued_amount_fen,
                  b.order_amount_fen, b.fact_amount_fen, b.paid_date AS "paid_date!",
                  (SELECT MIN(r.bill_date) FROM run_boundary_matches m JOIN runs r USING (run_id)
                   WHERE m.merchant = b.merchant AND m.out_trade_no = b.out_trade_no
                     AND m.transaction_id = b.transaction_id AND r.current AND r.bill_date <> $2) AS billed_on
           FROM book_paid b WHERE b.merchant = $1 AND b.paid_date = $2"#,
        merchant,
        day.to_sqlx() as _,
    )
    .fetch(conn);
    let mut payments = Vec::new();
    while let Some(row) = rows.try_next().await? {
        if payments.len() == MAX_PAYMENTS_OF_A_DAY {
            return Err(BooksError::TooMany);
        }
        payments.push(BookPayment {
            key: Key { out_trade_no: row.out_trade_no, transaction_id: row.transaction_id },
            issued_amount: row.issued_amount_fen.map(Fen::new),
            order_amount: row.order_amount_fen.map(Fen::new),
            fact_amount: row.fact_amount_fen.map(Fen::new),
            paid_date: row.paid_date.to_jiff(),
            billed_on: row.billed_on.map(jiff_sqlx::Date::to_jiff),
        });
    }
    Ok(payments)
}

/// Payments with one of these numbers that our books have on another day than `day`.
pub async fn payments_of_other_days(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    numbers: &[String],
) -> sqlx::Result<Vec<BookPayment>> {
    let rows = sqlx::query!(
        r#"SELECT b.out_trade_no AS "out_trade_no!", b.transaction_id AS "transaction_id!", b.issued_amount_fen,
                  b.order_amount_fen, b.fact_amount_fen, b.paid_date AS "paid_date!"
           FROM book_paid b WHERE b.merchant = $1 AND b.paid_date <> $2 AND b.out_trade_no = ANY($3)"#,
        merchant,
        day.to_sqlx() as _,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| BookPayment {
            key: Key { out_trade_no: row.out_trade_no, transaction_id: row.transaction_id },
            issued_amount: row.issued_amount_fen.map(Fen::new),
            order_amount: row.order_amount_fen.map(Fen::new),
            fact_amount: row.fact_amount_fen.map(Fen::new),
            paid_date: row.paid_date.to_jiff(),
            billed_on: None,
        })
        .collect())
}

/// Which of these numbers we gave out, and for how much.
pub async fn issued(conn: &mut PgConnection, merchant: &str, numbers: &[String]) -> sqlx::Result<Vec<Issued>> {
    let rows = sqlx::query!(
        r#"SELECT out_trade_no, COALESCE(issued_amount_fen, taken_amount_fen) AS "amount_fen!"
           FROM book_payments WHERE merchant = $1 AND out_trade_no = ANY($2)"#,
        merchant,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Issued { out_trade_no: row.out_trade_no, amount: Fen::new(row.amount_fen) })
        .collect())
}

/// The first day on which this merchant has anything in our books; `None` when it never had.
pub async fn first_day(conn: &mut PgConnection, merchant: &str) -> sqlx::Result<Option<Date>> {
    let day = sqlx::query_scalar!("SELECT MIN(paid_date) FROM book_paid WHERE merchant = $1", merchant)
        .fetch_one(conn)
        .await?;
    Ok(day.map(jiff_sqlx::Date::to_jiff))
}
