//! What a run found, written in the one transaction that makes it final.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use reconciliation::{AccountDay, AccountKind, BoundaryMatch, Closings, Rules};
use sqlx::PgConnection;
use uuid::Uuid;

use super::claims::Claim;
use crate::runs::{Input, Verdict};

/// Rows per statement of a bulk insert.
pub(super) const BATCH: usize = 1000;

/// Makes the claimed run final. `false` when the claim was lost: then nothing may be committed.
///
/// One that was compared is then the version of its day that counts; another one only while the day has none that was.
pub async fn finish(
    conn: &mut PgConnection,
    claim: &Claim,
    merchant: &str,
    day: Date,
    verdict: &Verdict,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let found = verdict.outcome.as_ref();
    let tally = |of: fn(&reconciliation::Outcome) -> reconciliation::Tally| found.map(of).unwrap_or_default();
    let (bill, refunds, revoked) =
        (tally(|found| found.bill), tally(|found| found.bill_refunds), tally(|found| found.revoked));
    let (books, book_refunds) = (tally(|found| found.books), tally(|found| found.book_refunds));
    let (matched, matched_refunds) = (tally(|found| found.matched), tally(|found| found.matched_refunds));
    let finished = sqlx::query!(
        "UPDATE runs SET state = $3, holder = NULL, lease_until = NULL, problem = $4,
             bill_sha256 = $5, books_sha256 = $6, bill_count = $7, bill_sum_fen = $8, bill_refund_count = $9,
             bill_refund_sum_fen = $10, bill_fee_milli_fen = $11, book_count = $12, book_sum_fen = $13,
             matched_count = $14, matched_sum_fen = $15, end_time = $16, bill_revoked_count = $17,
             bill_revoked_sum_fen = $18, as_of = $19, rules_version = $20, book_refund_count = $21,
             book_refund_sum_fen = $22, matched_refund_count = $23, matched_refund_sum_fen = $24, waiting_count = $25,
             waiting_sum_fen = $26, result_sha256 = $27
         WHERE run_id = $1 AND holder = $2 AND state = 'RUNNING'",
        claim.run_id,
        claim.holder,
        verdict.state.as_str(),
        text(&verdict.problem),
        verdict.bill_sha256(),
        verdict.books_sha256,
        bill.count,
        bill.sum.get(),
        refunds.count,
        refunds.sum.get(),
        found.map_or(0, |found| found.fee.get()),
        books.count,
        books.sum.get(),
        matched.count,
        matched.sum.get(),
        now.to_sqlx() as _,
        revoked.count,
        revoked.sum.get(),
        verdict.as_of.to_sqlx() as _,
        Rules::VERSION,
        book_refunds.count,
        book_refunds.sum.get(),
        matched_refunds.count,
        matched_refunds.sum.get(),
        verdict.waiting.count,
        verdict.waiting.sum.get(),
        verdict.result_sha256,
    )
    .execute(&mut *conn)
    .await?;
    if finished.rows_affected() != 1 {
        return Ok(false);
    }
    supersede(conn, claim.run_id, merchant, day, verdict.state.is_compared()).await?;
    note_codes(conn, claim.run_id, verdict).await?;
    note_inputs(conn, claim.run_id, &verdict.inputs).await?;
    if let Some(found) = found {
        note_accounts(conn, claim.run_id, &found.accounts).await?;
        note_boundary(conn, claim.run_id, merchant, &found.boundary).await?;
    }
    Ok(true)
}

