//! Reading runs and differences back.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::{Fen, MilliFen};
use sqlx::PgConnection;
use uuid::Uuid;

use reconciliation::{AccountDay, AccountKind, Code, MovementKind, MovementState, Tally};

use crate::report::OrderOf;
use crate::runs::{CodeTally, Discrepancy, DiscrepancyState, Input, InputKind, Run, RunState, UnknownState};

/// Which runs are wanted; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// This one only.
    pub run_id: Option<Uuid>,
    /// Of this merchant.
    pub merchant: Option<String>,
    /// Of this day.
    pub bill_date: Option<Date>,
    /// Only the last final version of each day.
    pub current_only: bool,
    /// Older than this one.
    pub before: Option<Uuid>,
}

/// Which differences are wanted; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct DiscrepancyFilter {
    /// Of this merchant.
    pub merchant: Option<String>,
    /// Of this day.
    pub bill_date: Option<Date>,
    /// In this state.
    pub state: Option<DiscrepancyState>,
    /// Of this code.
    pub code: Option<Code>,
    /// Found by this run; amounts and explanation are then as that run saw them.
    pub run_id: Option<Uuid>,
    /// This one only.
    pub discrepancy_id: Option<Uuid>,
    /// One of these.
    pub ids: Option<Vec<Uuid>>,
    /// With this number of either side, or of the team's order behind it.
    pub number: Option<String>,
    /// Looked after by this person.
    pub assignee: Option<String>,
    /// Neither ended nor only waiting.
    pub unfinished_only: bool,
    /// After the one with this amount at risk and this id.
    pub after: Option<(Fen, Uuid)>,
}

/// Runs, newest first.
pub async fn runs(conn: &mut PgConnection, filter: &RunFilter, limit: i64) -> sqlx::Result<Vec<Run>> {
    let rows = sqlx::query!(
        "SELECT run_id, merchant, bill_date, version, state, problem, engine_version, bill_count, bill_sum_fen, bill_refund_count,
             bill_refund_sum_fen, bill_revoked_count, bill_revoked_sum_fen, bill_fee_milli_fen, book_count, book_sum_fen, matched_count, matched_sum_fen,
             bill_sha256, books_sha256, start_time, end_time, current, as_of, rules_version, book_refund_count,
             book_refund_sum_fen, matched_refund_count, matched_refund_sum_fen, waiting_count, waiting_sum_fen, result_sha256
         FROM runs
         WHERE ($1::UUID IS NULL OR run_id = $1) AND ($2::TEXT IS NULL OR merchant = $2)
           AND ($3::DATE IS NULL OR bill_date = $3) AND ($4 = FALSE OR current) AND ($5::UUID IS NULL OR run_id < $5)
         ORDER BY run_id DESC LIMIT $6",
        filter.run_id,
        filter.merchant.as_deref(),
        filter.bill_date.map(Date::to_sqlx) as _,
        filter.current_only,
        filter.before,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.run_id).collect();
    let mut codes = codes_of(conn, &ids).await?;
    let mut accounts = accounts_of(conn, &ids).await?;
    let mut inputs = inputs_of(conn, &ids).await?;
    let tally = |count, sum_fen| Tally { count, sum: Fen::new(sum_fen) };
    rows.into_iter()
        .map(|row| {
            Ok(Run {
                id: row.run_id,
                merchant: row.merchant,
                bill_date: row.bill_date.to_jiff(),
                version: row.version,
                state: row.state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                problem: row.problem,
                engine_version: row.engine_version,
                bill: tally(row.bill_count, row.bill_sum_fen),
                refunds: tally(row.bill_refund_count, row.bill_refund_sum_fen),
                revoked: tally(row.bill_revoked_count, row.bill_revoked_sum_fen),
                fee: MilliFen::new(row.bill_fee_milli_fen),
                books: tally(row.book_count, row.book_sum_fen),
                matched: tally(row.matched_count, row.matched_sum_fen),
                book_refunds: tally(row.book_refund_count, row.book_refund_sum_fen),
                matched_refunds: tally(row.matched_refund_count, row.matched_refund_sum_fen),
                waiting: tally(row.waiting_count, row.waiting_sum_fen),
                codes: codes.remove(&row.run_id).unwrap_or_default(),
                accounts: accounts.remove(&row.run_id).unwrap_or_default(),
                inputs: inputs.remove(&row.run_id).unwrap_or_default(),
                rules_version: row.rules_version,
                as_of: row.as_of.map(jiff_sqlx::Date::to_jiff),
                bill_sha256: row.bill_sha256,
                books_sha256: row.books_sha256,
                result_sha256: row.result_sha256,
                start_time: row.start_time.to_jiff(),
                end_time: row.end_time.map(jiff_sqlx::Timestamp::to_jiff),
                current: row.current,
            })
        })
        .collect()
}

