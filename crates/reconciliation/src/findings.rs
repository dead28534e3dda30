//! Sums and differences as they are found, group by group.

use std::collections::BTreeMap;

use money::Fen;

use crate::judge::{Judgement, Moved};
use crate::{AccountKind, BoundaryMatch, Difference, MAX_DIFFERENCES, MovementKind, Refused, Tally};

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) payments: Sides,
    pub(crate) refunds: Sides,
    pub(crate) differences: Vec<Difference>,
    pub(crate) boundary: Vec<BoundaryMatch>,
    moved: BTreeMap<(AccountKind, String, bool), Tally>,
}

/// Payments, or refunds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sides {
    pub(crate) bill: Tally,
    pub(crate) books: Tally,
    pub(crate) matched: Tally,
}

impl Findings {
    /// What was found when only these payments and refunds were looked at, all of which agree.
    ///
    /// `moved` is what moved on the basic account and is counted already: the word, and whether it is of trades.
    pub(crate) fn of_agreed(payments: Tally, refunds: Tally, moved: Vec<(String, bool, Tally)>) -> Findings {
        let agreed = |tally| Sides { bill: tally, books: tally, matched: tally };
        let moved = moved.into_iter().map(|(kind, of_trade, tally)| ((AccountKind::Basic, kind, of_trade), tally));
        Findings { payments: agreed(payments), refunds: agreed(refunds), moved: moved.collect(), ..Findings::default() }
    }

    pub(crate) fn payment(&mut self, judgement: Judgement) -> Result<(), Refused> {
        self.payments.add(&judgement)?;
        self.add(judgement)
    }

    pub(crate) fn refund(&mut self, judgement: Judgement) -> Result<(), Refused> {
        self.refunds.add(&judgement)?;
        self.add(judgement)
    }

    /// What comes of movements alone.
    pub(crate) fn add(&mut self, judgement: Judgement) -> Result<(), Refused> {
        self.differences.extend(judgement.differences);
        self.boundary.extend(judgement.boundary);
        if MAX_DIFFERENCES < self.differences.len() || MAX_DIFFERENCES < self.boundary.len() {
            return Err(Refused::TooManyDifferences);
        }
        judgement.moved.into_iter().try_for_each(|moved| self.moved(moved))
    }

    fn moved(&mut self, Moved { account, kind, of_trade, amount }: Moved) -> Result<(), Refused> {
        self.moved.entry((account, kind, of_trade)).or_default().add(amount)
    }

    /// What moved on one account, sorted by WeChat's words.
    pub(crate) fn movements_of(&self, account: AccountKind) -> Vec<MovementKind> {
        let of_account = self.moved.iter().filter(|((of, ..), _)| *of == account);
        of_account
            .map(|((_, kind, of_trades), tally)| MovementKind {
                kind: kind.clone(),
                count: tally.count,
                sum: tally.sum,
                of_trades: *of_trades,
            })
            .collect()
    }
}

impl Sides {
    fn add(&mut self, judgement: &Judgement) -> Result<(), Refused> {
        let sides = [
            (&mut self.bill, judgement.billed),
            (&mut self.books, judgement.booked),
            (&mut self.matched, judgement.matched),
        ];
        for (tally, amount) in sides {
            amount.map_or(Ok(()), |amount| tally.add(amount))?;
        }
        Ok(())
    }
}

impl Tally {
    /// One row more. Sums beyond 64 bits are no honest file's.
    pub(crate) fn add(&mut self, amount: Fen) -> Result<(), Refused> {
        let too_large = || Refused::Control("the sum of all rows is larger than any amount of money".to_owned());
        self.sum = self.sum.checked_add(amount).ok_or_else(too_large)?;
        self.count = self.count.checked_add(1).ok_or_else(too_large)?;
        Ok(())
    }
}
