//! Reads a trade bill and believes it only as a whole.

use std::collections::HashSet;
use std::fmt;
use std::io::BufRead;

use jiff::civil::Date;

use super::cells::CellReader;
use super::numbers::Numbers;
use super::read_row::Row;
use super::summary::Totals;
use super::{BillError, BillState, Control, Summary, TradeColumns, TradeRow};
use crate::time;

/// What a bill was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Our merchant number; every row must carry it.
    pub mch_id: String,
    /// The day; every payment must have happened on it. Refund rows are not held to it, because sources disagree on
    /// what their time is.
    pub bill_date: Option<Date>,
}

/// Streams the rows of one trade bill (24 or 27 columns, or the bills of payments or refunds alone).
///
/// It is an iterator of rows whose last item is an error when the sums do not agree. Rows are only to be acted upon
/// once [`TradeBillReader::finish`] has returned the summary: until then the bill can still turn out to be truncated.
///
/// Memory is bounded by one line and, to find duplicates, 16 bytes and some per row.
pub struct TradeBillReader<R> {
    cells: CellReader<R>,
    columns: TradeColumns,
    expected: Expected,
    seen: Seen,
    totals: Totals,
    state: State,
}

enum State {
    Rows,
    Failed,
    Done(Summary),
}

impl<R: BufRead> TradeBillReader<R> {
    /// Reads the header of plain text (see [`plain`](super::plain) for gzip).
    ///
    /// # Errors
    /// [`BillError::Failure`] when there is no bill, [`BillError::MissingColumn`] for a bill of another kind.
    pub fn open(input: R, expected: Expected) -> Result<TradeBillReader<R>, BillError> {
        let cells = CellReader::open(input)?;
        let columns = TradeColumns::of(cells.columns())?;
        Ok(TradeBillReader {
            cells,
            columns,
            expected,
            seen: Seen::default(),
            totals: Totals::default(),
            state: State::Rows,
        })
    }

    /// Reads what is left and returns the sums, checked against all rows.
    ///
    /// # Errors
    /// The first error of the rest. After an error that was already returned, [`BillError::Truncated`].
    pub fn finish(mut self) -> Result<Summary, BillError> {
        for row in self.by_ref() {
            row?;
        }
        match self.state {
            State::Done(summary) => Ok(summary),
            State::Rows | State::Failed => Err(BillError::Truncated { line: self.cells.line() }),
        }
    }

    /// The line read last, from 1.
    pub fn line(&self) -> u64 {
        self.cells.line()
    }

    fn read(&mut self) -> Result<Option<TradeRow>, BillError> {
        let Some(cells) = self.cells.next_row()? else {
            let stated = self.cells.summary().expect("the cells end with a summary");
            let summary = Summary::parse(stated, self.cells.line())?;
            summary.check(&self.totals).map_err(BillError::Control)?;
            self.state = State::Done(summary);
            return Ok(None);
        };
        let line = cells.line();
        let row = Row { cells, columns: &self.columns }.read()?;
        if row.mch_id != self.expected.mch_id {
            return Err(BillError::Control(Control::ForeignMerchant { line }));
        }
        let foreign_day = self.expected.bill_date.is_some_and(|date| date != time::bill_date(row.trade_time));
        if row.state == BillState::Success && foreign_day {
            return Err(BillError::Control(Control::ForeignDay { line }));
        }
        if !self.seen.insert(&row) {
            return Err(BillError::Control(Control::Duplicate { line }));
        }
        self.totals.add(&row).map_err(BillError::Control)?;
        Ok(Some(row))
    }
}

impl<R> fmt::Debug for TradeBillReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TradeBillReader").field("rows", &self.totals.rows).finish_non_exhaustive()
    }
}

impl<R: BufRead> Iterator for TradeBillReader<R> {
    type Item = Result<TradeRow, BillError>;

    fn next(&mut self) -> Option<Result<TradeRow, BillError>> {
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

/// Rows seen so far, by kind and number.
#[derive(Default)]
struct Seen {
    payments: Numbers,
    refunds: Numbers,
    others: HashSet<String>,
}

impl Seen {
    /// Whether the row is new.
    fn insert(&mut self, row: &TradeRow) -> bool {
        match (&row.state, &row.refund) {
            (BillState::Success, _) => self.payments.insert(&row.transaction_id),
            (BillState::Refund, Some(refund)) => self.refunds.insert(&refund.refund_id),
            _ => self.others.insert(format!("{} {}", row.state.as_str(), row.transaction_id)),
        }
    }
}
