use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use reconciliation::{Code, Difference, Repair};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::runs::{DiscrepancyState, Step};
use crate::store::results::{BATCH, text};

/// The run that found differences.
#[derive(Clone, Copy, Debug)]
pub struct FoundBy<'a> {
    /// The run.
    pub run_id: Uuid,
    /// Merchant account.
    pub merchant: &'a str,
    /// The run's day.
    pub day: Date,
    /// Civil date on which it is made.
    pub as_of: Date,
    /// Now.
    pub now: Timestamp,
}

/// A difference that a run found, and what the run did to it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Names it.
    pub id: Uuid,
    /// What was done.
    pub step: Step,
    /// What was found.
    pub difference: &'a Difference,
}

/// What a difference was before.
struct Before {
    state: DiscrepancyState,
    waiver_over: bool,
    bill_fen: i64,
    book_fen: i64,
    risk_fen: i64,
    /// People agreed that money goes back, or that a refund is taken in: done, it is not found again.
    would_be_gone: bool,
}

/// Its identity: code and fingerprint, of one merchant.
type Identity = (String, String);

/// Those of these differences that are known.
pub(super) async fn known(
    conn: &mut PgConnection,
    merchant: &str,
    differences: &[Difference],
) -> sqlx::Result<Vec<Uuid>> {
    let mut known = Vec::new();
    for batch in differences.chunks(BATCH) {
        let codes: Vec<String> = batch.iter().map(|found| found.code.as_str().to_owned()).collect();
        let fingerprints: Vec<String> = batch.iter().map(|found| text(&found.key.fingerprint())).collect();
        let ids = sqlx::query_scalar!(
            "SELECT d.discrepancy_id FROM discrepancies d
             JOIN UNNEST($2::TEXT[], $3::TEXT[]) AS f (code, fingerprint) USING (code, fingerprint)
             WHERE d.merchant = $1",
            merchant,
            &codes,
            &fingerprints,
        )
        .fetch_all(&mut *conn)
        .await?;
        known.extend(ids);
    }
    Ok(known)
}

/// Writes the differences that a run found, each with its step, and the snapshot that the run keeps of them. Its caller has locked
/// those that are known.
///
/// `new_id` makes ids for those that were never seen.
pub async fn write<'a>(
    conn: &mut PgConnection,
    by: &FoundBy<'_>,
    differences: &'a [Difference],
    new_id: impl Fn() -> Uuid,
) -> sqlx::Result<Vec<Found<'a>>> {
    let mut written = Vec::with_capacity(differences.len());
    for batch in differences.chunks(BATCH) {
        let columns = Columns::of(batch);
        let before = before(conn, by, &columns).await?;
        let steps: Vec<(Step, DiscrepancyState)> = (0..batch.len())
            .map(|row| {
                let before = before.get(&columns.identity(row));
                let state = before.map(|before| before.state);
                let waiver_over = before.is_some_and(|before| before.waiver_over);
                let outdated = before.is_some_and(|before| {
                    let agreed = (before.bill_fen, before.book_fen, before.risk_fen);
                    before.would_be_gone || agreed != (columns.bills[row], columns.books[row], columns.risks[row])
                });
                let step = Step::of(state, batch[row].due.is_some(), waiver_over, outdated);
                (step, step.state(state))
            })
            .collect();
        let ids = upsert(conn, by, &columns, &steps, &new_id).await?;
        let id_of = |row: usize| {
            // Every row of the statement comes back with the identity that it was given.
            ids.get(&columns.identity(row)).copied().ok_or(sqlx::Error::RowNotFound)
        };
        let ids = (0..batch.len()).map(id_of).collect::<sqlx::Result<Vec<Uuid>>>()?;
        snapshot(conn, by.run_id, &ids, &columns).await?;
        let rows = ids.into_iter().zip(steps).zip(batch);
        written.extend(rows.map(|((id, (step, _)), difference)| Found { id, step, difference }));
    }
    Ok(written)
}

/// A batch, column by column.
struct Columns {
    codes: Vec<String>,
    fingerprints: Vec<String>,
    out_trade_nos: Vec<String>,
    transactions: Vec<String>,
    out_refund_nos: Vec<String>,
    refunds: Vec<String>,
    accounts: Vec<String>,
    movements: Vec<String>,
    apps: Vec<String>,
    bills: Vec<i64>,
    books: Vec<i64>,
    risks: Vec<i64>,
    explanations: Vec<String>,
    dues: Vec<Option<jiff_sqlx::Date>>,
    repairs: Vec<Option<String>>,
    critical: Vec<bool>,
}

