//! The fund flow of the basic account, past the entries of the bill.
//!
//! Rows under one number that stand together are judged together: a payment and its fee. What is right of an entry that our books
//! agree with is counted by its word and forgotten, but for a few bits that say what the entry has had. Everything else is left,
//! and of an entry that turns out to be not plain also what was counted before: those rows are looked for once more.

mod again;
mod entry_notes;
mod kinds;
mod layout;
mod row;
mod seen;

use money::{Fen, MilliFen};

use entry_notes::Part;
use kinds::Kinds;
use layout::Layout;
use row::{Row, RowReader, Sums};
use seen::Seen;

pub(super) use entry_notes::EntryNotes;

use super::cells::Cells;
use super::table::{Candidate, Entry, Marks, Notes, Table};
use super::{Basic, MAX_LEFT, Sharing, pieces};
use crate::funds::{AccountFlow, Movement};
use crate::judge::{Judge, MovementsJudged, PlainMoved};
use crate::movement_kind::Kind;
use crate::{AccountKind, Inputs, MovementState};

/// Rows that are looked up together, so that the memory is not waited for row by row.
const BATCH: usize = 64;

/// An entry that agrees with our books and did not move as it must.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unmoved {
    /// Which entry.
    pub(super) number: usize,
    pub(super) kind: Marks,
    pub(super) key: u128,
    pub(super) ours: u128,
    pub(super) amount: u32,
}

/// Reads and controls every row, on all cores, and gives each to its entry. With what is left, and the entries that are left.
pub(super) fn pass(
    inputs: &Inputs<'_>,
    file: &[u8],
    judge: &Judge,
    table: &Table,
    booked: &Notes,
    sharing: Sharing,
) -> Option<(Basic, Vec<Unmoved>)> {
    let layout = Layout::find(file)?;
    let reader = RowReader::new(file, &layout, inputs.day)?;
    let rule = Rule::of(judge);
    let Found { mut kinds, sums, notes, seen, mut left } = read(&reader, rule, table, booked, sharing)?;
    let [opening, closing] = reader.balances(&sums)?;
    seen::all_differ(&seen, sharing)?;
    drop(seen);
    let judged = if kinds.have_fees() { MovementsJudged::All } else { MovementsJudged::Principal };
    let (unmoved, sought) = rule.unmoved(judged, table, booked, &notes)?;
    left.sort_unstable();
    let mut again = again::rows_under(&reader, &sought, sharing)?;
    again.retain(|at| left.binary_search(at).is_err());
    for at in again {
        if kinds.take_back(&reader.reread(at)?)? {
            left.push(at);
        }
    }
    if MAX_LEFT < left.len() {
        return None;
    }
    left.sort_unstable();
    let movements = left.into_iter().map(|at| reader.reread(at).map(Movement::from)).collect::<Option<_>>()?;
    let flow = AccountFlow { account: AccountKind::Basic, state: MovementState::Read, opening, closing, movements };
    Some((Basic { flow, judged, moved: kinds.counted() }, unmoved))
}

/// What all threads found.
struct Found {
    kinds: Kinds,
    sums: Sums,
    notes: EntryNotes,
    seen: Vec<Seen>,
    left: Vec<usize>,
}

fn read(reader: &RowReader<'_>, rule: Rule, table: &Table, booked: &Notes, sharing: Sharing) -> Option<Found> {
    let (file, rows) = (reader.file, reader.layout.rows.clone());
    let pieces = pieces::cut(file, rows.clone(), pieces::ROW, sharing);
    let start = || Pass {
        rule,
        table,
        booked,
        cells: reader.cells(),
        kinds: Kinds::default(),
        seen: Seen::of_rows_in(rows.len()),
        sums: Sums::default(),
        batch: Vec::with_capacity(BATCH),
        partition: 0,
        notes: table.entry_notes(),
        left: Vec::new(),
    };
    let passes = pieces::share(sharing, pieces.len(), start, |pass, piece| {
        let mut at = pieces[piece].start;
        while at < pieces[piece].end {
            at += pass.row(reader, at, &file[at..pieces[piece].end])?;
        }
        pass.settle(pass.batch.len())
    })?;
    let (kinds, sums, notes) = (Kinds::default(), Sums::default(), table.entry_notes());
    let mut found = Found { kinds, sums, notes, seen: Vec::new(), left: Vec::new() };
    for pass in passes {
        found.kinds.merge(pass.kinds)?;
        found.sums.add(&pass.sums)?;
        found.notes.merge(&pass.notes);
        found.seen.push(pass.seen);
        found.left.extend(pass.left);
    }
    Some(found)
}