async fn supersede(
    conn: &mut PgConnection,
    run_id: Uuid,
    merchant: &str,
    day: Date,
    compared: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE runs SET current = FALSE
         WHERE merchant = $1 AND bill_date = $2 AND current
           AND ($3 OR state NOT IN ('BALANCED', 'WAITING', 'DIFFERENCES'))",
        merchant,
        day.to_sqlx() as _,
        compared,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE runs SET current = NOT EXISTS (SELECT 1 FROM runs WHERE merchant = $2 AND bill_date = $3 AND current)
         WHERE run_id = $1",
        run_id,
        merchant,
        day.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn note_codes(conn: &mut PgConnection, run_id: Uuid, verdict: &Verdict) -> sqlx::Result<()> {
    let codes: Vec<String> = verdict.codes.iter().map(|tally| tally.code.as_str().to_owned()).collect();
    let counts: Vec<i64> = verdict.codes.iter().map(|tally| tally.count).collect();
    let sums: Vec<i64> = verdict.codes.iter().map(|tally| tally.sum.get()).collect();
    sqlx::query!(
        "INSERT INTO run_codes (run_id, code, count, sum_fen)
         SELECT $1, * FROM UNNEST($2::TEXT[], $3::BIGINT[], $4::BIGINT[])",
        run_id,
        &codes,
        &counts,
        &sums,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn note_inputs(conn: &mut PgConnection, run_id: Uuid, inputs: &[Input]) -> sqlx::Result<()> {
    let kinds: Vec<String> = inputs.iter().map(|input| input.kind.as_str().to_owned()).collect();
    let states: Vec<String> = inputs.iter().map(|input| input.state.as_str().to_owned()).collect();
    let hashes: Vec<String> = inputs.iter().map(|input| input.sha256.clone()).collect();
    let lengths: Vec<i64> = inputs.iter().map(|input| i64::try_from(input.bytes).unwrap_or(i64::MAX)).collect();
    sqlx::query!(
        "INSERT INTO run_inputs (run_id, input, state, sha256, bytes)
         SELECT $1, * FROM UNNEST($2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[])",
        run_id,
        &kinds,
        &states,
        &hashes,
        &lengths,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn note_accounts(conn: &mut PgConnection, run_id: Uuid, days: &[AccountDay]) -> sqlx::Result<()> {
    let accounts: Vec<String> = days.iter().map(|day| day.account.as_str().to_owned()).collect();
    let states: Vec<String> = days.iter().map(|day| day.state.as_str().to_owned()).collect();
    let openings: Vec<Option<i64>> = days.iter().map(|day| day.opening.map(Fen::get)).collect();
    let closings: Vec<Option<i64>> = days.iter().map(|day| day.closing.map(Fen::get)).collect();
    sqlx::query!(
        "INSERT INTO run_accounts (run_id, account, state, opening_fen, closing_fen)
         SELECT $1, * FROM UNNEST($2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[])",
        run_id,
        &accounts,
        &states,
        &openings as &[Option<i64>],
        &closings as &[Option<i64>],
    )
    .execute(&mut *conn)
    .await?;
    let moved: Vec<_> = days.iter().flat_map(|day| day.movements.iter().map(|kind| (day.account, kind))).collect();
    for batch in moved.chunks(BATCH) {
        let accounts: Vec<String> = batch.iter().map(|(account, _)| account.as_str().to_owned()).collect();
        let kinds: Vec<String> = batch.iter().map(|(_, moved)| text(&moved.kind)).collect();
        let of_trades: Vec<bool> = batch.iter().map(|(_, moved)| moved.of_trades).collect();
        let counts: Vec<i64> = batch.iter().map(|(_, moved)| moved.count).collect();
        let sums: Vec<i64> = batch.iter().map(|(_, moved)| moved.sum.get()).collect();
        sqlx::query!(
            "INSERT INTO run_movements (run_id, account, kind, of_trades, count, sum_fen)
             SELECT $1, * FROM UNNEST($2::TEXT[], $3::TEXT[], $4::BOOLEAN[], $5::BIGINT[], $6::BIGINT[])",
            run_id,
            &accounts,
            &kinds,
            &of_trades,
            &counts,
            &sums,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// What our books have on another day and this day's files have.
async fn note_boundary(
    conn: &mut PgConnection,
    run_id: Uuid,
    merchant: &str,
    matches: &[BoundaryMatch],
) -> sqlx::Result<()> {
    for batch in matches.chunks(BATCH) {
        let legs: Vec<String> = batch.iter().map(|found| found.leg.as_str().to_owned()).collect();
        let numbers: Vec<String> = batch.iter().map(|found| text(&found.number)).collect();
        let days: Vec<jiff_sqlx::Date> = batch.iter().map(|found| found.book_date.to_sqlx()).collect();
        let amounts: Vec<Option<i64>> = batch.iter().map(|found| found.amount.map(Fen::get)).collect();
        let fees: Vec<i64> = batch.iter().map(|found| found.fee.get()).collect();
        sqlx::query!(
            "INSERT INTO run_boundary (run_id, merchant, leg, number, book_date, amount_fen, fee_fen)
             SELECT $1, $2, * FROM UNNEST($3::TEXT[], $4::TEXT[], $5::DATE[], $6::BIGINT[], $7::BIGINT[])",
            run_id,
            merchant,
            &legs,
            &numbers,
            &days as &[jiff_sqlx::Date],
            &amounts as &[Option<i64>],
            &fees,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// What each account closed with on `day`, in the order of [`AccountKind::ALL`], as its version that counts says.
pub async fn closings(conn: &mut PgConnection, merchant: &str, day: Date) -> sqlx::Result<Closings> {
    let rows = sqlx::query!(
        "SELECT a.account, a.closing_fen FROM run_accounts a JOIN runs r USING (run_id)
         WHERE r.merchant = $1 AND r.bill_date = $2 AND r.current",
        merchant,
        day.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    let closing = |account: AccountKind| {
        let row = rows.iter().find(|row| row.account == account.as_str())?;
        row.closing_fen.map(Fen::new)
    };
    Ok(AccountKind::ALL.map(closing))
}

/// A text that Postgres stores: bills are hostile, and one zero byte would make the whole day unwritable.
pub(super) fn text(value: &str) -> String {
    value.replace('\0', "\u{fffd}")
}
