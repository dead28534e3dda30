//! Which step a person may take from which state. Pure.

use money::Fen;
use reconciliation::Code;

use crate::runs::{DiscrepancyState, UnknownState};

use jiff::civil::Date;
use std::str::FromStr;

/// A difference as far as a step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// How far it is.
    pub state: DiscrepancyState,
    /// What differs.
    pub code: Code,
    /// Whether order-svc can be asked about it.
    pub has_repair: bool,
    /// What somebody proposed.
    pub proposed: Option<Action>,
    /// Who did.
    pub proposed_by: Option<&'a str>,
    /// Of PROPOSED: names the proposal.
    pub proposal_sequence: Option<i64>,
    /// What may be lost.
    pub risk: Fen,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the provider again.
    Retry,
    /// Propose what to do.
    Propose(Action),
    /// Agree with the proposal of that number.
    Approve(i64),
    /// Do not agree.
    Reject,
    /// Live with it until that day.
    Waive(Date),
    /// Write something down.
    Note,
    /// Give it to a person.
    Assign(String),
}

/// What can be proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the payment back to its payer.
    RefundSurplus,
    /// Take the refund into our books.
    ImportRefund,
    /// It was settled outside of these systems.
    SettledElsewhere,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// OPEN → RESOLVING; order-svc is asked.
    Ask,
    /// OPEN → PROPOSED.
    Propose(Action),
    /// PROPOSED → APPROVED; order-svc is to do it.
    Order(Action),
    /// PROPOSED → APPLIED: nothing is left to do.
    Settle,
    /// PROPOSED → OPEN.
    Reject,
    /// OPEN → WAIVED.
    Waive(Date),
    /// The state stays.
    Note,
    /// The state stays.
    Assign(String),
}

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not from this state.
    #[error("{step} is not possible: the difference is {}, and it must be {needed}", state.as_str())]
    State {
        /// What was wanted.
        step: &'static str,
        /// How far the difference is.
        state: DiscrepancyState,
        /// How far it would have to be.
        needed: &'static str,
    },
    /// What stands there is not what was read.
    #[error(
        "proposal {asked} does not stand any more; what stands is proposal {sequence}: {} by {proposed_by}, {} yuan at risk",
        action.as_str(),
        risk.to_yuan()
    )]
    OtherProposal {
        /// The number of the proposal that was to be approved.
        asked: i64,
        /// The number of the one that stands.
        sequence: i64,
        /// What it proposes.
        action: Action,
        /// Who proposed it.
        proposed_by: String,
        /// What may be lost.
        risk: Fen,
    },
    /// The one who proposed it cannot approve it.
    #[error("another person than {proposed_by}, who proposed it, must approve it")]
    SamePerson {
        /// Who proposed it.
        proposed_by: String,
    },
    /// The action is for other codes.
    #[error("{} is not for {code}: {}", action.as_str(), action.fits())]
    DoesNotFit {
        /// What was proposed.
        action: Action,
        /// What differs.
        code: Code,
    },
    /// No question to the provider can end it.
    #[error("no question to the provider ends a difference {code}")]
    NothingToAsk {
        /// What differs.
        code: Code,
    },
}

/// What `step`, taken by `person`, does to a difference that stands so.
pub fn step(standing: &Standing<'_>, step: &Step, person: &str) -> Result<Change, Refusal> {
    match step {
        Step::Note => Ok(Change::Note),
        Step::Assign(name) => Ok(Change::Assign(name.clone())),
        Step::Retry => {
            open(standing, step)?;
            if standing.has_repair { Ok(Change::Ask) } else { Err(Refusal::NothingToAsk { code: standing.code }) }
        }
        Step::Propose(action) => {
            open(standing, step)?;
            let (action, code) = (*action, standing.code);
            if action.is_for(code) { Ok(Change::Propose(action)) } else { Err(Refusal::DoesNotFit { action, code }) }
        }
        Step::Waive(until) => open(standing, step).map(|()| Change::Waive(*until)),
        Step::Reject => proposed(standing, step).map(|_| Change::Reject),
        Step::Approve(asked) => {
            let (action, proposed_by) = proposed(standing, step)?;
            let (asked, sequence) = (*asked, standing.proposal_sequence.unwrap_or_default());
            if asked != sequence {
                let (proposed_by, risk) = (proposed_by.to_owned(), standing.risk);
                return Err(Refusal::OtherProposal { asked, sequence, action, proposed_by, risk });
            }
            if proposed_by == person {
                return Err(Refusal::SamePerson { proposed_by: proposed_by.to_owned() });
            }
            Ok(match action {
                Action::SettledElsewhere => Change::Settle,
                Action::RefundSurplus | Action::ImportRefund => Change::Order(action),
            })
        }
    }
}