/// What a thread has.
struct Pass<'p> {
    rule: Rule,
    table: &'p Table,
    /// What our books say of entries.
    booked: &'p Notes,
    cells: Cells,
    kinds: Kinds,
    seen: Seen,
    sums: Sums,
    batch: Vec<(Row, usize)>,
    /// Where the last number was.
    partition: usize,
    notes: EntryNotes,
    /// Where rows begin that are not counted.
    left: Vec<usize>,
}

impl Pass<'_> {
    /// Reads the row with which `bytes` begin, `at` this place of the file. How long it is with its end.
    fn row(&mut self, reader: &RowReader<'_>, at: usize, bytes: &[u8]) -> Option<usize> {
        let (row, flow_number, length) = reader.read(&mut self.cells, &mut self.kinds, bytes)?;
        self.seen.push(flow_number);
        self.sums.row(&row)?;
        if row.number == 0 {
            self.leave(row, at)?;
        } else {
            self.batch.push((row, at));
            if self.batch.len() == BATCH {
                // Those under the last number may go on.
                let last = self.batch[BATCH - 1].0.number;
                let others = self.batch.iter().rposition(|(row, _)| row.number != last).map_or(BATCH, |at| at + 1);
                self.settle(others)?;
            }
        }
        Some(length)
    }

    /// Gives the first rows at hand to their entries.
    fn settle(&mut self, rows: usize) -> Option<()> {
        let batch = std::mem::take(&mut self.batch);
        let runs = || batch[..rows].chunk_by(|(one, _), (other, _)| one.number == other.number);
        let mut candidates: [Option<Candidate>; BATCH] = [None; BATCH];
        for (candidate, run) in candidates.iter_mut().zip(runs()) {
            let number = run[0].0.number;
            self.partition = self.table.partition_of(number, self.partition);
            *candidate = Some(self.table.candidate(self.partition, Marks::NONE, number));
        }
        let mut found: [Option<(usize, &Entry)>; BATCH] = [None; BATCH];
        for ((found, candidate), run) in found.iter_mut().zip(candidates).zip(runs()) {
            *found = candidate.and_then(|candidate| self.table.find_either(candidate, run[0].0.number));
        }
        for (found, run) in found.into_iter().zip(runs()) {
            self.run(found, run)?;
        }
        self.batch = batch;
        self.batch.drain(..rows);
        Some(())
    }

    /// Counts or leaves rows that stand together under one number.
    fn run(&mut self, found: Option<(usize, &Entry)>, run: &[(Row, usize)]) -> Option<()> {
        let is_counted = match found.filter(|(number, _)| self.booked.agrees(*number)) {
            None => false,
            Some((number, entry)) => {
                let part = self.rule.part(entry, run.iter().map(|(row, _)| (self.kinds.kind(row.word), row.amount)));
                self.notes.add(number, part)
            }
        };
        for (row, at) in run {
            if is_counted && self.kinds.kind(row.word) != Kind::Ordinary {
                self.kinds.count(row.word, true, row.amount)?;
            } else {
                self.leave(*row, *at)?;
            }
        }
        Some(())
    }

    /// Leaves a row, unless it is of a kind that needs no trade: then it is only counted.
    fn leave(&mut self, row: Row, at: usize) -> Option<()> {
        if self.kinds.kind(row.word) == Kind::Ordinary {
            return self.kinds.count(row.word, false, row.amount);
        }
        self.left.push(at);
        (self.left.len() <= MAX_LEFT).then_some(())
    }
}

/// Says whether an entry moved as it must, by the rule of all plain groups.
#[derive(Clone, Copy)]
struct Rule {
    principal: Judge,
    all: Judge,
}

impl Rule {
    fn of(judge: &Judge) -> Rule {
        let with = |movements| Judge { movements, ..*judge };
        Rule { principal: with(MovementsJudged::Principal), all: with(MovementsJudged::All) }
    }

    /// What these movements under an entry's number are of what it must have. `None` when they are not as they must be.
    fn part(self, entry: &Entry, movements: impl Iterator<Item = (Kind, i64)>) -> Option<Part> {
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
    fn unmoved(
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
