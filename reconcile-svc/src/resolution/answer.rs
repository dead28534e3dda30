//! What order-svc answered, and what that changes. Pure.

use proto::event::RepairAnswered;
use proto::event::repair_answered::Outcome;
use reconciliation::Code;
use uuid::Uuid;

use crate::books::{BookError, id};
use crate::runs::DiscrepancyState;

/// How often one difference is asked about by itself: with the pauses below, for a day.
const MAX_ASKED: i32 = 48;

/// Longest sentence that is kept, in characters.
const MAX_DETAIL: usize = 500;

/// What became of one repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which repair.
    pub repair_id: Uuid,
    /// What came of it; never `Unspecified`.
    pub outcome: Outcome,
    /// One sentence for people.
    pub detail: String,
}

/// What an answer makes of its difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is no longer waited for.
    Nothing,
    /// It was done as two people agreed.
    Applied,
    /// Back to OPEN.
    Open {
        /// Ask again in so many minutes; `None`: not by itself.
        again_in_minutes: Option<i32>,
        /// The day is worth another run.
        look_again: bool,
        /// Somebody must look today.
        critical: bool,
    },
}

impl Answer {
    /// The word of its outcome: `APPLIED`, …
    pub fn word(&self) -> &'static str {
        let name = self.outcome.as_str_name();
        name.strip_prefix("OUTCOME_").unwrap_or(name)
    }

    /// What people read of it.
    pub fn sentence(&self) -> String {
        if self.detail.is_empty() { self.word().to_owned() } else { format!("{}: {}", self.word(), self.detail) }
    }
}

/// What an answer changes of a difference in that state. `asked` is how often it was asked about by itself.
pub fn next(state: DiscrepancyState, code: Code, outcome: Outcome, asked: i32) -> Next {
    let open = |again_in_minutes, look_again, critical| Next::Open { again_in_minutes, look_again, critical };
    match state {
        DiscrepancyState::Resolving => match outcome {
            // The next run sees whether it is gone.
            Outcome::Applied | Outcome::Confirmed => open(None, true, false),
            // We say that it was paid, and the provider has never heard of it, or says that nobody paid: somebody may have forged a
            // fact.
            Outcome::UnknownToProvider | Outcome::NotApplicable => open(None, false, code == Code::P5),
            Outcome::GaveUp => open(pause(asked), false, false),
            Outcome::NotOurs | Outcome::Unspecified => open(None, false, false),
        },
        DiscrepancyState::Approved => match outcome {
            Outcome::Applied => Next::Applied,
            // What two people agreed on was not done; they read why and decide again.
            Outcome::Confirmed => open(None, true, false),
            Outcome::UnknownToProvider
            | Outcome::NotApplicable
            | Outcome::NotOurs
            | Outcome::GaveUp
            | Outcome::Unspecified => open(None, false, false),
        },
        DiscrepancyState::Held
        | DiscrepancyState::Open
        | DiscrepancyState::Proposed
        | DiscrepancyState::Applied
        | DiscrepancyState::Waived
        | DiscrepancyState::Resolved => Next::Nothing,
    }
}

/// Minutes until it is asked about again.
fn pause(asked: i32) -> Option<i32> {
    match asked {
        ..=1 => Some(1),
        2 => Some(5),
        3..MAX_ASKED => Some(30),
        MAX_ASKED.. => None,
    }
}

impl TryFrom<RepairAnswered> for Answer {
    type Error = BookError;

    fn try_from(event: RepairAnswered) -> Result<Self, BookError> {
        let outcome = match event.outcome() {
            Outcome::Unspecified => return Err(BookError::Field("outcome")),
            outcome => outcome,
        };
        // A sentence is for people: what does not fit is cut off, not refused.
        let detail = event.detail.chars().filter(|letter| *letter != '\0').take(MAX_DETAIL).collect();
        Ok(Self { repair_id: id("repair", &event.repair)?, outcome, detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOMES: [Outcome; 6] = [
        Outcome::Applied,
        Outcome::Confirmed,
        Outcome::UnknownToProvider,
        Outcome::NotApplicable,
        Outcome::NotOurs,
        Outcome::GaveUp,
    ];

    #[test]
    fn an_answer_that_nobody_waits_for_changes_nothing() {
        for state in DiscrepancyState::ALL {
            let waits = matches!(state, DiscrepancyState::Resolving | DiscrepancyState::Approved);
            for outcome in OUTCOMES {
                assert_eq!(next(state, Code::P1, outcome, 1) == Next::Nothing, !waits, "{state:?} {outcome:?}");
            }
        }
    }

    #[test]
    fn only_what_two_people_agreed_on_can_be_applied_by_an_answer() {
        for state in DiscrepancyState::ALL {
            for outcome in OUTCOMES {
                let applied = next(state, Code::P2, outcome, 1) == Next::Applied;
                assert_eq!(applied, state == DiscrepancyState::Approved && outcome == Outcome::Applied);
            }
        }
    }

    #[test]
    fn a_payment_of_ours_that_the_provider_does_not_know_is_critical_and_other_codes_are_not() {
        for code in Code::ALL {
            let next = next(DiscrepancyState::Resolving, code, Outcome::UnknownToProvider, 1);
            let expected = Next::Open { again_in_minutes: None, look_again: false, critical: code == Code::P5 };
            assert_eq!(next, expected);
        }
    }

    #[test]
    fn what_was_given_up_is_asked_again_after_1_5_and_then_30_minutes_for_a_day() {
        let pauses: Vec<_> = (1..=MAX_ASKED).map(pause).collect();
        assert_eq!(pauses[..4], [Some(1), Some(5), Some(30), Some(30)]);
        assert_eq!((pauses.len(), pauses[46], pauses[47]), (48, Some(30), None));
    }

    #[test]
    fn an_answer_without_an_outcome_or_a_repair_can_never_be_booked() {
        let right = RepairAnswered {
            repair: format!("repairs/{}", Uuid::from_u128(1)),
            outcome: Outcome::Applied.into(),
            detail: "done\0".repeat(200),
            ..RepairAnswered::default()
        };
        let answer = Answer::try_from(right.clone()).expect("a right answer");
        assert_eq!((answer.word(), answer.detail.chars().count()), ("APPLIED", MAX_DETAIL));
        let without = RepairAnswered { outcome: 99, ..right.clone() };
        assert_eq!(Answer::try_from(without), Err(BookError::Field("outcome")));
        let without = RepairAnswered { repair: String::new(), ..right };
        assert_eq!(Answer::try_from(without), Err(BookError::Field("repair")));
    }
}
