//! Table `requests`: the same request id gets the same answer.

use sqlx::PgConnection;
use uuid::Uuid;

use super::orders::seconds;
use crate::domain::PaymentId;

/// What is known of a request id.
#[derive(Debug)]
pub struct Request {
    /// Which call it named.
    pub rpc: String,
    /// SHA-256 of its content, without the id.
    pub content_sha256: Vec<u8>,
    /// The attempt that it wrote.
    pub payment: Option<PaymentId>,
    /// Its answer.
    pub response: Option<Vec<u8>>,
    /// Or its definite refusal.
    pub refusal: Option<Vec<u8>>,
    /// Somebody is working on it.
    pub busy: bool,
}

/// Takes a request id that nobody has used. False when somebody has; a concurrent first use is waited for.
pub async fn take(
    conn: &mut PgConnection,
    app: &str,
    request_id: Uuid,
    rpc: &str,
    content_sha256: &[u8],
    lease_s: u32,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO requests (app, request_id, rpc, content_sha256, claimed_until) VALUES ($1, $2, $3, $4, now() + $5)
         ON CONFLICT DO NOTHING",
        app,
        request_id,
        rpc,
        content_sha256,
        seconds(lease_s),
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Reads a request id and locks it until the end of the transaction.
pub async fn lock(conn: &mut PgConnection, app: &str, request_id: Uuid) -> sqlx::Result<Option<Request>> {
    let row = sqlx::query!(
        r#"SELECT rpc, content_sha256, payment_id, response, refusal,
                  coalesce(now() < claimed_until, false) AS "busy!"
           FROM requests WHERE app = $1 AND request_id = $2 FOR UPDATE"#,
        app,
        request_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Request {
        rpc: row.rpc,
        content_sha256: row.content_sha256,
        payment: row.payment_id.map(PaymentId),
        response: row.response,
        refusal: row.refusal,
        busy: row.busy,
    }))
}

/// Works on a request again whose first try ended without an answer.
pub async fn claim_again(conn: &mut PgConnection, app: &str, request_id: Uuid, lease_s: u32) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE requests SET claimed_until = now() + $3 WHERE app = $1 AND request_id = $2",
        app,
        request_id,
        seconds(lease_s),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes the attempt that a request writes, in the transaction that writes it, and works on it for that long. False when somebody
/// else, after our lease ran out, has written one or given the id up: then ours must not be written.
pub async fn set_payment(
    conn: &mut PgConnection,
    app: &str,
    request_id: Uuid,
    payment: PaymentId,
    lease_s: u32,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE requests SET payment_id = $3, claimed_until = now() + $4
         WHERE app = $1 AND request_id = $2 AND payment_id IS NULL AND response IS NULL AND refusal IS NULL",
        app,
        request_id,
        payment.0,
        seconds(lease_s),
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Keeps the answer for ever after. False when another was kept before; that one stays.
pub async fn answer(conn: &mut PgConnection, app: &str, request_id: Uuid, response: &[u8]) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE requests SET response = $3, claimed_until = NULL
         WHERE app = $1 AND request_id = $2 AND response IS NULL AND refusal IS NULL",
        app,
        request_id,
        response,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Keeps a definite refusal for ever after. False when another answer was kept before; that one stays.
pub async fn refuse(conn: &mut PgConnection, app: &str, request_id: Uuid, refusal: &[u8]) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE requests SET refusal = $3, claimed_until = NULL
         WHERE app = $1 AND request_id = $2 AND response IS NULL AND refusal IS NULL",
        app,
        request_id,
        refusal,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Ends the work on a request without an answer, so that a retry starts at once.
pub async fn release(conn: &mut PgConnection, app: &str, request_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE requests SET claimed_until = NULL WHERE app = $1 AND request_id = $2", app, request_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets a request that wrote nothing, so that its id can be used again.
pub async fn forget(conn: &mut PgConnection, app: &str, request_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM requests
         WHERE app = $1 AND request_id = $2 AND payment_id IS NULL AND response IS NULL AND refusal IS NULL",
        app,
        request_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes answers older than `days`, at most `limit`; callers retry for minutes, not for months.
pub async fn prune(conn: &mut PgConnection, days: i32, limit: i64) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        "DELETE FROM requests WHERE ctid IN (
             SELECT ctid FROM requests WHERE created_at < now() - make_interval(days => $1) LIMIT $2
             FOR UPDATE SKIP LOCKED)",
        days,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(removed.rows_affected())
}
