//! Bills as they were fetched, gzipped, in pieces.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// A bill that is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewBill<'a> {
    /// Names it.
    pub bill_id: Uuid,
    /// Merchant account.
    pub merchant: &'a str,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// `TRADE`, `FUND_BASIC`, `FUND_OPERATION` or `FUND_FEES`.
    pub kind: &'a str,
    /// Of the decompressed bytes, hex.
    pub sha256: &'a str,
    /// Decompressed.
    pub bytes: u64,
    /// Gzipped.
    pub stored_bytes: u64,
    /// When it was fetched.
    pub fetch_time: Timestamp,
}

/// Notes a bill. `false` when the same bytes are kept already.
pub async fn begin(conn: &mut PgConnection, bill: &NewBill<'_>) -> sqlx::Result<bool> {
    let length = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let noted = sqlx::query!(
        "INSERT INTO bills (bill_id, merchant, bill_date, kind, sha256, bytes, stored_bytes, fetch_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        bill.bill_id,
        bill.merchant,
        bill.bill_date.to_sqlx() as _,
        bill.kind,
        bill.sha256,
        length(bill.bytes),
        length(bill.stored_bytes),
        bill.fetch_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Adds the next piece, 0, 1, …
pub async fn add_piece(conn: &mut PgConnection, bill_id: Uuid, piece: i32, gzip: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("INSERT INTO bill_pieces (bill_id, piece, gzip) VALUES ($1, $2, $3)", bill_id, piece, gzip)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets the oldest bills of days before `day`, and answers how many.
pub async fn forget_before(conn: &mut PgConnection, day: Date, limit: i64) -> sqlx::Result<u64> {
    let forgotten = sqlx::query!(
        "DELETE FROM bills WHERE bill_id IN (SELECT bill_id FROM bills WHERE bill_date < $1 ORDER BY bill_date LIMIT $2)",
        day.to_sqlx() as _,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected())
}
