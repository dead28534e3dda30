//! What one run found, all of it, for a file.

use std::time::Duration;

use futures::{Stream, StreamExt as _};
use money::Fen;
use sqlx::PgConnection;
use uuid::Uuid;

use super::listing::undecodable;
use crate::runs::Discrepancy;

/// One difference as a run saw it: amounts, explanation and due date are the run's; state, assignee and answer are of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The difference. Its due date is there only while it waited in that run.
    pub difference: Discrepancy,
    /// The team whose order is behind it; empty where we know none.
    pub app: String,
    /// The team's number of that order; empty where we know none.
    pub order_no: String,
}

/// Lets each statement of this transaction take so long.
pub async fn allow(conn: &mut PgConnection, time: Duration) -> sqlx::Result<()> {
    let milliseconds = time.as_millis().to_string();
    sqlx::query!("SELECT set_config('statement_timeout', $1, TRUE) AS before", milliseconds).fetch_one(conn).await?;
    Ok(())
}

/// Everything that a run found, what only waited in it included, largest amount at risk first.
///
/// One statement, so that all rows are of one moment. Rows come as fast as they are taken and are not gathered here.
pub fn found(conn: &mut PgConnection, run_id: Uuid) -> impl Stream<Item = sqlx::Result<Found>> + Send + '_ {
    let rows = sqlx::query!(
        r#"SELECT d.discrepancy_id, d.merchant, d.bill_date, d.code, d.out_trade_no, d.transaction_id, f.bill_amount_fen,
             f.book_amount_fen, f.explanation, f.risk_fen, f.due_date, d.state, d.open_time, d.opened_by, d.resolve_time,
             d.resolved_by, d.out_refund_no, d.refund_id, d.account, d.movement, d.repair, d.critical, d.assignee,
             d.waived_until, d.resolution, d.answer, d.proposed, d.proposed_by,
             (SELECT MAX(a.sequence) FROM audit_log a
              WHERE d.state = 'PROPOSED' AND a.discrepancy_id = d.discrepancy_id AND a.action = 'PROPOSED') AS proposal_sequence,
             COALESCE(p.app, r.app, '') AS "app!", COALESCE(o.order_no, '') AS "order_no!"
         FROM run_differences f
         JOIN discrepancies d USING (discrepancy_id)
         LEFT JOIN book_payments p ON p.merchant = d.merchant AND p.out_trade_no = d.out_trade_no
         LEFT JOIN book_refunds r ON r.merchant = d.merchant AND r.out_refund_no = d.out_refund_no
         LEFT JOIN book_orders o ON o.order_id = COALESCE(p.order_id, r.order_id)
         WHERE f.run_id = $1
         ORDER BY f.risk_fen DESC, d.discrepancy_id DESC"#,
        run_id,
    )
    .fetch(conn);
    rows.map(|row| {
        let row = row?;
        let difference = Discrepancy {
            id: row.discrepancy_id,
            merchant: row.merchant,
            bill_date: row.bill_date.to_jiff(),
            code: row.code.parse().map_err(undecodable)?,
            out_trade_no: row.out_trade_no,
            transaction_id: row.transaction_id,
            bill_amount: Fen::new(row.bill_amount_fen),
            book_amount: Fen::new(row.book_amount_fen),
            out_refund_no: row.out_refund_no,
            refund_id: row.refund_id,
            account: row.account,
            movement: row.movement,
            risk: Fen::new(row.risk_fen),
            state: row.state.parse().map_err(undecodable)?,
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
            open_time: row.open_time.to_jiff(),
            opened_by: row.opened_by,
            resolve_time: row.resolve_time.map(jiff_sqlx::Timestamp::to_jiff),
            resolved_by: row.resolved_by,
            explanation: row.explanation,
        };
        Ok(Found { difference, app: row.app, order_no: row.order_no })
    })
}