impl Columns {
    fn of(batch: &[Difference]) -> Self {
        let texts = |value: fn(&Difference) -> &str| batch.iter().map(|found| text(value(found))).collect();
        let numbers = |value: fn(&Difference) -> money::Fen| batch.iter().map(|found| value(found).get()).collect();
        Self {
            codes: texts(|found| found.code.as_str()),
            fingerprints: batch.iter().map(|found| text(&found.key.fingerprint())).collect(),
            out_trade_nos: texts(|found| &found.key.out_trade_no),
            transactions: texts(|found| &found.key.transaction_id),
            out_refund_nos: texts(|found| &found.key.out_refund_no),
            refunds: texts(|found| &found.key.refund_id),
            accounts: texts(|found| found.key.account.map_or("", reconciliation::AccountKind::as_str)),
            movements: texts(|found| &found.key.movement),
            apps: texts(|found| &found.app_id),
            bills: numbers(|found| found.bill_amount.unwrap_or_default()),
            books: numbers(|found| found.book_amount.unwrap_or_default()),
            risks: numbers(|found| found.risk),
            explanations: texts(|found| &found.explanation),
            dues: batch.iter().map(|found| found.due.map(Date::to_sqlx)).collect(),
            repairs: batch.iter().map(|found| found.repair.map(Repair::as_str).map(str::to_owned)).collect(),
            critical: batch.iter().map(|found| Code::is_critical(found.code)).collect(),
        }
    }

    fn identity(&self, row: usize) -> Identity {
        (self.codes[row].clone(), self.fingerprints[row].clone())
    }
}

/// What is known of them. They are locked, so that nobody changes a state between the look and the write.
async fn before(
    conn: &mut PgConnection,
    by: &FoundBy<'_>,
    columns: &Columns,
) -> sqlx::Result<HashMap<Identity, Before>> {
    let rows = sqlx::query!(
        "SELECT d.code, d.fingerprint, d.state, COALESCE(d.waived_until <= $4, FALSE) AS \"waiver_over!\",
                d.bill_amount_fen, d.book_amount_fen, d.risk_fen,
                COALESCE(d.state = 'APPLIED' AND d.proposed IN ('REFUND_SURPLUS', 'IMPORT_REFUND'), FALSE) AS \"would_be_gone!\"
         FROM discrepancies d
         JOIN UNNEST($2::TEXT[], $3::TEXT[]) AS f (code, fingerprint) USING (code, fingerprint)
         WHERE d.merchant = $1",
        by.merchant,
        &columns.codes,
        &columns.fingerprints,
        by.as_of.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = row.state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            let (bill_fen, book_fen, risk_fen) = (row.bill_amount_fen, row.book_amount_fen, row.risk_fen);
            let (waiver_over, would_be_gone) = (row.waiver_over, row.would_be_gone);
            Ok((
                (row.code, row.fingerprint),
                Before { state, waiver_over, bill_fen, book_fen, risk_fen, would_be_gone },
            ))
        })
        .collect()
}

