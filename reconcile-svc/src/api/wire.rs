//! Our values as messages.

use proto::reconcile::v1::discrepancy::State as WireDiscrepancyState;
use proto::reconcile::v1::resolve_discrepancy_request::Action as WireAction;
use proto::reconcile::v1::run::State as WireRunState;
use proto::reconcile::v1::{Account, CodeCount, Discrepancy as WireDiscrepancy, Input, Movements, Run as WireRun};
use proto::time::to_wire;
use reconciliation::AccountDay;

use crate::runs::{Discrepancy, DiscrepancyState, Run, RunState};

pub(crate) fn run(run: Run) -> WireRun {
    WireRun {
        name: format!("runs/{}", run.id),
        merchant: run.merchant,
        bill_date: run.bill_date.to_string(),
        version: run.version,
        state: run_state(run.state).into(),
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
        book_refund_count: run.book_refunds.count,
        book_refund_sum_fen: run.book_refunds.sum.get(),
        matched_refund_count: run.matched_refunds.count,
        matched_refund_sum_fen: run.matched_refunds.sum.get(),
        waiting_count: run.waiting.count,
        waiting_sum_fen: run.waiting.sum.get(),
        accounts: run.accounts.into_iter().map(account).collect(),
        inputs: run
            .inputs
            .into_iter()
            .map(|input| Input {
                input: input.kind.as_str().to_owned(),
                state: input.state.as_str().to_owned(),
                sha256: input.sha256,
                bytes: i64::try_from(input.bytes).unwrap_or(i64::MAX),
            })
            .collect(),
        as_of: run.as_of.map(|date| date.to_string()).unwrap_or_default(),
        engine_version: run.engine_version,
        result_sha256: run.result_sha256,
        rules_version: run.rules_version,
    }
}

/// The state on the wire.
pub(crate) fn run_state(state: RunState) -> WireRunState {
    match state {
        RunState::Running => WireRunState::Running,
        RunState::Balanced => WireRunState::Balanced,
        RunState::Differences => WireRunState::Differences,
        RunState::ControlFailed => WireRunState::ControlFailed,
        RunState::BillInvalid => WireRunState::BillInvalid,
        RunState::Waiting => WireRunState::Waiting,
    }
}

fn account(day: AccountDay) -> Account {
    Account {
        account: day.account.as_str().to_owned(),
        state: day.state.as_str().to_owned(),
        opening_fen: day.opening.map(money::Fen::get),
        closing_fen: day.closing.map(money::Fen::get),
        movements: day
            .movements
            .into_iter()
            .map(|moved| Movements {
                kind: moved.kind,
                count: moved.count,
                sum_fen: moved.sum.get(),
                of_trades: moved.of_trades,
            })
            .collect(),
    }
}

pub(crate) fn discrepancy(found: Discrepancy) -> WireDiscrepancy {
    WireDiscrepancy {
        name: format!("discrepancies/{}", found.id),
        merchant: found.merchant,
        bill_date: found.bill_date.to_string(),
        code: found.code.as_str().to_owned(),
        out_trade_no: found.out_trade_no,
        transaction_id: found.transaction_id,
        bill_amount_fen: found.bill_amount.get(),
        book_amount_fen: found.book_amount.get(),
        state: discrepancy_state(found.state).into(),
        open_time: Some(to_wire(found.open_time)),
        opened_by: format!("runs/{}", found.opened_by),
        resolve_time: found.resolve_time.map(to_wire),
        resolved_by: found.resolved_by.map(|run| format!("runs/{run}")).unwrap_or_default(),
        explanation: found.explanation,
        out_refund_no: found.out_refund_no,
        refund_id: found.refund_id,
        movement: found.movement,
        account: found.account,
        risk_fen: found.risk.get(),
        due_date: found.due_date.map(|date| date.to_string()).unwrap_or_default(),
        assignee: found.assignee,
        waived_until: found.waived_until.map(|date| date.to_string()).unwrap_or_default(),
        resolution: found.resolution,
        answer: found.answer,
        critical: found.critical,
        proposed: found.proposed.as_deref().map_or(WireAction::Unspecified, action).into(),
        proposed_by: found.proposed_by.unwrap_or_default(),
        proposal_sequence: found.proposal_sequence.unwrap_or_default(),
    }
}

/// What was proposed, from the word in the table.
fn action(word: &str) -> WireAction {
    WireAction::from_str_name(&format!("ACTION_{word}")).unwrap_or_default()
}

/// The state on the wire.
pub(crate) fn discrepancy_state(state: DiscrepancyState) -> WireDiscrepancyState {
    match state {
        DiscrepancyState::Held => WireDiscrepancyState::Held,
        DiscrepancyState::Open => WireDiscrepancyState::Open,
        DiscrepancyState::Resolving => WireDiscrepancyState::Resolving,
        DiscrepancyState::Proposed => WireDiscrepancyState::Proposed,
        DiscrepancyState::Approved => WireDiscrepancyState::Approved,
        DiscrepancyState::Applied => WireDiscrepancyState::Applied,
        DiscrepancyState::Waived => WireDiscrepancyState::Waived,
        DiscrepancyState::Resolved => WireDiscrepancyState::Resolved,
    }
}
