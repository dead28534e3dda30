use jiff::civil::Date;
use proto::event::{DiscrepancyOpened, DiscrepancyResolved, ReconciliationCompleted};
use sqlx::PgConnection;
use svc_kit::outbox::{enqueue, enqueue_many};
use uuid::Uuid;

use super::compare::Finding;
use super::{Reconciler, Run, RunError, RunState};
use crate::PROCESS;
use crate::engine::Difference;
use crate::resolution::{self, Steps};
use crate::store::claims::Claim;
use crate::store::discrepancies::{self, Resolved};
use crate::store::listing;
use crate::store::results::{self, Verdict};

/// Events written at once: one statement's worth of memory.
const EVENTS_PER_STATEMENT: usize = 1000;

impl Reconciler {
    /// Makes the run final: its row, its differences and their events, in one transaction.
    pub(super) async fn conclude(
        &self,
        claim: &Claim,
        merchant: &str,
        day: Date,
        finding: &Finding,
        verdict: &Verdict,
    ) -> Result<Run, RunError> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        if !results::finish(&mut tx, claim, merchant, day, verdict, now).await? {
            return Err(RunError::InProgress);
        }
        if let Finding::Compared(outcome) = finding {
            let id = claim.run_id;
            let new_id = || self.clock.uuid_v7();
            results::note_boundary(&mut tx, claim, merchant, &outcome.boundary).await?;
            let opened = discrepancies::open(&mut tx, id, merchant, day, &outcome.differences, now, new_id).await?;
            let mut resolved = discrepancies::resolve_missing(&mut tx, id, merchant, day, now).await?;
            resolved.extend(discrepancies::resolve_boundary(&mut tx, id, merchant, &outcome.boundary, now).await?);
            let (opened_ids, resolved_ids): (Vec<Uuid>, Vec<Uuid>) =
                (opened.iter().map(|(id, _)| *id).collect(), resolved.iter().map(|gone| gone.id).collect());
            let steps = Steps {
                run_id: id,
                merchant,
                day,
                now,
                opened: &opened_ids,
                held: &[],
                ripened: &[],
                reopened: &[],
                resolved: &resolved_ids,
            };
            resolution::after_run(&mut tx, &steps).await?;
            for batch in opened.chunks(EVENTS_PER_STATEMENT) {
                let events = batch
                    .iter()
                    .map(|(discrepancy, difference)| opened_event(id, merchant, day, *discrepancy, difference));
                enqueue_many(&mut tx, &events.collect::<Vec<_>>(), PROCESS).await?;
            }
            for batch in resolved.chunks(EVENTS_PER_STATEMENT) {
                let events: Vec<_> = batch.iter().map(|resolved| resolved_event(id, merchant, resolved)).collect();
                enqueue_many(&mut tx, &events, PROCESS).await?;
            }
        }
        let open = discrepancies::open_count(&mut tx, merchant, day).await?;
        enqueue(&mut tx, &completed_event(claim, merchant, day, verdict, open), PROCESS).await?;
        let run = stored(&mut tx, claim.run_id).await?;
        tx.commit().await?;

        self.relay.wake();
        self.to_ask.notify_one();
        match run.state {
            RunState::Balanced | RunState::Waiting | RunState::Running => {
                tracing::info!(run = %run.id, merchant, %day, version = run.version, "{merchant} {day} is balanced");
            }
            RunState::Differences => {
                tracing::warn!(run = %run.id, merchant, %day, version = run.version, open, "{merchant} {day}: {open} open differences");
            }
            RunState::ControlFailed | RunState::BillInvalid => {
                let problem = &run.problem;
                tracing::error!(run = %run.id, merchant, %day, version = run.version, "the bill of {merchant} {day} is not to be trusted: {problem}");
            }
        }
        Ok(run)
    }
}

async fn stored(conn: &mut PgConnection, id: Uuid) -> Result<Run, RunError> {
    listing::run(conn, id).await?.ok_or_else(|| RunError::Internal("the run is gone".to_owned()))
}

fn opened_event(run: Uuid, merchant: &str, day: Date, discrepancy: Uuid, found: &Difference) -> DiscrepancyOpened {
    DiscrepancyOpened {
        discrepancy: format!("discrepancies/{discrepancy}"),
        merchant: merchant.to_owned(),
        bill_date: day.to_string(),
        code: found.code.as_str().to_owned(),
        out_trade_no: found.key.out_trade_no.clone(),
        transaction_id: found.key.transaction_id.clone(),
        bill_amount_fen: found.bill_amount.unwrap_or_default().get(),
        book_amount_fen: found.book_amount.unwrap_or_default().get(),
        run: format!("runs/{run}"),
        out_refund_no: String::new(),
        refund_id: String::new(),
        risk_fen: found.at_risk().get(),
        audit_sequence: 0,
    }
}

fn resolved_event(run: Uuid, merchant: &str, resolved: &Resolved) -> DiscrepancyResolved {
    DiscrepancyResolved {
        discrepancy: format!("discrepancies/{}", resolved.id),
        merchant: merchant.to_owned(),
        bill_date: resolved.bill_date.to_string(),
        code: resolved.code.clone(),
        out_trade_no: resolved.out_trade_no.clone(),
        run: format!("runs/{run}"),
        resolution: "RESOLVED_BY_RERUN".to_owned(),
        out_refund_no: String::new(),
        audit_sequence: 0,
    }
}

fn completed_event(claim: &Claim, merchant: &str, day: Date, verdict: &Verdict, open: i64) -> ReconciliationCompleted {
    ReconciliationCompleted {
        run: format!("runs/{}", claim.run_id),
        merchant: merchant.to_owned(),
        bill_date: day.to_string(),
        version: claim.version,
        verdict: verdict.state.as_str().to_owned(),
        bill_count: verdict.bill.count,
        bill_sum_fen: verdict.bill.sum.get(),
        book_count: verdict.books.count,
        book_sum_fen: verdict.books.sum.get(),
        open_discrepancies: open,
        bill_sha256: verdict.bill_sha256.clone(),
        bill_refund_count: verdict.refunds.count,
        bill_refund_sum_fen: verdict.refunds.sum.get(),
        book_refund_count: 0,
        book_refund_sum_fen: 0,
        bill_fee_yuan: verdict.fee.to_yuan(),
        inputs: Vec::new(),
        result_sha256: String::new(),
    }
}
