use jiff::civil::Date;
use proto::event::{DiscrepancyOpened, DiscrepancyResolved, ReconciliationCompleted, ReconciliationInput};
use reconciliation::{Difference, MovementState, Outcome};
use sqlx::PgConnection;
use svc_kit::crash;
use svc_kit::outbox::{enqueue, enqueue_many};
use uuid::Uuid;

use super::steps::Step;
use super::verdict::Verdict;
use super::{Reconciler, Run, RunError, RunState};
use crate::PROCESS;
use crate::resolution::{self, Steps};
use crate::store::claims::Claim;
use crate::store::discrepancies::{self, Found, FoundBy, Resolved};
use crate::store::{listing, locks, neighbours, results};

/// Events written at once: one statement's worth of memory.
const EVENTS_PER_STATEMENT: usize = 1000;

impl Reconciler {
    /// Makes the run final: its row, its differences and their events, in one transaction.
    pub(super) async fn conclude(
        &self,
        claim: &Claim,
        merchant: &str,
        day: Date,
        verdict: &Verdict,
    ) -> Result<Run, RunError> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        locks::one_run(&mut tx, merchant).await?;
        if !results::finish(&mut tx, claim, merchant, day, verdict, now).await? {
            return Err(RunError::InProgress);
        }
        if let Some(outcome) = &verdict.outcome {
            let by = FoundBy { run_id: claim.run_id, merchant, day, as_of: verdict.as_of, now };
            self.write_differences(&mut tx, &by, outcome).await?;
        }
        let open = discrepancies::open_count(&mut tx, merchant, day).await?;
        enqueue(&mut tx, &completed_event(claim, merchant, day, verdict, open), PROCESS).await?;
        let run = stored(&mut tx, claim.run_id).await?;
        crash::point("reconcile.before_commit");
        tx.commit().await?;
        crash::point("reconcile.committed");

        self.relay.wake();
        self.to_ask.notify_one();
        say(&run, open);
        Ok(run)
    }

    async fn write_differences(
        &self,
        tx: &mut PgConnection,
        by: &FoundBy<'_>,
        outcome: &Outcome,
    ) -> Result<(), RunError> {
        discrepancies::lock(tx, by, outcome).await?;
        let found = discrepancies::write(tx, by, &outcome.differences, || self.clock.uuid_v7()).await?;
        let not_fetched = outcome.accounts.iter().filter(|day| day.state == MovementState::NotFetched);
        let unseen: Vec<String> = not_fetched.map(|day| day.account.as_str().to_owned()).collect();
        let mut resolved = discrepancies::resolve_missing(tx, by, &unseen).await?;
        resolved.extend(discrepancies::resolve_boundary(tx, by, &outcome.boundary).await?);
        let opened: Vec<&Found<'_>> = found.iter().filter(|found| found.step.opens()).collect();
        for batch in opened.chunks(EVENTS_PER_STATEMENT) {
            let events: Vec<_> = batch.iter().map(|found| opened_event(by, found.id, found.difference)).collect();
            enqueue_many(tx, &events, PROCESS).await?;
        }
        // What only waited was never told, so its end is not told either.
        let told: Vec<&Resolved> = resolved.iter().filter(|resolved| !resolved.was_held).collect();
        for batch in told.chunks(EVENTS_PER_STATEMENT) {
            let events: Vec<_> = batch.iter().map(|resolved| resolved_event(by, resolved)).collect();
            enqueue_many(tx, &events, PROCESS).await?;
        }
        let of = |step: Step| -> Vec<Uuid> {
            found.iter().filter(|found| found.step == step).map(|found| found.id).collect()
        };
        let steps = Steps {
            run_id: by.run_id,
            merchant: by.merchant,
            day: by.day,
            now: by.now,
            opened: &of(Step::Open),
            held: &of(Step::Hold),
            ripened: &of(Step::Ripen),
            reopened: &of(Step::Reopen),
            withdrawn: &of(Step::Withdraw),
            resolved: &resolved.iter().map(|resolved| resolved.id).collect::<Vec<_>>(),
        };
        neighbours::look_again(tx, by).await?;
        resolution::after_run(tx, &steps).await?;
        Ok(())
    }
}

