//! What is locked before it is changed, and in which order.
//!
//! Every transaction that changes differences takes its locks in this order, and leaves out what it does not need:
//!
//! 1. facts and books, as they come from the bus;
//! 2. the merchant, by a run that is written down: [`one_run`];
//! 3. the run's own row;
//! 4. differences, by their ids, all that will be changed before the first is: [`differences`], `subjects::lock`;
//! 5. days that are worth another look, by merchant and day: `days::look_again`, `neighbours::look_again`;
//! 6. the end of the audit log, and nothing after it: `audit::append`.
//!
//! Only a run inserts differences and resolves them, and one of a merchant at a time, so what it has locked is all there is. A look that
//! skips what is locked (`subjects::lock_to_repair`) waits for nobody and needs no order.

use sqlx::PgConnection;
use uuid::Uuid;

use super::results::BATCH;

/// Waits, for a minute at most, until no other run of the merchant is being written down; none is until the transaction ends.
pub async fn one_run(conn: &mut PgConnection, merchant: &str) -> sqlx::Result<()> {
    // A day of a hundred thousand differences takes longer than a statement may otherwise wait.
    sqlx::raw_sql("SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '60s'").execute(&mut *conn).await?;
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('a run of ' || $1, 0))", merchant)
        .execute(&mut *conn)
        .await?;
    sqlx::raw_sql("SET LOCAL lock_timeout TO DEFAULT; SET LOCAL statement_timeout TO DEFAULT").execute(conn).await?;
    Ok(())
}

/// Locks these differences, in the order of their ids, whatever order they come in.
pub async fn differences(conn: &mut PgConnection, mut ids: Vec<Uuid>) -> sqlx::Result<()> {
    // As Postgres orders them: by their bytes.
    ids.sort_unstable();
    ids.dedup();
    for batch in ids.chunks(BATCH) {
        sqlx::query!(
            "SELECT discrepancy_id FROM discrepancies WHERE discrepancy_id = ANY($1) ORDER BY discrepancy_id FOR UPDATE",
            batch,
        )
        .fetch_all(&mut *conn)
        .await?;
    }
    Ok(())
}
