//! Differences that are about to change: locked, so that two who decide about one wait for each other.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use reconciliation::Code;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::resolution::step::{Action, Standing};
use crate::runs::DiscrepancyState;

/// A locked difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Names it.
    pub id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// Civil date in Asia/Shanghai.
    pub bill_date: Date,
    /// What differs.
    pub code: Code,
    /// How far it is.
    pub state: DiscrepancyState,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// The provider's number of the refund.
    pub refund_id: String,
    /// In the bill.
    pub bill_amount: Fen,
    /// In our books.
    pub book_amount: Fen,
    /// What may be lost.
    pub risk: Fen,
    /// What order-svc can do by itself, in the words of the table.
    pub repair: Option<String>,
    /// How often it was asked about by itself.
    pub repair_count: i32,
    /// What somebody proposed.
    pub proposed: Option<Action>,
    /// Who did.
    pub proposed_by: Option<String>,
}

impl Subject {
    /// As far as a step depends on it. `proposal_sequence` names what somebody proposed.
    pub fn standing(&self, proposal_sequence: Option<i64>) -> Standing<'_> {
        Standing {
            state: self.state,
            code: self.code,
            has_repair: self.repair.is_some(),
            proposed: self.proposed,
            proposed_by: self.proposed_by.as_deref(),
            proposal_sequence,
            risk: self.risk,
        }
    }
}

/// Locks these differences, in the order of their ids, and reads them.
pub async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Subject>> {
    let rows = sqlx::query!(
        "SELECT discrepancy_id, merchant, bill_date, code, state, out_trade_no, transaction_id, out_refund_no, refund_id,
             bill_amount_fen, book_amount_fen, risk_fen, repair, repair_count, proposed, proposed_by
         FROM discrepancies WHERE discrepancy_id = ANY($1) ORDER BY discrepancy_id FOR UPDATE",
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let proposed = row.proposed.map(|word| word.parse().map_err(undecodable)).transpose()?;
            Ok(Subject {
                id: row.discrepancy_id,
                merchant: row.merchant,
                bill_date: row.bill_date.to_jiff(),
                code: row.code.parse().map_err(undecodable)?,
                state: row.state.parse().map_err(undecodable)?,
                out_trade_no: row.out_trade_no,
                transaction_id: row.transaction_id,
                out_refund_no: row.out_refund_no,
                refund_id: row.refund_id,
                bill_amount: Fen::new(row.bill_amount_fen),
                book_amount: Fen::new(row.book_amount_fen),
                risk: Fen::new(row.risk_fen),
                repair: row.repair,
                repair_count: row.repair_count,
                proposed,
                proposed_by: row.proposed_by,
            })
        })
        .collect()
}

/// Locks the differences about which order-svc is to be asked now, but for those that somebody else has locked, and those about
/// which it was asked and has not answered.
pub async fn lock_to_repair(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT d.discrepancy_id FROM discrepancies d
         WHERE d.state = 'OPEN' AND d.repair_at <= now() AND d.repair IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM repairs r WHERE r.discrepancy_id = d.discrepancy_id AND r.outcome IS NULL)
         ORDER BY d.repair_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED",
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Locks differences that somebody lived with until `today`, but for those that somebody else has locked.
pub async fn lock_waived_until(conn: &mut PgConnection, today: Date, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT discrepancy_id FROM discrepancies WHERE state = 'WAIVED' AND waived_until <= $1
         ORDER BY waived_until LIMIT $2 FOR UPDATE SKIP LOCKED",
        today.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// OPEN → RESOLVING. `by_itself`: nobody asked for it, so it counts.
pub async fn resolving(conn: &mut PgConnection, ids: &[Uuid], by_itself: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'RESOLVING', repair_at = NULL, repair_count = CASE WHEN $2 THEN repair_count + 1 ELSE 0 END
         WHERE discrepancy_id = ANY($1)",
        ids,
        by_itself,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// RESOLVING, APPROVED → OPEN, with what order-svc answered. In how many minutes it is asked again is the database's clock's.
pub async fn answered(
    conn: &mut PgConnection,
    id: Uuid,
    answer: &str,
    again_in_minutes: Option<i32>,
    critical: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'OPEN', answer = $2, repair_at = now() + make_interval(mins => $3::INTEGER),
             critical = critical OR $4, proposed = NULL, proposed_by = NULL
         WHERE discrepancy_id = $1",
        id,
        answer,
        again_in_minutes,
        critical,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// APPROVED, PROPOSED → APPLIED. `answer` is empty when order-svc had nothing to do.
pub async fn applied(conn: &mut PgConnection, id: Uuid, answer: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'APPLIED', resolution = 'APPLIED', repair_at = NULL,
             answer = CASE WHEN $2 = '' THEN answer ELSE $2 END
         WHERE discrepancy_id = $1",
        id,
        answer,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// OPEN → PROPOSED.
pub async fn proposed(conn: &mut PgConnection, id: Uuid, action: Action, person: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'PROPOSED', proposed = $2, proposed_by = $3 WHERE discrepancy_id = $1",
        id,
        action.as_str(),
        person,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// PROPOSED → APPROVED.
pub async fn approved(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE discrepancies SET state = 'APPROVED', repair_at = NULL WHERE discrepancy_id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// PROPOSED → OPEN. What was to be asked by itself still is.
pub async fn rejected(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'OPEN', proposed = NULL, proposed_by = NULL WHERE discrepancy_id = $1",
        id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// OPEN → WAIVED.
pub async fn waived(conn: &mut PgConnection, id: Uuid, until: Date) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'WAIVED', resolution = 'WAIVED', waived_until = $2, repair_at = NULL
         WHERE discrepancy_id = $1",
        id,
        until.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// WAIVED → OPEN.
pub async fn waivers_ended(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE discrepancies SET state = 'OPEN', resolution = '', waived_until = NULL,
             repair_at = CASE WHEN repair IS NOT NULL THEN now() END
         WHERE discrepancy_id = ANY($1)",
        ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives it to a person.
pub async fn assigned(conn: &mut PgConnection, id: Uuid, person: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE discrepancies SET assignee = $2 WHERE discrepancy_id = $1", id, person).execute(conn).await?;
    Ok(())
}

/// What a resolve request was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveRequest {
    /// Names it.
    pub request_id: Uuid,
    /// Which difference.
    pub discrepancy: Uuid,
    /// Who asked.
    pub person: String,
    /// SHA-256 of what was asked, hex.
    pub content_sha256: String,
}

/// Notes a request, and answers the one that had its id before, if any.
pub async fn note_request(
    conn: &mut PgConnection,
    request: &ResolveRequest,
    now: Timestamp,
) -> sqlx::Result<Option<ResolveRequest>> {
    let noted = sqlx::query!(
        "INSERT INTO resolve_requests (request_id, discrepancy_id, person, content_sha256, create_time)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (request_id) DO NOTHING",
        request.request_id,
        request.discrepancy,
        request.person,
        request.content_sha256,
        now.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    if noted.rows_affected() == 1 {
        return Ok(None);
    }
    sqlx::query_as!(
        ResolveRequest,
        "SELECT request_id, discrepancy_id AS discrepancy, person, content_sha256 FROM resolve_requests WHERE request_id = $1",
        request.request_id,
    )
    .fetch_optional(conn)
    .await
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
