//! What the start page and the charts show: many days at once, each question one query, whatever the number of merchants.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use reconciliation::Code;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::runs::{DiscrepancyState, RunState};

/// Most days of runs that one look reads: far more than 100 merchants in a month.
const MAX_DAYS: i64 = 10_000;

/// A merchant of which there are runs or books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub merchant: String,
    /// When its last comparison was finished; a refused bill is none.
    pub completed: Option<Timestamp>,
}

/// The run of a day that counts, or the one under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRun {
    /// Names the run.
    pub run_id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// How far it is.
    pub state: RunState,
    /// Differences that it found, those that only wait left out.
    pub differences: i64,
    /// What may still come with a later bill.
    pub waiting: i64,
}

/// What is open of one merchant's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDay {
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// How many differences.
    pub count: i64,
    /// How many of them somebody must look at today.
    pub critical: i64,
    /// What they may lose together.
    pub risk: Fen,
    /// When the oldest was first seen.
    pub oldest: Timestamp,
}

/// A difference that a person must do something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Names the difference.
    pub discrepancy_id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// What differs.
    pub code: Code,
    /// The number by which people know it: the refund's, the payment's or the movement's.
    pub number: String,
    /// What may be lost.
    pub risk: Fen,
    /// How far it is.
    pub state: DiscrepancyState,
    /// Somebody must look today.
    pub critical: bool,
    /// Who looks after it; empty when nobody does.
    pub assignee: String,
    /// When it was first seen.
    pub open_time: Timestamp,
}

/// Merchants by name, after `after`.
pub async fn merchants(conn: &mut PgConnection, after: &str, limit: i64) -> sqlx::Result<Vec<Known>> {
    // Each step is one look into an index, so that millions of payments of a merchant are not read to learn its name.
    let rows = sqlx::query!(
        r#"WITH RECURSIVE named (merchant) AS (
             SELECT LEAST((SELECT MIN(merchant) FROM runs WHERE $1 < merchant),
                          (SELECT MIN(merchant) FROM book_payments WHERE $1 < merchant))
             UNION ALL
             SELECT LEAST((SELECT MIN(r.merchant) FROM runs r WHERE named.merchant < r.merchant),
                          (SELECT MIN(b.merchant) FROM book_payments b WHERE named.merchant < b.merchant))
             FROM named WHERE named.merchant IS NOT NULL)
           SELECT merchant AS "merchant!", (SELECT MAX(r.end_time) FROM runs r WHERE r.merchant = named.merchant
             AND r.state IN ('BALANCED', 'WAITING', 'DIFFERENCES')) AS completed
           FROM named WHERE merchant IS NOT NULL LIMIT $2"#,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let known = |merchant, completed: Option<jiff_sqlx::Timestamp>| Known {
        merchant,
        completed: completed.map(jiff_sqlx::Timestamp::to_jiff),
    };
    Ok(rows.into_iter().map(|row| known(row.merchant, row.completed)).collect())
}

/// The runs of these days, of one merchant or of all, a day's current one after the one under way.
pub async fn days(
    conn: &mut PgConnection,
    merchant: Option<&str>,
    first: Date,
    last: Date,
) -> sqlx::Result<Vec<DayRun>> {
    let rows = sqlx::query!(
        r#"SELECT r.run_id, r.merchant, r.bill_date, r.state, r.waiting_count,
             COALESCE((SELECT SUM(c.count) FROM run_codes c WHERE c.run_id = r.run_id), 0)::BIGINT AS "differences!"
           FROM runs r
           WHERE (r.current OR r.state = 'RUNNING') AND $2 <= r.bill_date AND r.bill_date <= $3
             AND ($1::TEXT IS NULL OR r.merchant = $1)
           ORDER BY r.bill_date DESC, r.merchant, r.current LIMIT $4"#,
        merchant,
        first.to_sqlx() as _,
        last.to_sqlx() as _,
        MAX_DAYS,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DayRun {
                run_id: row.run_id,
                merchant: row.merchant,
                bill_date: row.bill_date.to_jiff(),
                state: row.state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                differences: row.differences,
                waiting: row.waiting_count,
            })
        })
        .collect()
}

/// What is open, of one merchant or of all, by day.
pub async fn open(conn: &mut PgConnection, merchant: Option<&str>) -> sqlx::Result<Vec<OpenDay>> {
    let rows = sqlx::query!(
        r#"SELECT merchant, bill_date, COUNT(*) AS "count!", COUNT(*) FILTER (WHERE critical) AS "critical!",
             LEAST(SUM(risk_fen), 9223372036854775807)::BIGINT AS "risk_fen!", MIN(open_time) AS "oldest!"
           FROM discrepancies
           WHERE state IN ('OPEN', 'RESOLVING', 'PROPOSED', 'APPROVED') AND ($1::TEXT IS NULL OR merchant = $1)
           GROUP BY merchant, bill_date ORDER BY bill_date DESC, merchant LIMIT $2"#,
        merchant,
        MAX_DAYS,
    )
    .fetch_all(conn)
    .await?;
    let open = rows.into_iter().map(|row| OpenDay {
        merchant: row.merchant,
        bill_date: row.bill_date.to_jiff(),
        count: row.count,
        critical: row.critical,
        risk: Fen::new(row.risk_fen),
        oldest: row.oldest.to_jiff(),
    });
    Ok(open.collect())
}

/// What waits for a person: open or proposed, critical ones first, then by amount at risk.
pub async fn needed(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Needed>> {
    let rows = sqlx::query!(
        r#"SELECT discrepancy_id, merchant, bill_date, code, risk_fen, state, critical, assignee, open_time,
             COALESCE(NULLIF(out_refund_no, ''), NULLIF(refund_id, ''), NULLIF(out_trade_no, ''), NULLIF(transaction_id, ''),
               NULLIF(movement, ''), account) AS "number!"
           FROM discrepancies WHERE state IN ('OPEN', 'PROPOSED')
           ORDER BY critical DESC, risk_fen DESC, discrepancy_id DESC LIMIT $1"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Needed {
                discrepancy_id: row.discrepancy_id,
                merchant: row.merchant,
                bill_date: row.bill_date.to_jiff(),
                code: row.code.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                number: row.number,
                risk: Fen::new(row.risk_fen),
                state: row.state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                critical: row.critical,
                assignee: row.assignee,
                open_time: row.open_time.to_jiff(),
            })
        })
        .collect()
}