/// Every step that somebody may take, in the words of `ResolveDiscrepancyRequest.Step`.
pub fn possible(standing: &Standing<'_>) -> Vec<&'static str> {
    // Nobody has this name, so an approval is possible whoever proposed.
    let anybody = "";
    let steps = [
        Step::Retry,
        Step::Propose(Action::SettledElsewhere),
        Step::Approve(standing.proposal_sequence.unwrap_or_default()),
        Step::Reject,
        Step::Waive(Date::MAX),
        Step::Note,
        Step::Assign(String::new()),
    ];
    steps.into_iter().filter(|wanted| step(standing, wanted, anybody).is_ok()).map(|step| step.word()).collect()
}

fn open(standing: &Standing<'_>, step: &Step) -> Result<(), Refusal> {
    match standing.state {
        DiscrepancyState::Open => Ok(()),
        state @ (DiscrepancyState::Held
        | DiscrepancyState::Resolving
        | DiscrepancyState::Proposed
        | DiscrepancyState::Approved
        | DiscrepancyState::Applied
        | DiscrepancyState::Waived
        | DiscrepancyState::Resolved) => Err(Refusal::State { step: step.word(), state, needed: "OPEN" }),
    }
}

fn proposed<'a>(standing: &Standing<'a>, step: &Step) -> Result<(Action, &'a str), Refusal> {
    let refused = |state| Refusal::State { step: step.word(), state, needed: "PROPOSED" };
    match standing.state {
        // The table proves that both are there.
        DiscrepancyState::Proposed => standing.proposed.zip(standing.proposed_by).ok_or(refused(standing.state)),
        state @ (DiscrepancyState::Held
        | DiscrepancyState::Open
        | DiscrepancyState::Resolving
        | DiscrepancyState::Approved
        | DiscrepancyState::Applied
        | DiscrepancyState::Waived
        | DiscrepancyState::Resolved) => Err(refused(state)),
    }
}

