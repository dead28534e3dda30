use jiff::civil::Date;
use money::Fen;
use reconciliation::{Code, ENGINE_VERSION, Outcome, Refused, Rules, Tally};

use super::{CodeTally, Input, InputKind, Run, RunError, RunState};

/// What a run came to, before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Never RUNNING.
    pub state: RunState,
    /// Which control failed, or where a bill cannot be read; empty otherwise.
    pub problem: String,
    /// Civil date in Asia/Shanghai on which it was made.
    pub as_of: Date,
    /// What it was made of, in the order of [`InputKind::ALL`]; of a refused bill the bills alone.
    pub inputs: Vec<Input>,
    /// Pins what our side said, hex; empty when nothing was compared.
    pub books_sha256: String,
    /// Pins the result, hex; empty when nothing was compared.
    pub result_sha256: String,
    /// Differences by code, in order, those that only wait left out.
    pub codes: Vec<CodeTally>,
    /// What may still come with a later bill.
    pub waiting: Tally,
    /// What was found; `None` when nothing was compared.
    pub outcome: Option<Outcome>,
}

impl Verdict {
    /// Bills and books were read to their end.
    ///
    /// # Errors
    /// [`RunError::TooLarge`] when what is at risk does not fit a sum.
    pub fn compared(
        as_of: Date,
        inputs: Vec<Input>,
        books_sha256: String,
        result_sha256: String,
        outcome: Outcome,
    ) -> Result<Self, RunError> {
        let mut codes = Vec::new();
        for code in Code::ALL {
            let tally = tally(&outcome, |found| found.code == code && found.due.is_none())?;
            if 0 < tally.count {
                codes.push(CodeTally { code, count: tally.count, sum: tally.sum });
            }
        }
        // A refund that is under way waits for its money, not for a bill: both sides have it.
        let waiting = tally(&outcome, |found| found.code != Code::R4 && found.due.is_some())?;
        let state = match (codes.is_empty(), waiting.count) {
            (false, _) => RunState::Differences,
            (true, 0) => RunState::Balanced,
            (true, _) => RunState::Waiting,
        };
        let (problem, outcome) = (String::new(), Some(outcome));
        Ok(Self { state, problem, as_of, inputs, books_sha256, result_sha256, codes, waiting, outcome })
    }

    /// Nothing of the bills was used; not even their counts are told.
    ///
    /// # Errors
    /// [`RunError::Internal`] when not the bills are to blame.
    pub fn refused(as_of: Date, inputs: Vec<Input>, refused: &Refused) -> Result<Self, RunError> {
        let state = match refused {
            Refused::Invalid(_) => RunState::BillInvalid,
            Refused::Control(_) | Refused::TooManyDifferences => RunState::ControlFailed,
            Refused::TooLarge { .. } => return Err(RunError::TooLarge(refused.to_string())),
            Refused::Books(_) => return Err(RunError::Internal(refused.to_string())),
        };
        let bills = inputs.into_iter().filter(|input| input.kind.is_a_bill()).collect();
        Ok(Self {
            state,
            problem: refused.to_string(),
            as_of,
            inputs: bills,
            books_sha256: String::new(),
            result_sha256: String::new(),
            codes: Vec::new(),
            waiting: Tally::default(),
            outcome: None,
        })
    }

    /// Pins the trade bill, hex; empty when none exists.
    pub fn bill_sha256(&self) -> &str {
        let bill = self.inputs.iter().find(|input| input.kind == InputKind::Trade);
        bill.map(|input| input.sha256.as_str()).unwrap_or_default()
    }

    /// Whether `run` was made from the same inputs by the same rules, or on another day and came to the same in every byte: a
    /// clean day does not get a version each time somebody looks at it.
    pub fn is(&self, run: &Run) -> bool {
        run.engine_version == ENGINE_VERSION
            && run.rules_version == Rules::VERSION
            && run.state == self.state
            && run.problem == self.problem
            && run.inputs == self.inputs
            && run.books_sha256 == self.books_sha256
            && run.result_sha256 == self.result_sha256
    }
}

fn tally(outcome: &Outcome, of: impl Fn(&reconciliation::Difference) -> bool) -> Result<Tally, RunError> {
    let mut tally = Tally::default();
    for found in outcome.differences.iter().filter(|found| of(found)) {
        tally.count += 1;
        let sum: Option<Fen> = tally.sum.checked_add(found.risk);
        tally.sum = sum.ok_or_else(|| RunError::TooLarge("what is at risk is no sum any more".to_owned()))?;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use reconciliation::{Difference, Key};

    use super::*;

    fn found(code: Code, due: Option<Date>) -> Difference {
        Difference {
            code,
            key: Key::default(),
            app_id: String::new(),
            bill_amount: None,
            book_amount: None,
            risk: Fen::new(100),
            due,
            repair: None,
            explanation: String::new(),
        }
    }

    fn verdict(differences: Vec<Difference>) -> Verdict {
        let tally = Tally::default();
        let outcome = Outcome {
            bill: tally,
            bill_refunds: tally,
            revoked: tally,
            fee: money::MilliFen::ZERO,
            books: tally,
            book_refunds: tally,
            matched: tally,
            matched_refunds: tally,
            accounts: Vec::new(),
            differences,
            boundary: Vec::new(),
        };
        let as_of = date(2026, 11, 30);
        Verdict::compared(as_of, Vec::new(), String::new(), String::new(), outcome).expect("a small sum")
    }

    #[test]
    fn what_waits_is_no_difference_and_a_refund_under_way_does_not_even_wait() {
        let due = Some(date(2026, 12, 1));
        let nothing = verdict(vec![found(Code::R4, due)]);
        assert_eq!((nothing.state, nothing.waiting.count), (RunState::Balanced, 0));
        let waiting = verdict(vec![found(Code::P5, due), found(Code::R4, due)]);
        assert_eq!((waiting.state, waiting.waiting.count, waiting.codes.len()), (RunState::Waiting, 1, 0));
        let both = verdict(vec![found(Code::P5, due), found(Code::P10, None), found(Code::P10, None)]);
        assert_eq!((both.state, both.waiting.sum), (RunState::Differences, Fen::new(100)));
        assert_eq!(both.codes, [CodeTally { code: Code::P10, count: 2, sum: Fen::new(200) }]);
    }
}
