use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::books::{Failure, RefundNote};

/// Notes what an event tells about a refund, in whatever order events come.
///
/// Of several failures the one that knows most stays: money that bounced may be given up later, and what was accepted was not
/// rejected.
pub async fn note_refund(conn: &mut PgConnection, note: &RefundNote) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO book_refunds (merchant, out_refund_no, refund, order_id, app, out_trade_no, transaction_id, mch_id,
             amount_fen, cause, refund_id, create_time, accept_time, accept_date, success_time, failed_as)
         VALUES ($1, $2, $3, $4, $5, COALESCE($6, ''), COALESCE($7, ''), COALESCE($8, ''), $9, $10, $11, $12, $13, $14, $15,
             $16)
         ON CONFLICT (merchant, out_refund_no) DO UPDATE SET
             out_trade_no = COALESCE(NULLIF(book_refunds.out_trade_no, ''), EXCLUDED.out_trade_no),
             transaction_id = COALESCE(NULLIF(book_refunds.transaction_id, ''), EXCLUDED.transaction_id),
             mch_id = COALESCE(NULLIF(book_refunds.mch_id, ''), EXCLUDED.mch_id),
             refund_id = COALESCE(book_refunds.refund_id, EXCLUDED.refund_id),
             create_time = COALESCE(book_refunds.create_time, EXCLUDED.create_time),
             accept_time = COALESCE(book_refunds.accept_time, EXCLUDED.accept_time),
             accept_date = COALESCE(book_refunds.accept_date, EXCLUDED.accept_date),
             success_time = COALESCE(book_refunds.success_time, EXCLUDED.success_time),
             failed_as = CASE
                 WHEN 'CLOSED' IN (book_refunds.failed_as, EXCLUDED.failed_as) THEN 'CLOSED'
                 WHEN 'ABNORMAL' IN (book_refunds.failed_as, EXCLUDED.failed_as) THEN 'ABNORMAL'
                 ELSE COALESCE(book_refunds.failed_as, EXCLUDED.failed_as) END",
        note.merchant,
        note.out_refund_no,
        note.refund,
        note.order_id,
        note.app,
        note.out_trade_no.as_deref(),
        note.transaction_id.as_deref(),
        note.mch_id.as_deref(),
        note.amount.get(),
        note.cause.as_str(),
        note.refund_id.as_deref(),
        note.happened.create_time().map(Timestamp::to_sqlx) as _,
        note.happened.accept_time().map(Timestamp::to_sqlx) as _,
        note.happened.accept_date().map(jiff::civil::Date::to_sqlx) as _,
        note.happened.success_time().map(Timestamp::to_sqlx) as _,
        note.happened.failed_as().map(Failure::as_str),
    )
    .execute(conn)
    .await?;
    Ok(())
}
