//! Who works on which day. A RUNNING row is the claim; its lease is on the database's clock, so no process's own clock can
//! make two of them believe that they hold it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use reconciliation::ENGINE_VERSION;
use sqlx::PgConnection;
use uuid::Uuid;

/// How long a claim holds without being renewed. The statements below say the same: `interval '60 s'`.
pub const LEASE_SECONDS: u64 = 60;

/// A day that this process may work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The RUNNING row.
    pub run_id: Uuid,
    /// Its version, should it become final.
    pub version: i32,
    /// Names this claim, so that a process that lost it cannot finish.
    pub holder: Uuid,
}

/// Claims a day: a new version, or one that another process left behind. `None` while somebody else holds it.
pub async fn claim(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    new_run: Uuid,
    holder: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<Claim>> {
    let left_behind = sqlx::query!(
        "UPDATE runs SET holder = $3, lease_until = now() + interval '60 s', engine_version = $4
         WHERE merchant = $1 AND bill_date = $2 AND state = 'RUNNING' AND lease_until < now()
         RETURNING run_id, version",
        merchant,
        day.to_sqlx() as _,
        holder,
        ENGINE_VERSION,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = left_behind {
        tracing::info!(run = %row.run_id, merchant, %day, "taking up an interrupted run");
        return Ok(Some(Claim { run_id: row.run_id, version: row.version, holder }));
    }
    // A conflict is either a RUNNING row of somebody else or a version that just became final: both mean "look again".
    let new = sqlx::query!(
        "INSERT INTO runs (run_id, merchant, bill_date, version, state, holder, lease_until, engine_version, start_time)
         SELECT $3, $1, $2, COALESCE(MAX(version), 0) + 1, 'RUNNING', $4, now() + interval '60 s', $5, $6
         FROM runs WHERE merchant = $1 AND bill_date = $2
         ON CONFLICT DO NOTHING RETURNING run_id, version",
        merchant,
        day.to_sqlx() as _,
        new_run,
        holder,
        ENGINE_VERSION,
        now.to_sqlx() as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(new.map(|row| Claim { run_id: row.run_id, version: row.version, holder }))
}

/// Holds on to a claim. `false` when it was lost.
pub async fn renew(conn: &mut PgConnection, claim: &Claim) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "UPDATE runs SET lease_until = now() + interval '60 s'
         WHERE run_id = $1 AND holder = $2 AND state = 'RUNNING'",
        claim.run_id,
        claim.holder,
    )
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Gives a claim up: there is nothing new to say about that day.
pub async fn release(conn: &mut PgConnection, claim: &Claim) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM runs WHERE run_id = $1 AND holder = $2 AND state = 'RUNNING'",
        claim.run_id,
        claim.holder,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Days whose work was interrupted, oldest first.
pub async fn left_behind(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<(String, Date)>> {
    let rows = sqlx::query!(
        "SELECT merchant, bill_date FROM runs WHERE state = 'RUNNING' AND lease_until < now() ORDER BY lease_until LIMIT $1",
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.merchant, row.bill_date.to_jiff())).collect())
}
