//! What is on its way to the provider, and what was.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::{
    domain::{OrderId, PaymentId},
    store::orders::seconds,
};

/// Counts one more sending of an attempt whose answer was lost. False when it is no longer open.
pub async fn begin_sending(
    conn: &mut PgConnection,
    id: PaymentId,
    now: Timestamp,
    sending_s: u32,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE payments SET sends = sends + 1, sent_at = $3, sending_until = now() + $2
         WHERE payment_id = $1 AND state IN ('CREATED', 'PENDING')",
        id.0,
        seconds(sending_s),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// The sending is over, whatever came of it.
pub async fn end_sending(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE payments SET sending_until = NULL WHERE payment_id = $1", id.0).execute(conn).await?;
    Ok(())
}

/// The sending of that count never left us, so it does not count. A later one does.
pub async fn take_sending_back(conn: &mut PgConnection, id: PaymentId, sends: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET sending_until = NULL, sends = sends - 1 WHERE payment_id = $1 AND sends = $2 AND 0 < sends",
        id.0,
        sends
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first sending, which is written with the attempt, never left us. One that was begun since stays.
pub async fn take_first_sending_back(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE payments SET sending_until = NULL, sends = 0 WHERE payment_id = $1 AND sends = 1", id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether nothing was sent since the attempt was read (`sends`), nothing is on its way, and the last sending was at or before
/// `sent_before`: only then does "unknown number" mean that it never arrived.
pub async fn is_quiet(
    conn: &mut PgConnection,
    id: PaymentId,
    sends: i32,
    sent_before: Timestamp,
) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"SELECT sends = $2 AND coalesce(sending_until < now(), true) AND coalesce(sent_at <= $3, true) AS "quiet!"
           FROM payments WHERE payment_id = $1"#,
        id.0,
        sends,
        sent_before.to_sqlx() as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some_and(|row| row.quiet))
}

/// Whether a prepay of it may be on its way at this moment.
pub async fn is_sending(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"SELECT coalesce(now() < sending_until, false) AS "sending!" FROM payments WHERE payment_id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some_and(|row| row.sending))
}

/// The payer starts another attempt: the open ones are to be closed, as soon as the provider closes attempts of their age.
pub async fn supersede(
    conn: &mut PgConnection,
    order: OrderId,
    now: Timestamp,
    close_min_age_s: u32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET superseded = true, next_ask_at = least(next_ask_at, greatest($2, create_time + $3))
         WHERE order_id = $1 AND state IN ('CREATED', 'PENDING') AND next_ask_at IS NOT NULL",
        order.0,
        now.to_sqlx() as _,
        seconds(close_min_age_s),
    )
    .execute(conn)
    .await?;
    Ok(())
}
