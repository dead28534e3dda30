//! Differences over all versions of their day: opened once, resolved when a run no longer finds them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::results::BATCH;
use crate::engine::{BoundaryMatch, Code, Difference, Key};

/// A difference that is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Names it.
    pub id: Uuid,
    /// Its own day, which a payment about midnight makes another than the run's.
    pub bill_date: Date,
    /// As it was opened: `P1`, …
    pub code: String,
    /// Our number.
    pub out_trade_no: String,
}

/// Writes the differences that a run found, and answers those that were not open before, each with its id.
///
/// `new_id` makes ids for those that were never seen.
pub async fn open<'a>(
    conn: &mut PgConnection,
    run_id: Uuid,
    merchant: &str,
    day: Date,
    differences: &'a [Difference],
    now: Timestamp,
    new_id: impl Fn() -> Uuid,
) -> sqlx::Result<Vec<(Uuid, &'a Difference)>> {
    let mut opened = Vec::new();
    for batch in differences.chunks(BATCH) {
        let column = |value: fn(&Difference) -> String| batch.iter().map(value).collect::<Vec<String>>();
        let codes = column(|found| found.code.as_str().to_owned());
        let numbers = column(|found| found.key.out_trade_no.clone());
        let transactions = column(|found| found.key.transaction_id.clone());
        let apps = column(|found| found.app_id.clone());
        let explanations = column(|found| found.explanation.clone());
        let bill: Vec<i64> = batch.iter().map(|found| found.bill_amount.unwrap_or_default().get()).collect();
        let book: Vec<i64> = batch.iter().map(|found| found.book_amount.unwrap_or_default().get()).collect();
        let ids: Vec<Uuid> = batch.iter().map(|_| new_id()).collect();

        let known = sqlx::query!(
            "SELECT d.code, d.out_trade_no, d.transaction_id, d.state <> 'RESOLVED' AS \"open!\"
             FROM discrepancies d
             JOIN UNNEST($2::TEXT[], $3::TEXT[], $4::TEXT[]) AS f (code, out_trade_no, transaction_id)
                 USING (code, out_trade_no, transaction_id)
             WHERE d.merchant = $1 ORDER BY d.discrepancy_id FOR UPDATE OF d",
            merchant,
            &codes,
            &numbers,
            &transactions,
        )
        .fetch_all(&mut *conn)
        .await?;
        let open_before: HashMap<(String, Key), bool> = known
            .into_iter()
            .map(|row| {
                ((row.code, Key { out_trade_no: row.out_trade_no, transaction_id: row.transaction_id }), row.open)
            })
            .collect();

        // order-svc is asked about a new P1 at once. How far a known one is stays as it is.
        let written = sqlx::query!(
            "INSERT INTO discrepancies (discrepancy_id, merchant, bill_date, code, out_trade_no, transaction_id, app_id,
                 bill_amount_fen, book_amount_fen, explanation, state, open_time, opened_by, repair, repair_at, risk_fen,
                 fingerprint)
             SELECT f.id, $1, $2, f.code, f.out_trade_no, f.transaction_id, f.app_id, f.bill, f.book, f.explanation,
                 'OPEN', $3, $4, CASE WHEN f.code = 'P1' THEN 'QUERY_PAYMENT' END, CASE WHEN f.code = 'P1' THEN now() END,
                 GREATEST(f.bill, f.book),
                 f.out_trade_no || '/' || f.transaction_id || '|/|/'
             FROM UNNEST($5::UUID[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::BIGINT[], $11::BIGINT[],
                 $12::TEXT[]) AS f (id, code, out_trade_no, transaction_id, app_id, bill, book, explanation)
             ON CONFLICT (merchant, code, fingerprint) DO UPDATE SET
                 risk_fen = EXCLUDED.risk_fen, app_id = EXCLUDED.app_id, bill_amount_fen = EXCLUDED.bill_amount_fen,
                 book_amount_fen = EXCLUDED.book_amount_fen, explanation = EXCLUDED.explanation,
                 state = CASE discrepancies.state WHEN 'RESOLVED' THEN 'OPEN' ELSE discrepancies.state END,
                 resolution = CASE discrepancies.state WHEN 'RESOLVED' THEN '' ELSE discrepancies.resolution END,
                 repair_at = CASE discrepancies.state WHEN 'RESOLVED' THEN EXCLUDED.repair_at ELSE discrepancies.repair_at END,
                 resolve_time = NULL, resolved_by = NULL
             RETURNING discrepancy_id, code, out_trade_no, transaction_id",
            merchant,
            day.to_sqlx() as _,
            now.to_sqlx() as _,
            run_id,
            &ids,
            &codes,
            &numbers,
            &transactions,
            &apps,
            &bill,
            &book,
            &explanations,
        )
        .fetch_all(&mut *conn)
        .await?;
        let ids: HashMap<(String, Key), Uuid> = written
            .into_iter()
            .map(|row| {
                let key = Key { out_trade_no: row.out_trade_no, transaction_id: row.transaction_id };
                ((row.code, key), row.discrepancy_id)
            })
            .collect();
        let id_of = |found: &Difference| ids[&(found.code.as_str().to_owned(), found.key.clone())];

        let found_ids: Vec<Uuid> = batch.iter().map(id_of).collect();
        sqlx::query!(
            "INSERT INTO run_differences (run_id, discrepancy_id, bill_amount_fen, book_amount_fen, explanation, risk_fen)
             SELECT $1, f.*, GREATEST(f.bill, f.book)
             FROM UNNEST($2::UUID[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[]) AS f (id, bill, book, explanation)",
            run_id,
            &found_ids,
            &bill,
            &book,
            &explanations,
        )
        .execute(&mut *conn)
        .await?;
        let was_open = |found: &Difference| {
            open_before.get(&(found.code.as_str().to_owned(), found.key.clone())).copied().unwrap_or(false)
        };
        opened.extend(batch.iter().filter(|found| !was_open(found)).map(|found| (id_of(found), found)));
    }
    Ok(opened)
}

/// Resolves what this day's run no longer found, unless another day's current run still has it.
pub async fn resolve_missing(
    conn: &mut PgConnection,
    run_id: Uuid,
    merchant: &str,
    day: Date,
    now: Timestamp,
) -> sqlx::Result<Vec<Resolved>> {
    let rows = sqlx::query!(
        "UPDATE discrepancies d SET state = 'RESOLVED', resolve_time = $4, resolved_by = $1, repair_at = NULL,
             resolution = 'RESOLVED_BY_RERUN', waived_until = NULL
         WHERE d.merchant = $2 AND d.bill_date = $3 AND d.state <> 'RESOLVED'
           AND NOT EXISTS (SELECT 1 FROM run_differences f
                           WHERE f.discrepancy_id = d.discrepancy_id AND f.run_id = $1)
           AND NOT EXISTS (SELECT 1 FROM run_differences f JOIN runs r USING (run_id)
                           WHERE f.discrepancy_id = d.discrepancy_id AND r.current AND r.bill_date <> $3)
         RETURNING discrepancy_id, bill_date, code, out_trade_no",
        run_id,
        merchant,
        day.to_sqlx() as _,
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Resolved {
            id: row.discrepancy_id,
            bill_date: row.bill_date.to_jiff(),
            code: row.code,
            out_trade_no: row.out_trade_no,
        })
        .collect())
}

