//! Reads a fund flow and believes it only as a whole.

use std::fmt;
use std::io::BufRead;

use jiff::civil::Date;
use money::Fen;

use super::columns::{Column, FundColumns};
use super::summary::Totals;
use super::{Direction, FundSummary, Movement};
use crate::bill::cells::{CellReader, Cells};
use crate::bill::{BillError, CellProblem, Control, Numbers, is_number};
use crate::time;

/// What a fund flow was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The day; every movement must have been booked on it.
    pub bill_date: Option<Date>,
}

/// Streams the movements of one fund flow.
///
/// It is an iterator whose last item is an error when the sums or the balances do not agree. Movements are only to be acted
/// upon once [`FundFlowReader::finish`] has returned the summary: until then the file can still turn out to be truncated.
///
/// Memory is bounded by one line and, to find duplicates, 16 bytes and some per movement.
pub struct FundFlowReader<R> {
    cells: CellReader<R>,
    columns: FundColumns,
    expected: Expected,
    seen: Numbers,
    totals: Totals,
    state: State,
}

enum State {
    Rows,
    Failed,
    Done(FundSummary),
}

impl<R: BufRead> FundFlowReader<R> {
    /// Reads the header of plain text (see [`plain`](crate::bill::plain) for gzip).
    ///
    /// # Errors
    /// [`BillError::Failure`] when there is no fund flow, [`BillError::MissingColumn`] for a file of another kind.
    pub fn open(input: R, expected: Expected) -> Result<FundFlowReader<R>, BillError> {
        let cells = CellReader::open(input)?;
        let columns = FundColumns::of(cells.columns())?;
        let (seen, totals) = (Numbers::default(), Totals::default());
        Ok(FundFlowReader { cells, columns, expected, seen, totals, state: State::Rows })
    }

    /// Reads what is left and returns the sums and balances, checked against all movements.
    ///
    /// # Errors
    /// The first error of the rest. After an error that was already returned, [`BillError::Truncated`].
    pub fn finish(mut self) -> Result<FundSummary, BillError> {
        for movement in self.by_ref() {
            movement?;
        }
        match self.state {
            State::Done(summary) => Ok(summary),
            State::Rows | State::Failed => Err(BillError::Truncated { line: self.cells.line() }),
        }
    }

    fn read(&mut self) -> Result<Option<Movement>, BillError> {
        let Some(cells) = self.cells.next_row()? else {
            let stated = self.cells.summary().expect("the cells end with a summary");
            let stated = FundSummary::parse(stated, self.cells.line())?;
            self.state = State::Done(self.totals.checked(&stated).map_err(BillError::Control)?);
            return Ok(None);
        };
        let movement = Row { cells, columns: &self.columns }.read()?;
        let line = movement.line;
        if self.expected.bill_date.is_some_and(|date| date != time::bill_date(movement.booked_at)) {
            return Err(BillError::Control(Control::ForeignDay { line }));
        }
        if !self.seen.insert(&movement.flow_number) {
            return Err(BillError::Control(Control::Duplicate { line }));
        }
        self.totals.add(&movement).map_err(BillError::Control)?;
        Ok(Some(movement))
    }
}

impl<R> fmt::Debug for FundFlowReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FundFlowReader").field("cells", &self.cells).finish_non_exhaustive()
    }
}

impl<R: BufRead> Iterator for FundFlowReader<R> {
    type Item = Result<Movement, BillError>;

    fn next(&mut self) -> Option<Result<Movement, BillError>> {
        if !matches!(self.state, State::Rows) {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.state = State::Failed;
        }
        read.transpose()
    }
}

/// One movement on its way from texts to values.
pub(super) struct Row<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) columns: &'a FundColumns,
}

impl Row<'_> {
    pub(super) fn read(&self) -> Result<Movement, BillError> {
        let direction = Direction::parse(self.required(Column::Direction)?)
            .ok_or_else(|| self.error(Column::Direction, CellProblem::NotDirection))?;
        let amount = self.fen(Column::Amount)?;
        if amount < Fen::ZERO {
            return Err(self.error(Column::Amount, CellProblem::Negative));
        }
        // Some files write full-width colons.
        let booked_at = time::parse_spaced(&self.required(Column::BookedAt)?.replace('：', ":"))
            .map_err(|_| self.error(Column::BookedAt, CellProblem::NotTime))?;
        Ok(Movement {
            line: self.cells.line(),
            booked_at,
            number: self.number(Column::Number)?.to_owned(),
            flow_number: self.required(Column::FlowNumber).and_then(|_| self.number(Column::FlowNumber))?.to_owned(),
            name: self.text(Column::Name),
            kind: self.required(Column::Kind)?.to_owned(),
            direction,
            amount,
            balance: self.fen(Column::Balance)?,
            by: self.text(Column::By),
            remark: self.text(Column::Remark),
            voucher: self.text(Column::Voucher),
        })
    }

    /// The value, empty when the file has no such column.
    fn get(&self, column: Column) -> &str {
        self.columns.place(column).map(|place| self.cells.get(place)).unwrap_or_default()
    }

    fn text(&self, column: Column) -> String {
        self.get(column).to_owned()
    }

    fn required(&self, column: Column) -> Result<&str, BillError> {
        Some(self.get(column)).filter(|text| !text.is_empty()).ok_or_else(|| self.error(column, CellProblem::Empty))
    }

    fn number(&self, column: Column) -> Result<&str, BillError> {
        let text = self.get(column);
        if is_number(text) { Ok(text) } else { Err(self.error(column, CellProblem::NotNumber)) }
    }

    fn fen(&self, column: Column) -> Result<Fen, BillError> {
        Fen::parse_yuan(self.get(column)).map_err(|_| self.error(column, CellProblem::NotFen))
    }

    fn error(&self, column: Column, problem: CellProblem) -> BillError {
        BillError::Cell { line: self.cells.line(), column: column.name().to_owned(), problem }
    }
}