async fn stored(conn: &mut PgConnection, id: Uuid) -> Result<Run, RunError> {
    listing::run(conn, id).await?.ok_or_else(|| RunError::Internal("the run is gone".to_owned()))
}

fn say(run: &Run, open: i64) {
    let Run { id, merchant, bill_date: day, version, .. } = run;
    match run.state {
        RunState::Balanced | RunState::Running => {
            tracing::info!(run = %id, merchant, %day, version, "{merchant} {day} is balanced");
        }
        RunState::Waiting => {
            let waiting = run.waiting.count;
            tracing::info!(run = %id, merchant, %day, version, waiting, "{merchant} {day}: {waiting} may still come");
        }
        RunState::Differences => {
            tracing::warn!(run = %id, merchant, %day, version, open, "{merchant} {day}: {open} open differences");
        }
        RunState::ControlFailed | RunState::BillInvalid => {
            let problem = &run.problem;
            tracing::error!(run = %id, merchant, %day, version, "a bill of {merchant} {day} is not to be trusted: {problem}");
        }
    }
}

fn opened_event(by: &FoundBy<'_>, discrepancy: Uuid, found: &Difference) -> DiscrepancyOpened {
    DiscrepancyOpened {
        discrepancy: format!("discrepancies/{discrepancy}"),
        merchant: by.merchant.to_owned(),
        bill_date: by.day.to_string(),
        code: found.code.as_str().to_owned(),
        out_trade_no: found.key.out_trade_no.clone(),
        transaction_id: found.key.transaction_id.clone(),
        bill_amount_fen: found.bill_amount.unwrap_or_default().get(),
        book_amount_fen: found.book_amount.unwrap_or_default().get(),
        run: format!("runs/{}", by.run_id),
        out_refund_no: found.key.out_refund_no.clone(),
        refund_id: found.key.refund_id.clone(),
        risk_fen: found.risk.get(),
        audit_sequence: 0,
    }
}

fn resolved_event(by: &FoundBy<'_>, resolved: &Resolved) -> DiscrepancyResolved {
    DiscrepancyResolved {
        discrepancy: format!("discrepancies/{}", resolved.id),
        merchant: by.merchant.to_owned(),
        bill_date: resolved.bill_date.to_string(),
        code: resolved.code.clone(),
        out_trade_no: resolved.out_trade_no.clone(),
        run: format!("runs/{}", by.run_id),
        resolution: "RESOLVED_BY_RERUN".to_owned(),
        out_refund_no: resolved.out_refund_no.clone(),
        audit_sequence: 0,
    }
}

fn completed_event(claim: &Claim, merchant: &str, day: Date, verdict: &Verdict, open: i64) -> ReconciliationCompleted {
    let found = verdict.outcome.as_ref();
    let tally = |of: fn(&Outcome) -> reconciliation::Tally| found.map(of).unwrap_or_default();
    let (bill, refunds) = (tally(|found| found.bill), tally(|found| found.bill_refunds));
    let (books, book_refunds) = (tally(|found| found.books), tally(|found| found.book_refunds));
    let inputs = verdict.inputs.iter().map(|input| ReconciliationInput {
        input: input.kind.as_str().to_owned(),
        state: input.state.as_str().to_owned(),
        sha256: input.sha256.clone(),
        bytes: i64::try_from(input.bytes).unwrap_or(i64::MAX),
    });
    ReconciliationCompleted {
        run: format!("runs/{}", claim.run_id),
        merchant: merchant.to_owned(),
        bill_date: day.to_string(),
        version: claim.version,
        verdict: verdict.state.as_str().to_owned(),
        bill_count: bill.count,
        bill_sum_fen: bill.sum.get(),
        book_count: books.count,
        book_sum_fen: books.sum.get(),
        open_discrepancies: open,
        bill_sha256: verdict.bill_sha256().to_owned(),
        bill_refund_count: refunds.count,
        bill_refund_sum_fen: refunds.sum.get(),
        book_refund_count: book_refunds.count,
        book_refund_sum_fen: book_refunds.sum.get(),
        bill_fee_yuan: found.map_or(money::MilliFen::ZERO, |found| found.fee).to_yuan(),
        inputs: inputs.collect(),
        result_sha256: verdict.result_sha256.clone(),
    }
}
