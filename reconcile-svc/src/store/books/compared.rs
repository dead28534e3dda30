//! What the comparison of payments alone reads.

use futures::TryStreamExt as _;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::PgConnection;

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
