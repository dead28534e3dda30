//! Money that came and that its order could not keep.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::domain::{OrderId, PaymentId};

/// Whether nobody has decided yet about a surplus, asked while its order is locked.
pub async fn is_undecided_surplus(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"SELECT surplus AND surplus_held_at IS NULL AND refunded_fen + refunding_fen < amount_fen AS "undecided!"
           FROM payments WHERE payment_id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some_and(|row| row.undecided))
}

/// Surplus payments of these merchants that nobody has decided about, oldest first.
pub async fn undecided_surplus(
    conn: &mut PgConnection,
    merchants: &[String],
    limit: i64,
) -> sqlx::Result<Vec<(PaymentId, OrderId)>> {
    let rows = sqlx::query!(
        "SELECT payment_id, order_id FROM payments
         WHERE surplus AND surplus_held_at IS NULL AND refunded_fen + refunding_fen < amount_fen AND merchant = ANY($1)
         ORDER BY payment_id LIMIT $2",
        merchants,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (PaymentId(row.payment_id), OrderId(row.order_id))).collect())
}

/// A surplus waits for a person from now on. False when it does already, or nothing of it is left.
pub async fn hold_surplus(conn: &mut PgConnection, id: PaymentId, now: Timestamp) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE payments SET surplus_held_at = $2
         WHERE payment_id = $1 AND surplus AND surplus_held_at IS NULL AND refunded_fen + refunding_fen < amount_fen",
        id.0,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}