/// One run.
pub async fn run(conn: &mut PgConnection, run_id: Uuid) -> sqlx::Result<Option<Run>> {
    let filter = RunFilter { run_id: Some(run_id), ..RunFilter::default() };
    Ok(runs(conn, &filter, 1).await?.pop())
}

/// The last final version of a day.
pub async fn current(conn: &mut PgConnection, merchant: &str, day: Date) -> sqlx::Result<Option<Run>> {
    let filter = RunFilter {
        merchant: Some(merchant.to_owned()),
        bill_date: Some(day),
        current_only: true,
        ..RunFilter::default()
    };
    Ok(runs(conn, &filter, 1).await?.pop())
}

/// The latest version of a day that is final, whether it counts or not.
pub async fn latest(conn: &mut PgConnection, merchant: &str, day: Date) -> sqlx::Result<Option<Run>> {
    let filter = RunFilter { merchant: Some(merchant.to_owned()), bill_date: Some(day), ..RunFilter::default() };
    // One may be under way; it is the newest.
    Ok(runs(conn, &filter, 2).await?.into_iter().find(|run| run.state != RunState::Running))
}

async fn codes_of(conn: &mut PgConnection, runs: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<CodeTally>>> {
    let rows = sqlx::query!("SELECT run_id, code, count, sum_fen FROM run_codes WHERE run_id = ANY($1)", runs,)
        .fetch_all(conn)
        .await?;
    let mut codes: HashMap<Uuid, Vec<CodeTally>> = HashMap::new();
    for row in rows {
        let code = row.code.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        codes.entry(row.run_id).or_default().push(CodeTally { code, count: row.count, sum: Fen::new(row.sum_fen) });
    }
    for of_run in codes.values_mut() {
        of_run.sort_unstable_by_key(|tally| tally.code);
    }
    Ok(codes)
}

async fn inputs_of(conn: &mut PgConnection, runs: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<Input>>> {
    let rows = sqlx::query!("SELECT run_id, input, state, sha256, bytes FROM run_inputs WHERE run_id = ANY($1)", runs)
        .fetch_all(conn)
        .await?;
    let mut inputs: HashMap<Uuid, Vec<Input>> = HashMap::new();
    for row in rows {
        let kind: InputKind = row.input.parse().map_err(undecodable)?;
        let bytes = u64::try_from(row.bytes).unwrap_or_default();
        inputs.entry(row.run_id).or_default().push(Input {
            kind,
            state: movement_state(&row.state)?,
            sha256: row.sha256,
            bytes,
        });
    }
    for of_run in inputs.values_mut() {
        of_run.sort_unstable_by_key(|input| input.kind);
    }
    Ok(inputs)
}

async fn accounts_of(conn: &mut PgConnection, runs: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<AccountDay>>> {
    let rows = sqlx::query!(
        "SELECT run_id, account, state, opening_fen, closing_fen FROM run_accounts WHERE run_id = ANY($1)",
        runs,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut accounts: HashMap<Uuid, Vec<AccountDay>> = HashMap::new();
    for row in rows {
        accounts.entry(row.run_id).or_default().push(AccountDay {
            account: account(&row.account)?,
            state: movement_state(&row.state)?,
            opening: row.opening_fen.map(Fen::new),
            closing: row.closing_fen.map(Fen::new),
            movements: Vec::new(),
        });
    }
    let moved = sqlx::query!(
        "SELECT run_id, account, kind, of_trades, count, sum_fen FROM run_movements WHERE run_id = ANY($1)
         ORDER BY kind, of_trades",
        runs,
    )
    .fetch_all(conn)
    .await?;
    for row in moved {
        let of = account(&row.account)?;
        let days = accounts.entry(row.run_id).or_default();
        if let Some(day) = days.iter_mut().find(|day| day.account == of) {
            let (count, sum) = (row.count, Fen::new(row.sum_fen));
            day.movements.push(MovementKind { kind: row.kind, count, sum, of_trades: row.of_trades });
        }
    }
    for days in accounts.values_mut() {
        days.sort_unstable_by_key(|day| day.account);
    }
    Ok(accounts)
}

fn account(word: &str) -> sqlx::Result<AccountKind> {
    AccountKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| undecodable(UnknownState))
}

fn movement_state(word: &str) -> sqlx::Result<MovementState> {
    let all = [MovementState::Read, MovementState::None, MovementState::NotFetched];
    all.into_iter().find(|state| state.as_str() == word).ok_or_else(|| undecodable(UnknownState))
}

pub(super) fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// Differences, largest amount at risk first.
pub async fn discrepancies(
    conn: &mut PgConnection,
    filter: &DiscrepancyFilter,
    limit: i64,
) -> sqlx::Result<Vec<Discrepancy>> {
    let rows = sqlx::query!(
        r#"SELECT d.discrepancy_id, d.merchant, d.bill_date, d.code, d.out_trade_no, d.transaction_id,
             COALESCE(f.bill_amount_fen, d.bill_amount_fen) AS "bill_amount_fen!",
             COALESCE(f.book_amount_fen, d.book_amount_fen) AS "book_amount_fen!",
             COALESCE(f.explanation, d.explanation) AS "explanation!",
             COALESCE(f.risk_fen, d.risk_fen) AS "risk_fen!",
             d.state, d.open_time, d.opened_by, d.resolve_time, d.resolved_by, d.out_refund_no, d.refund_id, d.account,
             d.movement, d.due_date, d.repair, d.critical, d.assignee, d.waived_until, d.resolution, d.answer, d.proposed,
             d.proposed_by,
             (SELECT MAX(a.sequence) FROM audit_log a
              WHERE d.state = 'PROPOSED' AND a.discrepancy_id = d.discrepancy_id AND a.action = 'PROPOSED') AS proposal_sequence
         FROM discrepancies d
         LEFT JOIN run_differences f ON f.discrepancy_id = d.discrepancy_id AND f.run_id = $5
         WHERE ($1::TEXT IS NULL OR d.merchant = $1) AND ($2::DATE IS NULL OR d.bill_date = $2)
           AND ($3::TEXT IS NULL OR d.state = $3) AND ($4::TEXT IS NULL OR d.code = $4)
           AND ($5::UUID IS NULL OR f.run_id = $5)
           AND ($6::BIGINT IS NULL OR (COALESCE(f.risk_fen, d.risk_fen), d.discrepancy_id) < ($6, $7))
           AND ($9::TEXT IS NULL OR $9 IN (d.out_trade_no, d.transaction_id, d.out_refund_no, d.refund_id, d.movement)
                OR d.out_trade_no = ANY (ARRAY(SELECT p.out_trade_no FROM book_orders o
                    JOIN book_payments p ON p.order_id = o.order_id WHERE o.order_no = $9)))
           AND ($10::TEXT IS NULL OR d.assignee = $10)
           AND (NOT $11 OR d.state IN ('OPEN', 'RESOLVING', 'PROPOSED', 'APPROVED'))
           AND ($12::UUID IS NULL OR d.discrepancy_id = $12)
           AND ($13::UUID[] IS NULL OR d.discrepancy_id = ANY($13))
         ORDER BY COALESCE(f.risk_fen, d.risk_fen) DESC, d.discrepancy_id DESC LIMIT $8"#,
        filter.merchant.as_deref(),
        filter.bill_date.map(Date::to_sqlx) as _,
        filter.state.map(DiscrepancyState::as_str),
        filter.code.map(Code::as_str),
        filter.run_id,
        filter.after.map(|(risk, _)| risk.get()),
        filter.after.map(|(_, id)| id),
        limit,
        filter.number.as_deref(),
        filter.assignee.as_deref(),
        filter.unfinished_only,
        filter.discrepancy_id,
        filter.ids.as_deref(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Discrepancy {
                id: row.discrepancy_id,
                merchant: row.merchant,
                bill_date: row.bill_date.to_jiff(),
                code: row.code.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                out_trade_no: row.out_trade_no,
                transaction_id: row.transaction_id,
                bill_amount: Fen::new(row.bill_amount_fen),
                book_amount: Fen::new(row.book_amount_fen),
                state: row.state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                open_time: row.open_time.to_jiff(),
                opened_by: row.opened_by,
                resolve_time: row.resolve_time.map(jiff_sqlx::Timestamp::to_jiff),
                resolved_by: row.resolved_by,
                explanation: row.explanation,
                out_refund_no: row.out_refund_no,
                refund_id: row.refund_id,
                account: row.account,
                movement: row.movement,
                risk: Fen::new(row.risk_fen),
                due_date: row.due_date.map(jiff_sqlx::Date::to_jiff),
                repair: row.repair,
                critical: row.critical,
                assignee: row.assignee,
                waived_until: row.waived_until.map(jiff_sqlx::Date::to_jiff),
                resolution: row.resolution,
                answer: row.answer,
                proposed: row.proposed,
                proposed_by: row.proposed_by,
                proposal_sequence: row.proposal_sequence,
            })
        })
        .collect()
}

/// Whose orders these numbers belong to, as far as we know.
pub async fn orders_of(
    conn: &mut PgConnection,
    merchant: &str,
    numbers: &[String],
) -> sqlx::Result<HashMap<String, OrderOf>> {
    let rows = sqlx::query!(
        r#"SELECT p.out_trade_no, p.app, o.order_no AS "order_no?"
           FROM book_payments p LEFT JOIN book_orders o USING (order_id)
           WHERE p.merchant = $1 AND p.out_trade_no = ANY($2)"#,
        merchant,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.out_trade_no, OrderOf { app: row.app, order_no: row.order_no })).collect())
}
