use super::DiscrepancyState;

/// What a run does to one difference that it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was never seen: OPEN.
    Open,
    /// It was never seen, or had ended, and may still come with a later bill: HELD.
    Hold,
    /// It has waited long enough: OPEN.
    Ripen,
    /// It had ended, or somebody had decided to live with it until now: OPEN.
    Reopen,
    /// What somebody proposed was about other amounts, and nobody shall agree with these by mistake: OPEN.
    Withdraw,
    /// It stays what it is; its amounts are the run's.
    Keep,
}

impl Step {
    /// The step of a difference that a run found. `before`: what it was; `None` when it was never seen. `waits`: it may still come.
    /// `waiver_over`: the day until which somebody wanted to live with it has come. `outdated`: people agreed on something else, on
    /// other amounts, or on giving money back, after which it would not be found again had that happened.
    pub const fn of(before: Option<DiscrepancyState>, waits: bool, waiver_over: bool, outdated: bool) -> Self {
        match before {
            None | Some(DiscrepancyState::Resolved) if waits => Step::Hold,
            None => Step::Open,
            Some(DiscrepancyState::Held) if waits => Step::Keep,
            Some(DiscrepancyState::Held) => Step::Ripen,
            Some(DiscrepancyState::Resolved) => Step::Reopen,
            Some(DiscrepancyState::Waived) if waiver_over || outdated => Step::Reopen,
            Some(DiscrepancyState::Applied) if outdated => Step::Reopen,
            Some(DiscrepancyState::Proposed) if outdated => Step::Withdraw,
            // Somebody is at it. What was done is found again until the next bill, or for ever when it was settled elsewhere.
            Some(
                DiscrepancyState::Waived
                | DiscrepancyState::Open
                | DiscrepancyState::Resolving
                | DiscrepancyState::Proposed
                | DiscrepancyState::Approved
                | DiscrepancyState::Applied,
            ) => Step::Keep,
        }
    }

    /// Whether it is told on the bus. What was proposed was open before, and everybody knows it.
    pub const fn opens(self) -> bool {
        matches!(self, Step::Open | Step::Ripen | Step::Reopen)
    }

    /// The state after it.
    pub fn state(self, before: Option<DiscrepancyState>) -> DiscrepancyState {
        match self {
            Step::Open | Step::Ripen | Step::Reopen | Step::Withdraw => DiscrepancyState::Open,
            Step::Hold => DiscrepancyState::Held,
            Step::Keep => before.unwrap_or(DiscrepancyState::Open),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_opens_once_and_again_only_after_it_had_ended() {
        assert_eq!(Step::of(None, false, false, false), Step::Open);
        assert_eq!(Step::of(None, true, false, false), Step::Hold);
        assert_eq!(Step::of(Some(DiscrepancyState::Held), true, false, false), Step::Keep);
        assert_eq!(Step::of(Some(DiscrepancyState::Held), false, false, false), Step::Ripen);
        assert_eq!(Step::of(Some(DiscrepancyState::Resolved), true, false, false), Step::Hold);
        assert_eq!(Step::of(Some(DiscrepancyState::Resolved), false, false, false), Step::Reopen);
        assert_eq!(Step::of(Some(DiscrepancyState::Waived), false, false, false), Step::Keep);
        assert_eq!(Step::of(Some(DiscrepancyState::Waived), false, true, false), Step::Reopen);
    }

    #[test]
    fn what_people_agreed_on_is_open_again_when_it_is_something_else_now() {
        for before in [DiscrepancyState::Applied, DiscrepancyState::Waived] {
            assert_eq!(Step::of(Some(before), false, false, true), Step::Reopen);
            assert_eq!(Step::of(Some(before), false, false, false), Step::Keep);
        }
        let proposed = Some(DiscrepancyState::Proposed);
        let step = Step::of(proposed, false, false, true);
        assert_eq!((step, step.state(proposed), step.opens()), (Step::Withdraw, DiscrepancyState::Open, false));
        assert_eq!(Step::of(Some(DiscrepancyState::Approved), false, false, true), Step::Keep);
    }

    #[test]
    fn a_difference_that_somebody_is_at_stays_what_it_is() {
        use DiscrepancyState::{Applied, Approved, Open, Proposed, Resolving};
        for before in [Open, Resolving, Proposed, Approved, Applied] {
            for waits in [false, true] {
                let step = Step::of(Some(before), waits, true, false);
                assert_eq!((step, step.state(Some(before)), step.opens()), (Step::Keep, before, false));
            }
        }
    }
}