/// Resolves what a neighbouring day missed and this day's bill has.
pub async fn resolve_boundary(
    conn: &mut PgConnection,
    run_id: Uuid,
    merchant: &str,
    matches: &[BoundaryMatch],
    now: Timestamp,
) -> sqlx::Result<Vec<Resolved>> {
    let mut resolved = Vec::new();
    for batch in matches.chunks(BATCH) {
        let numbers: Vec<String> = batch.iter().map(|found| found.key.out_trade_no.clone()).collect();
        let transactions: Vec<String> = batch.iter().map(|found| found.key.transaction_id.clone()).collect();
        let rows = sqlx::query!(
            "UPDATE discrepancies d SET state = 'RESOLVED', resolve_time = $4, resolved_by = $1,
                 resolution = 'RESOLVED_BY_RERUN', waived_until = NULL, repair_at = NULL
             FROM UNNEST($5::TEXT[], $6::TEXT[]) AS f (out_trade_no, transaction_id)
             WHERE d.merchant = $2 AND d.code = $3 AND d.state <> 'RESOLVED'
               AND d.out_trade_no = f.out_trade_no AND d.transaction_id = f.transaction_id
             RETURNING d.discrepancy_id, d.bill_date, d.code, d.out_trade_no",
            run_id,
            merchant,
            Code::P5.as_str(),
            now.to_sqlx() as _,
            &numbers,
            &transactions,
        )
        .fetch_all(&mut *conn)
        .await?;
        resolved.extend(rows.into_iter().map(|row| Resolved {
            id: row.discrepancy_id,
            bill_date: row.bill_date.to_jiff(),
            code: row.code,
            out_trade_no: row.out_trade_no,
        }));
    }
    Ok(resolved)
}

/// How many differences of a day are open.
pub async fn open_count(conn: &mut PgConnection, merchant: &str, day: Date) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "SELECT COUNT(*) AS \"count!\" FROM discrepancies WHERE merchant = $1 AND bill_date = $2 AND state = 'OPEN'",
        merchant,
        day.to_sqlx() as _,
    )
    .fetch_one(conn)
    .await
}