impl Step {
    /// The name on the wire.
    pub const fn word(&self) -> &'static str {
        match self {
            Step::Retry => "STEP_RETRY",
            Step::Propose(_) => "STEP_PROPOSE",
            Step::Approve(_) => "STEP_APPROVE",
            Step::Reject => "STEP_REJECT",
            Step::Waive(_) => "STEP_WAIVE",
            Step::Note => "STEP_NOTE",
            Step::Assign(_) => "STEP_ASSIGN",
        }
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 3] = [Action::RefundSurplus, Action::ImportRefund, Action::SettledElsewhere];

    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::RefundSurplus => "REFUND_SURPLUS",
            Action::ImportRefund => "IMPORT_REFUND",
            Action::SettledElsewhere => "SETTLED_ELSEWHERE",
        }
    }

    /// Whether it can end a difference of that code.
    pub const fn is_for(self, code: Code) -> bool {
        match self {
            Action::RefundSurplus => matches!(code, Code::P2 | Code::P4),
            Action::ImportRefund => matches!(code, Code::R1),
            Action::SettledElsewhere => true,
        }
    }

    const fn fits(self) -> &'static str {
        match self {
            Action::RefundSurplus => "it gives back a payment that no order keeps, P2 and P4",
            Action::ImportRefund => "it takes a refund of the provider's console into our books, R1",
            Action::SettledElsewhere => "it fits all codes",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(UnknownState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Date = jiff::civil::date(2026, 12, 24);
    const PROPOSAL: i64 = 7;

    fn standing(state: DiscrepancyState) -> Standing<'static> {
        let agreed =
            matches!(state, DiscrepancyState::Proposed | DiscrepancyState::Approved | DiscrepancyState::Applied);
        Standing {
            state,
            code: Code::P2,
            has_repair: true,
            proposed: agreed.then_some(Action::RefundSurplus),
            proposed_by: agreed.then_some("finance-a"),
            proposal_sequence: (state == DiscrepancyState::Proposed).then_some(PROPOSAL),
            risk: Fen::new(100),
        }
    }

    fn steps() -> [Step; 7] {
        [
            Step::Retry,
            Step::Propose(Action::RefundSurplus),
            Step::Approve(PROPOSAL),
            Step::Reject,
            Step::Waive(DAY),
            Step::Note,
            Step::Assign("finance-b".to_owned()),
        ]
    }

    #[test]
    fn each_step_is_taken_from_its_state_alone() {
        for state in DiscrepancyState::ALL {
            for wanted in steps() {
                let expected = match (&wanted, state) {
                    (Step::Note, _) => Some(Change::Note),
                    (Step::Assign(_), _) => Some(Change::Assign("finance-b".to_owned())),
                    (Step::Retry, DiscrepancyState::Open) => Some(Change::Ask),
                    (Step::Propose(_), DiscrepancyState::Open) => Some(Change::Propose(Action::RefundSurplus)),
                    (Step::Waive(_), DiscrepancyState::Open) => Some(Change::Waive(DAY)),
                    (Step::Approve(_), DiscrepancyState::Proposed) => Some(Change::Order(Action::RefundSurplus)),
                    (Step::Reject, DiscrepancyState::Proposed) => Some(Change::Reject),
                    _ => None,
                };
                let answer = step(&standing(state), &wanted, "finance-b");
                let refused_for_its_state =
                    matches!(&answer, Err(Refusal::State { state: told, .. }) if *told == state);
                assert_eq!(refused_for_its_state, expected.is_none(), "{state:?} {wanted:?}: {answer:?}");
                assert_eq!(answer.ok(), expected, "{state:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn who_proposed_it_can_reject_it_and_not_approve_it() {
        let proposed = standing(DiscrepancyState::Proposed);
        let refused = step(&proposed, &Step::Approve(PROPOSAL), "finance-a");
        assert_eq!(refused, Err(Refusal::SamePerson { proposed_by: "finance-a".to_owned() }));
        assert_eq!(step(&proposed, &Step::Reject, "finance-a"), Ok(Change::Reject));
    }

    #[test]
    fn an_action_is_proposed_only_for_its_codes() {
        for code in Code::ALL {
            for action in Action::ALL {
                let open = Standing { code, ..standing(DiscrepancyState::Open) };
                let answer = step(&open, &Step::Propose(action), "finance-a");
                let fits = match action {
                    Action::RefundSurplus => [Code::P2, Code::P4].contains(&code),
                    Action::ImportRefund => code == Code::R1,
                    Action::SettledElsewhere => true,
                };
                let refused = Err(Refusal::DoesNotFit { action, code });
                assert_eq!(answer, if fits { Ok(Change::Propose(action)) } else { refused });
            }
        }
    }

    #[test]
    fn what_no_question_can_end_is_not_asked_about() {
        let open = Standing { has_repair: false, code: Code::P6, ..standing(DiscrepancyState::Open) };
        assert_eq!(step(&open, &Step::Retry, "finance-a"), Err(Refusal::NothingToAsk { code: Code::P6 }));
        assert!(!possible(&open).contains(&"STEP_RETRY"));
    }

    #[test]
    fn what_was_settled_elsewhere_needs_nobody_after_the_second_person() {
        let settled = Standing { proposed: Some(Action::SettledElsewhere), ..standing(DiscrepancyState::Proposed) };
        assert_eq!(step(&settled, &Step::Approve(PROPOSAL), "finance-b"), Ok(Change::Settle));
    }

    #[test]
    fn nobody_approves_another_proposal_than_the_one_he_read() {
        for other in [PROPOSAL - 1, PROPOSAL + 1] {
            let refused = step(&standing(DiscrepancyState::Proposed), &Step::Approve(other), "finance-b");
            let told = "what stands is proposal 7: REFUND_SURPLUS by finance-a, 1.00 yuan at risk";
            assert!(refused.expect_err("another one").to_string().ends_with(told));
        }
    }

    #[test]
    fn the_steps_that_are_told_to_be_possible_are() {
        let words = |state| possible(&standing(state));
        assert_eq!(
            words(DiscrepancyState::Open),
            ["STEP_RETRY", "STEP_PROPOSE", "STEP_WAIVE", "STEP_NOTE", "STEP_ASSIGN"]
        );
        assert_eq!(words(DiscrepancyState::Proposed), ["STEP_APPROVE", "STEP_REJECT", "STEP_NOTE", "STEP_ASSIGN"]);
        for state in [DiscrepancyState::Held, DiscrepancyState::Applied, DiscrepancyState::Resolved] {
            assert_eq!(words(state), ["STEP_NOTE", "STEP_ASSIGN"], "{state:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_right() {
        let refused = step(&standing(DiscrepancyState::Held), &Step::Retry, "finance-a").expect_err("it only waits");
        assert_eq!(refused.to_string(), "STEP_RETRY is not possible: the difference is HELD, and it must be OPEN");
        let does_not_fit = Refusal::DoesNotFit { action: Action::ImportRefund, code: Code::P6 };
        assert!(does_not_fit.to_string().starts_with("IMPORT_REFUND is not for P6: "), "{does_not_fit}");
    }
}
