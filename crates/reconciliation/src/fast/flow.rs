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
mod rule;
mod seen;

use kinds::Kinds;
use layout::Layout;
use row::{Row, RowReader, Sums};
use rule::Rule;
use seen::Seen;

pub(super) use entry_notes::EntryNotes;
pub(super) use rule::Unmoved;

use super::cells::Cells;
use super::table::{Candidate, Entry, Marks, Notes, Spot, Table};
use super::{Basic, MAX_LEFT, Sharing, pieces};
use crate::funds::{AccountFlow, Movement};
use crate::judge::{Judge, MovementsJudged};
use crate::movement_kind::Kind;
use crate::{AccountKind, Inputs, MovementState};

/// Rows that are looked up together, so that the memory is not waited for row by row.
const BATCH: usize = 64;

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
        last: vec![Spot::default(); table.partitions()],
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
    /// In each partition, where the last entry was found. The provider writes both files in the order of time, so the next one is
    /// nearly always behind it, and no slot is asked.
    last: Vec<Spot>,
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
        let mut looked_up: [Option<LookedUp<'_>>; BATCH] = [const { None }; BATCH];
        for (place, run) in looked_up.iter_mut().zip(runs()) {
            let number = run[0].0.number;
            self.partition = self.table.partition_of(number, self.partition);
            let next = self.last[self.partition].next();
            *place = Some(match self.table.payment_in(self.partition, next, number) {
                Some(entry) => {
                    self.last[self.partition] = next;
                    LookedUp::Found(self.table.number(self.partition, next), entry)
                }
                None => LookedUp::Candidate(self.table.candidate(self.partition, Marks::NONE, number)),
            });
        }
        let mut found: [Option<(usize, &Entry)>; BATCH] = [None; BATCH];
        for ((found, looked_up), run) in found.iter_mut().zip(looked_up).zip(runs()) {
            *found = match looked_up? {
                LookedUp::Found(number, entry) => Some((number, entry)),
                LookedUp::Candidate(candidate) => {
                    self.table.find_either(candidate, run[0].0.number).map(|(spot, entry)| {
                        self.last[candidate.partition()] = spot;
                        (self.table.number(candidate.partition(), spot), entry)
                    })
                }
            };
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

/// What is known of a number before the memory has answered.
enum LookedUp<'t> {
    Found(usize, &'t Entry),
    Candidate(Candidate),
}