/// A difference that changes its state begins a life of its own: nothing of an earlier one's end, proposal or repair is left.
/// Where nothing of ours reads "changed" it is `discrepancies.state <> EXCLUDED.state`.
///
/// The table's checks look at the new row before Postgres finds that there is one already, so a row whose state stays WAIVED,
/// PROPOSED or APPROVED names something in the columns that go with it; what was there stays.
async fn upsert(
    conn: &mut PgConnection,
    by: &FoundBy<'_>,
    columns: &Columns,
    steps: &[(Step, DiscrepancyState)],
    new_id: impl Fn() -> Uuid,
) -> sqlx::Result<HashMap<Identity, Uuid>> {
    let ids: Vec<Uuid> = steps.iter().map(|_| new_id()).collect();
    let states: Vec<String> = steps.iter().map(|(_, state)| state.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "INSERT INTO discrepancies (discrepancy_id, merchant, bill_date, code, out_trade_no, transaction_id, app_id,
             bill_amount_fen, book_amount_fen, explanation, state, open_time, opened_by, risk_fen, fingerprint,
             out_refund_no, refund_id, account, movement, due_date, repair, critical, repair_at, waived_until, proposed,
             proposed_by)
         SELECT f.id, $1, $2, f.code, f.out_trade_no, f.transaction_id, f.app_id, f.bill, f.book, f.explanation, f.state, $3,
             $4, f.risk, f.fingerprint, f.out_refund_no, f.refund_id, f.account, f.movement,
             CASE WHEN f.state = 'HELD' THEN f.due END, f.repair, f.critical,
             CASE WHEN f.state = 'OPEN' AND f.repair IS NOT NULL THEN now() END,
             CASE WHEN f.state = 'WAIVED' THEN 'infinity'::DATE END,
             CASE WHEN f.state IN ('PROPOSED', 'APPROVED') THEN '' END,
             CASE WHEN f.state IN ('PROPOSED', 'APPROVED') THEN '' END
         FROM UNNEST($5::UUID[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::BIGINT[], $11::BIGINT[], $12::TEXT[],
             $13::TEXT[], $14::BIGINT[], $15::TEXT[], $16::TEXT[], $17::TEXT[], $18::TEXT[], $19::TEXT[], $20::DATE[],
             $21::TEXT[], $22::BOOLEAN[])
             AS f (id, code, out_trade_no, transaction_id, app_id, bill, book, explanation, state, risk, fingerprint,
                 out_refund_no, refund_id, account, movement, due, repair, critical)
         ON CONFLICT (merchant, code, fingerprint) DO UPDATE SET
             bill_date = CASE discrepancies.state WHEN 'RESOLVED' THEN EXCLUDED.bill_date ELSE discrepancies.bill_date END,
             app_id = EXCLUDED.app_id, bill_amount_fen = EXCLUDED.bill_amount_fen,
             book_amount_fen = EXCLUDED.book_amount_fen, risk_fen = EXCLUDED.risk_fen, explanation = EXCLUDED.explanation,
             repair = EXCLUDED.repair, critical = discrepancies.critical OR EXCLUDED.critical,
             state = EXCLUDED.state, due_date = EXCLUDED.due_date, resolve_time = NULL, resolved_by = NULL,
             waived_until = CASE EXCLUDED.state WHEN 'WAIVED' THEN discrepancies.waived_until END,
             resolution = CASE EXCLUDED.state WHEN discrepancies.state THEN discrepancies.resolution ELSE '' END,
             proposed = CASE EXCLUDED.state WHEN discrepancies.state THEN discrepancies.proposed END,
             proposed_by = CASE EXCLUDED.state WHEN discrepancies.state THEN discrepancies.proposed_by END,
             repair_at = CASE EXCLUDED.state WHEN discrepancies.state THEN discrepancies.repair_at ELSE EXCLUDED.repair_at END,
             repair_count = CASE EXCLUDED.state WHEN discrepancies.state THEN discrepancies.repair_count ELSE 0 END
         RETURNING discrepancy_id, code, fingerprint",
        by.merchant,
        by.day.to_sqlx() as _,
        by.now.to_sqlx() as _,
        by.run_id,
        &ids,
        &columns.codes,
        &columns.out_trade_nos,
        &columns.transactions,
        &columns.apps,
        &columns.bills,
        &columns.books,
        &columns.explanations,
        &states,
        &columns.risks,
        &columns.fingerprints,
        &columns.out_refund_nos,
        &columns.refunds,
        &columns.accounts,
        &columns.movements,
        &columns.dues as &[Option<jiff_sqlx::Date>],
        &columns.repairs as &[Option<String>],
        &columns.critical,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.code, row.fingerprint), row.discrepancy_id)).collect())
}

/// What this version found, so that it stays readable as it was.
async fn snapshot(conn: &mut PgConnection, run_id: Uuid, ids: &[Uuid], columns: &Columns) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO run_differences (run_id, discrepancy_id, bill_amount_fen, book_amount_fen, explanation, risk_fen,
             due_date)
         SELECT $1, * FROM UNNEST($2::UUID[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[], $7::DATE[])",
        run_id,
        ids,
        &columns.bills,
        &columns.books,
        &columns.explanations,
        &columns.risks,
        &columns.dues as &[Option<jiff_sqlx::Date>],
    )
    .execute(conn)
    .await?;
    Ok(())
}
