//! One row of a fund flow, from bytes to a movement.

use jiff::civil::Date;
use money::Fen;
use wechat_pay::fund_flow::{Direction, FundSummary, Movement};
use wechat_pay::time;

use super::kinds::Kinds;
use super::layout::Layout;
use super::seen::mixed;
use crate::fast::cells::{Cells, Values};
use crate::fast::numbers::{are_digits, digits, is_yuan, yuan};
use crate::fast::{DayText, LINE, MAX_ROWS, day_text, is_on};

/// No amount is larger here, so that the ordinary reader's sums hold everything that this one's do.
const LARGEST: u64 = 10_000_000_000;

const IN: &[u8] = Direction::In.as_str().as_bytes();
const OUT: &[u8] = Direction::Out.as_str().as_bytes();

/// What is done with a row.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// The provider's number of what moved; zero when it is no number that an entry could have.
    pub(super) number: u128,
    /// The place of its kind's word.
    pub(super) word: usize,
    /// In fen, negative when it left.
    pub(super) amount: i64,
    /// Whether it came, if only nothing.
    pub(super) came: bool,
}

/// Reads rows of one fund flow.
pub(super) struct RowReader<'a> {
    pub(super) file: &'a [u8],
    pub(super) layout: &'a Layout,
    date: Date,
    day: DayText,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(file: &'a [u8], layout: &'a Layout, date: Date) -> Option<RowReader<'a>> {
        Some(RowReader { file, layout, date, day: day_text(date)? })
    }

    pub(super) fn cells(&self) -> Cells {
        Cells::new(self.layout.columns.width())
    }

    /// The row with which `bytes` begin, what tells its own number from others, and how long it is with its end.
    ///
    /// `None` when the ordinary reader has to say what is wrong with the row.
    pub(super) fn read(&self, cells: &mut Cells, kinds: &mut Kinds, bytes: &[u8]) -> Option<(Row, u64, usize)> {
        // A row whose values seemed to end where those of the row before did is looked at again before it is thought unusual.
        for guesses in [true, false] {
            if !guesses {
                cells.forget();
            }
            let Some(length) = cells.cut(bytes, &self.layout.contents) else { continue };
            if let Some((row, flow_number)) = self.usual(kinds, &cells.values(bytes)) {
                return Some((row, flow_number, length));
            }
        }
        self.loose(kinds, bytes)
    }

    /// A usual row. `None` when something is unusual, or when a value that is no free text might not end where it seems to.
    fn usual(&self, kinds: &mut Kinds, values: &Values<'_>) -> Option<(Row, u64)> {
        let places = &self.layout.places;
        let get = |place| values.get(place);
        let size = i64::from(yuan(get(places.amount))?);
        let came = match get(places.direction) {
            direction if direction == IN => true,
            direction if direction == OUT => false,
            _ => return None,
        };
        let amount = if came { size } else { -size };
        let (number, flow_number) = (digits(get(places.number))?, get(places.flow_number));
        if !(is_on(&self.day, get(places.booked_at)) && is_yuan(get(places.balance)) && are_digits(flow_number)) {
            return None;
        }
        if !values.are_utf8(&self.layout.contents) {
            return None;
        }
        Some((Row { number, word: kinds.place(get(places.kind))?, amount, came }, mixed(flow_number)))
    }

    /// A row that the ordinary reader takes and this one does not know.
    fn loose(&self, kinds: &mut Kinds, bytes: &[u8]) -> Option<(Row, u64, usize)> {
        let (movement, length) = self.layout.columns.read_first(LINE, bytes).ok()?;
        let amount = movement.signed().get();
        if time::bill_date(movement.booked_at) != self.date || LARGEST < amount.unsigned_abs() {
            return None;
        }
        let number = digits(movement.number.as_bytes()).unwrap_or_default();
        let (word, came) = (kinds.place(movement.kind.as_bytes())?, movement.direction == Direction::In);
        Some((Row { number, word, amount, came }, mixed(movement.flow_number.as_bytes()), length))
    }

    /// The row that begins `at` this place, whole.
    pub(super) fn reread(&self, at: usize) -> Option<Movement> {
        self.first(at).map(|(movement, _)| movement)
    }

    fn first(&self, at: usize) -> Option<(Movement, usize)> {
        self.layout.columns.read_first(LINE, self.file.get(at..self.layout.rows.end)?).ok()
    }

    /// What the account held before the first row and after the last one. `None` when rows and summary are not the same, or do
    /// not lead from one to the other.
    pub(super) fn balances(&self, sums: &Sums) -> Option<[Option<Fen>; 2]> {
        let FundSummary { rows, incomes, income, spendings, spent, .. } = self.layout.stated;
        let found = (sums.incomes + sums.spendings, sums.incomes, sums.income, sums.spendings, sums.spent);
        if found != (rows, incomes, income.get(), spendings, spent.get()) || MAX_ROWS < rows {
            return None;
        }
        let rows = self.layout.rows.clone();
        if rows.is_empty() {
            return Some([None; 2]);
        }
        let (first, _) = self.first(rows.start)?;
        let opening = first.balance.checked_sub(first.signed())?;
        // Lines without a backtick may follow that are rows all the same.
        let mut at = memchr::memmem::rfind(&self.file[rows.start - 1..rows.end], b"\n`").unwrap_or(0) + rows.start;
        let mut closing = None;
        while at < rows.end {
            let (last, length) = self.first(at)?;
            closing = Some(last.balance);
            at += length;
        }
        let reached = opening.checked_add(income)?.checked_sub(spent)?;
        (closing == Some(reached)).then_some([Some(opening), closing])
    }
}

/// Sums of rows, as the file's own summary has them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    incomes: u64,
    income: i64,
    spendings: u64,
    spent: i64,
}

impl Sums {
    /// Adds one row.
    pub(super) fn row(&mut self, row: &Row) -> Option<()> {
        let (count, sum) =
            if row.came { (&mut self.incomes, &mut self.income) } else { (&mut self.spendings, &mut self.spent) };
        *count += 1;
        *sum = sum.checked_add(row.amount.abs())?;
        Some(())
    }

    pub(super) fn add(&mut self, other: &Sums) -> Option<()> {
        self.incomes += other.incomes;
        self.spendings += other.spendings;
        self.income = self.income.checked_add(other.income)?;
        self.spent = self.spent.checked_add(other.spent)?;
        Some(())
    }
}
