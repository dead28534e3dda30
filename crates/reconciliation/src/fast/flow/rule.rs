//! Which entries moved as they must, by the rule of all plain groups.

use money::{Fen, MilliFen};

use super::entry_notes::{EntryNotes, Part};
use crate::fast::MAX_LEFT;
use crate::fast::table::{Entry, Marks, Notes, Table};
use crate::judge::{Judge, MovementsJudged, PlainMoved};
use crate::movement_kind::Kind;

/// An entry that agrees with our books and did not move as it must.
#[derive(Clone, Copy, Debug)]
pub(in crate::fast) struct Unmoved {
    /// Which entry.
    pub(in crate::fast) number: usize,
    pub(in crate::fast) kind: Marks,
    pub(in crate::fast) key: u128,
    pub(in crate::fast) ours: u128,
    pub(in crate::fast) amount: u32,
}

/// Says whether an entry moved as it must, by the rule of all plain groups.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    principal: Judge,
    all: Judge,
}

impl Rule {
    pub(super) fn of(judge: &Judge) -> Rule {
        let with = |movements| Judge { movements, ..*judge };
        Rule { principal: with(MovementsJudged::Principal), all: with(MovementsJudged::All) }
    }

    /// What these movements under an entry's number are of what it must have. `None` when they are not as they must be.
    pub(super) fn part(self, entry: &Entry, movements: impl Iterator<Item = (Kind, i64)>) -> Option<Part> {
        let principal = if entry.marks().has(Marks::REFUND) { Kind::Refund } else { Kind::Payment };
        let (mut moved, mut has_fee) = (PlainMoved::default(), false);
        for (kind, amount) in movements.filter(|(kind, _)| *kind != Kind::Ordinary) {
            has_fee |= kind.is_fee();
            moved.add(principal, kind, Fen::new(amount))?;
        }
        let has_principal = moved.principal.is_some();
        // The other part may stand somewhere else.
        moved.principal = moved.principal.or(Some(Fen::new(i64::from(entry.amounts.settled))));
        let judge = if has_fee { self.all } else { self.principal };
        let part = Part::NONE.and_if(has_principal, Part::PRINCIPAL).and_if(has_fee, Part::FEE);
        moved_as(judge, entry, moved).then_some(part)
    }

    /// The entries that agree with our books and did not move as they must, and the numbers of those of which something was
    /// counted.
    pub(super) fn unmoved(
        self,
        judged: MovementsJudged,
        table: &Table,
        booked: &Notes,
        notes: &EntryNotes,
    ) -> Option<(Vec<Unmoved>, Vec<u128>)> {
        let judge = if judged == MovementsJudged::All { self.all } else { self.principal };
        let (mut unmoved, mut sought) = (Vec::new(), Vec::new());
        for (number, entry) in table.entries() {
            let had = notes.of(number);
            if !booked.agrees(number) || had == Part::PRINCIPAL.and(Part::FEE) {
                continue;
            }
            let settled = Fen::new(i64::from(entry.amounts.settled));
            let (principal, fee) = (Some(settled).filter(|_| had.has(Part::PRINCIPAL)), Fen::ZERO);
            let moved = PlainMoved { principal, fee, anything_else: had.has(Part::SPOILED) };
            // A fee that was counted is right.
            let judge = if had.has(Part::FEE) { self.principal } else { judge };
            if moved_as(judge, entry, moved) {
                continue;
            }
            let (key, kind) = (entry.key(), entry.marks().kind());
            unmoved.push(Unmoved { number, kind, key, ours: entry.ours(), amount: entry.amounts.amount });
            if had.has(Part::PRINCIPAL) || had.has(Part::FEE) {
                sought.push(key);
            }
            if MAX_LEFT < unmoved.len() {
                return None;
            }
        }
        sought.sort_unstable();
        Some((unmoved, sought))
    }
}

fn moved_as(judge: Judge, entry: &Entry, moved: PlainMoved) -> bool {
    let accepted = [entry.amounts.settled, entry.amounts.amount].map(|amount| Fen::new(i64::from(amount)));
    judge.moved_as(moved, accepted, MilliFen::new(i64::from(entry.amounts.fee)))
}
