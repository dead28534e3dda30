//! What a run found, written in the one transaction that makes it final.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::{Fen, MilliFen};
use sqlx::PgConnection;

use super::claims::Claim;
use reconciliation::Tally;

use crate::engine::BoundaryMatch;
use crate::runs::{CodeTally, RunState};

/// Rows per statement of a bulk insert.
pub(super) const BATCH: usize = 1000;

/// Everything that a final run says in its own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Never RUNNING.
    pub state: RunState,
    /// Which control failed.
    pub problem: String,
    /// Payment rows of the bill.
    pub bill: Tally,
    /// Refund rows of the bill.
    pub refunds: Tally,
    /// Reversal rows of the bill.
    pub revoked: Tally,
    /// The provider's fees.
    pub fee: MilliFen,
    /// Payments of that day in our books.
    pub books: Tally,
    /// Payments that agree.
    pub matched: Tally,
    /// Differences by code.
    pub codes: Vec<CodeTally>,
    /// Pins the bill, hex.
    pub bill_sha256: String,
    /// Pins the books' side, hex.
    pub books_sha256: String,
}

impl Verdict {
    /// Nothing counted.
    pub fn empty() -> Self {
        Self {
            state: RunState::ControlFailed,
            problem: String::new(),
            bill: Tally::default(),
            refunds: Tally::default(),
            revoked: Tally::default(),
            fee: MilliFen::ZERO,
            books: Tally::default(),
            matched: Tally::default(),
            codes: Vec::new(),
            bill_sha256: String::new(),
            books_sha256: String::new(),
        }
    }
}

/// Makes the claimed run final and current. `false` when the claim was lost: then nothing may be committed.
pub async fn finish(
    conn: &mut PgConnection,
    claim: &Claim,
    merchant: &str,
    day: Date,
    verdict: &Verdict,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE runs SET current = FALSE WHERE merchant = $1 AND bill_date = $2 AND current",
        merchant,
        day.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    let finished = sqlx::query!(
        "UPDATE runs SET state = $3, holder = NULL, lease_until = NULL, current = TRUE, problem = $4,
             bill_sha256 = $5, books_sha256 = $6, bill_count = $7, bill_sum_fen = $8, bill_refund_count = $9,
             bill_refund_sum_fen = $10, bill_fee_milli_fen = $11, book_count = $12, book_sum_fen = $13,
             matched_count = $14, matched_sum_fen = $15, end_time = $16, bill_revoked_count = $17,
             bill_revoked_sum_fen = $18
         WHERE run_id = $1 AND holder = $2 AND state = 'RUNNING'",
        claim.run_id,
        claim.holder,
        verdict.state.as_str(),
        verdict.problem,
        verdict.bill_sha256,
        verdict.books_sha256,
        verdict.bill.count,
        verdict.bill.sum.get(),
        verdict.refunds.count,
        verdict.refunds.sum.get(),
        verdict.fee.get(),
        verdict.books.count,
        verdict.books.sum.get(),
        verdict.matched.count,
        verdict.matched.sum.get(),
        now.to_sqlx() as _,
        verdict.revoked.count,
        verdict.revoked.sum.get(),
    )
    .execute(&mut *conn)
    .await?;
    if finished.rows_affected() != 1 {
        return Ok(false);
    }
    for CodeTally { code, count, sum } in &verdict.codes {
        sqlx::query!(
            "INSERT INTO run_codes (run_id, code, count, sum_fen) VALUES ($1, $2, $3, $4)",
            claim.run_id,
            code.as_str(),
            count,
            Fen::get(*sum),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(true)
}

/// Notes which payments of other days stand in this day's bill.
pub async fn note_boundary(
    conn: &mut PgConnection,
    claim: &Claim,
    merchant: &str,
    matches: &[BoundaryMatch],
) -> sqlx::Result<()> {
    for batch in matches.chunks(BATCH) {
        let numbers: Vec<String> = batch.iter().map(|found| found.key.out_trade_no.clone()).collect();
        let transactions: Vec<String> = batch.iter().map(|found| found.key.transaction_id.clone()).collect();
        sqlx::query!(
            "INSERT INTO run_boundary_matches (run_id, merchant, out_trade_no, transaction_id)
             SELECT $1, $2, * FROM UNNEST($3::TEXT[], $4::TEXT[])",
            claim.run_id,
            merchant,
            &numbers,
            &transactions,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
