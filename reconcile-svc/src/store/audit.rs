//! The audit log: appended to, read, never changed.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::results::BATCH;
use crate::resolution::audit::{Chain, Entry, Row};

/// Appends rows in their order and answers the sequence of the first. Nobody else appends until the transaction ends, so this comes
/// last in it.
pub async fn append(conn: &mut PgConnection, entries: &[Entry], now: Timestamp) -> sqlx::Result<i64> {
    let mut chain = lock_head(conn).await?;
    let first = chain.sequence + 1;
    if entries.is_empty() {
        return Ok(first);
    }
    for batch in entries.chunks(BATCH) {
        let rows: Vec<Row> = batch.iter().map(|entry| chain.append(entry, now)).collect();
        let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
        let text = |value: fn(&Row) -> &String| rows.iter().map(|row| value(row).clone()).collect::<Vec<String>>();
        let discrepancies: Vec<Uuid> = rows.iter().map(|row| row.discrepancy).collect();
        let previous: Vec<Vec<u8>> = rows.iter().map(|row| row.previous.clone()).collect();
        let hashes: Vec<Vec<u8>> = rows.iter().map(|row| row.hash.clone()).collect();
        sqlx::query!(
            "INSERT INTO audit_log (sequence, time, actor, action, discrepancy_id, detail, previous_hash, hash)
             SELECT r.sequence, $1, r.actor, r.action, r.discrepancy, r.detail, r.previous, r.hash
             FROM UNNEST($2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::UUID[], $6::TEXT[], $7::BYTEA[], $8::BYTEA[])
                 AS r (sequence, actor, action, discrepancy, detail, previous, hash)",
            rows[0].time.to_sqlx() as _,
            &sequences,
            &text(|row| &row.actor),
            &text(|row| &row.action),
            &discrepancies,
            &text(|row| &row.detail),
            &previous,
            &hashes,
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!("UPDATE audit_head SET sequence = $1, hash = $2", chain.sequence, chain.hash).execute(conn).await?;
    Ok(first)
}

async fn lock_head(conn: &mut PgConnection) -> sqlx::Result<Chain> {
    let head = sqlx::query!("SELECT sequence, hash FROM audit_head FOR UPDATE").fetch_one(conn).await?;
    Ok(Chain { sequence: head.sequence, hash: head.hash })
}

/// Where the log ends, as noted beside it.
pub async fn head(conn: &mut PgConnection) -> sqlx::Result<Chain> {
    let head = sqlx::query!("SELECT sequence, hash FROM audit_head").fetch_one(conn).await?;
    Ok(Chain { sequence: head.sequence, hash: head.hash })
}

/// Rows after `after`, in order.
pub async fn rows(conn: &mut PgConnection, after: i64, limit: i64) -> sqlx::Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Found,
        "SELECT sequence, time, actor, action, discrepancy_id, detail, previous_hash, hash FROM audit_log
         WHERE $1 < sequence ORDER BY sequence LIMIT $2",
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Found::row).collect())
}

/// What happened to one difference, oldest first; of more than `limit` rows the newest.
pub async fn history(conn: &mut PgConnection, discrepancy: Uuid, limit: i64) -> sqlx::Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Found,
        "SELECT sequence, time, actor, action, discrepancy_id, detail, previous_hash, hash FROM audit_log
         WHERE discrepancy_id = $1 ORDER BY sequence DESC LIMIT $2",
        discrepancy,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().rev().map(Found::row).collect())
}

/// The row of the newest proposal about a difference, which its caller has locked: a lock that was waited for shows the difference
/// as it is now, and only a statement of its own shows what was written with it.
pub async fn newest_proposal(conn: &mut PgConnection, discrepancy: Uuid) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "SELECT MAX(sequence) FROM audit_log WHERE discrepancy_id = $1 AND action = 'PROPOSED'",
        discrepancy,
    )
    .fetch_one(conn)
    .await
}

/// Which of these differences somebody lived with when they were last written about.
pub async fn last_waived(conn: &mut PgConnection, discrepancies: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    // What people write down and who looks after it changes no state.
    sqlx::query_scalar!(
        r#"SELECT d.id AS "id!" FROM UNNEST($1::UUID[]) AS d (id)
           WHERE (SELECT action FROM audit_log WHERE discrepancy_id = d.id AND action NOT IN ('NOTED', 'ASSIGNED')
                  ORDER BY sequence DESC LIMIT 1) = 'WAIVED'"#,
        discrepancies,
    )
    .fetch_all(conn)
    .await
}

struct Found {
    sequence: i64,
    time: jiff_sqlx::Timestamp,
    actor: String,
    action: String,
    discrepancy_id: Uuid,
    detail: String,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl Found {
    fn row(self) -> Row {
        Row {
            sequence: self.sequence,
            time: self.time.to_jiff(),
            actor: self.actor,
            action: self.action,
            discrepancy: self.discrepancy_id,
            detail: self.detail,
            previous: self.previous_hash,
            hash: self.hash,
        }
    }
}
