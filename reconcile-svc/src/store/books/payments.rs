use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::books::{IssuedPayment, TakenPayment};

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

/// The first day on which this merchant has anything in our books; `None` when it never had.
pub async fn first_day(conn: &mut PgConnection, merchant: &str) -> sqlx::Result<Option<Date>> {
    let day = sqlx::query_scalar!(
        "SELECT LEAST((SELECT MIN(paid_date) FROM book_payments WHERE merchant = $1),
                      (SELECT MIN(paid_date) FROM provider_payments WHERE merchant = $1 AND currency = 'CNY'),
                      (SELECT MIN(accept_date) FROM book_refunds WHERE merchant = $1))",
        merchant,
    )
    .fetch_one(conn)
    .await?;
    Ok(day.map(jiff_sqlx::Date::to_jiff))
}
