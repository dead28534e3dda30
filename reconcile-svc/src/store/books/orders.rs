use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::books::OrderNote;

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
