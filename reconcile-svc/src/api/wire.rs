//! Our values as messages.

use proto::reconcile::v1::discrepancy::State as WireDiscrepancyState;
use proto::reconcile::v1::run::State as WireRunState;
use proto::reconcile::v1::{CodeCount, Discrepancy as WireDiscrepancy, Run as WireRun};
use proto::time::to_wire;

use crate::runs::{Discrepancy, DiscrepancyState, Run, RunState};

pub(super) fn run(run: Run) -> WireRun {
    WireRun {
        name: format!("runs/{}", run.id),
        merchant: run.merchant,
        bill_date: run.bill_date.to_string(),
        version: run.version,
        state: match run.state {
            RunState::Running => WireRunState::Running,
            RunState::Balanced => WireRunState::Balanced,
            RunState::Differences => WireRunState::Differences,
            RunState::ControlFailed => WireRunState::ControlFailed,
        }
        .into(),
        problem: run.problem,
        bill_count: run.bill.count,
        bill_sum_fen: run.bill.sum.get(),
        bill_refund_count: run.refunds.count,
        bill_refund_sum_fen: run.refunds.sum.get(),
        bill_revoked_count: run.revoked.count,
        bill_revoked_sum_fen: run.revoked.sum.get(),
        bill_fee_yuan: run.fee.to_yuan(),
        book_count: run.books.count,
        book_sum_fen: run.books.sum.get(),
        matched_count: run.matched.count,
        matched_sum_fen: run.matched.sum.get(),
        differences: run
            .codes
            .into_iter()
            .map(|tally| CodeCount {
                code: tally.code.as_str().to_owned(),
                count: tally.count,
                sum_fen: tally.sum.get(),
            })
            .collect(),
        bill_sha256: run.bill_sha256,
        books_sha256: run.books_sha256,
        start_time: Some(to_wire(run.start_time)),
        end_time: run.end_time.map(to_wire),
        current: run.current,
    }
}

pub(super) fn discrepancy(found: Discrepancy) -> WireDiscrepancy {
    WireDiscrepancy {
        name: format!("discrepancies/{}", found.id),
        merchant: found.merchant,
        bill_date: found.bill_date.to_string(),
        code: found.code.as_str().to_owned(),
        out_trade_no: found.out_trade_no,
        transaction_id: found.transaction_id,
        bill_amount_fen: found.bill_amount.get(),
        book_amount_fen: found.book_amount.get(),
        state: match found.state {
            DiscrepancyState::Open => WireDiscrepancyState::Open,
            DiscrepancyState::Resolved => WireDiscrepancyState::Resolved,
        }
        .into(),
        open_time: Some(to_wire(found.open_time)),
        opened_by: format!("runs/{}", found.opened_by),
        resolve_time: found.resolve_time.map(to_wire),
        resolved_by: found.resolved_by.map(|run| format!("runs/{run}")).unwrap_or_default(),
        explanation: found.explanation,
    }
}
