//! Code F1: a fee against its rate, and against its movement.

use money::Fen;

use super::{Judge, Judgement, difference, words};
use crate::rate::{self, Rate};
use crate::trade::{BillRow, RowKind};
use crate::{Code, Difference};

/// Why a fee is wrong.
pub(super) struct FeeProblem {
    pub(super) risk: Fen,
    pub(super) explanation: String,
}

impl Judge {
    /// Whether a row's fee is not rate × amount.
    pub(super) fn fee_problem(&self, row: &BillRow) -> Option<FeeProblem> {
        let base = match row.kind {
            RowKind::Payment => row.settled,
            // Sources do not say what such a row has as its fee.
            RowKind::Revoked if row.refund_id.is_empty() => return None,
            RowKind::Refund | RowKind::Revoked => row.settled.checked_neg()?,
        };
        match row.rate {
            Rate::Untold => None,
            Rate::Unreadable => {
                let risk = row.fee.get().unsigned_abs().div_ceil(1000);
                let risk = Fen::new(i64::try_from(risk).unwrap_or(i64::MAX));
                Some(FeeProblem { risk, explanation: words::rate_unreadable(row.fee) })
            }
            Rate::Known(known) => {
                let risk = rate::distance(row.fee, known, base, self.rules.fee_tolerance)?;
                let explanation = words::fee(row.fee, rate::expected(known, base), base);
                Some(FeeProblem { risk, explanation })
            }
        }
    }
}

/// Notes what is wrong with the fee of a row: one difference, however many reasons it has.
pub(super) fn note(row: &BillRow, problems: impl IntoIterator<Item = FeeProblem>, judgement: &mut Judgement) {
    let joined = problems.into_iter().reduce(|one, other| FeeProblem {
        risk: one.risk.max(other.risk),
        explanation: format!("{} {}", one.explanation, other.explanation),
    });
    if let Some(FeeProblem { risk, explanation }) = joined {
        let app_id = row.app_id.clone();
        judgement.differences.push(Difference { app_id, ..difference(Code::F1, row.key(), risk, explanation) });
    }
}
