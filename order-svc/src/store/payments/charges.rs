//! Charges: attempts that take money at once, and are taken back when nobody knows what became of them.

use jiff_sqlx::ToSqlx as _;
use sqlx::{PgConnection, postgres::types::PgInterval};

use crate::domain::{PaymentId, charge::Reversing};

/// Whether a charge and all its reversals were written at least `quiet` ago by the database's clock, and are over. Asked before
/// the provider is, because its answer may be slow: then "unknown number" means that nothing of them ever arrives.
pub async fn is_charge_quiet(
    conn: &mut PgConnection,
    id: PaymentId,
    reverses: i32,
    ahead: PgInterval,
    quiet: PgInterval,
) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"SELECT reverses = $2 AND coalesce(sending_until < clock_timestamp(), true)
                  AND coalesce(greatest(sent_on_db, reverse_sent_on_db) <= clock_timestamp() + $3 - $4::interval, false)
                  AS "quiet!"
           FROM payments WHERE payment_id = $1"#,
        id.0,
        reverses,
        ahead,
        quiet,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some_and(|row| row.quiet))
}

/// Writes that one more reversal is about to leave, while the order is locked.
pub async fn begin_reversing(
    conn: &mut PgConnection,
    id: PaymentId,
    reversing: &Reversing,
    ahead: PgInterval,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET reversing_at = $2, reverses = $3, reverse_sent_at = $4, reverse_sent_on_db = clock_timestamp() + $5
         WHERE payment_id = $1",
        id.0,
        reversing.since.to_sqlx() as _,
        reversing.sends,
        reversing.sent_at.to_sqlx() as _,
        ahead,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes that the provider takes it back no more.
pub async fn too_late_to_reverse(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET reverse_too_late = true WHERE payment_id = $1 AND reversing_at IS NOT NULL",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
