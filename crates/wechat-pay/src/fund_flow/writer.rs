//! Writes a fund flow, as WeChat does.

use std::fmt;
use std::io::{self, Write};

use super::Movement;
use super::columns::header;
use super::summary::{HEADER, Totals};
use crate::bill::{BillWriteError, carried};
use crate::time;

/// Writes movements, then their sums: byte-order mark, CRLF, a backtick before every value.
pub struct FundFlowWriter<W> {
    output: W,
    totals: Totals,
}

impl<W: Write> FundFlowWriter<W> {
    /// Writes the header.
    pub fn new(mut output: W) -> io::Result<FundFlowWriter<W>> {
        write!(output, "\u{feff}{}\r\n", header().join(","))?;
        Ok(FundFlowWriter { output, totals: Totals::default() })
    }

    /// Writes one movement; its line is where it then stands, whatever it says. Line breaks and the pair of comma and
    /// backtick, which the format cannot carry, get or become a space.
    pub fn row(&mut self, movement: &Movement) -> Result<(), BillWriteError> {
        self.totals.add(movement).map_err(BillWriteError::Sum)?;
        let cells = [
            time::print_spaced(movement.booked_at),
            carried(&movement.number),
            carried(&movement.flow_number),
            carried(&movement.name),
            carried(&movement.kind),
            movement.direction.as_str().to_owned(),
            movement.amount.to_yuan(),
            movement.balance.to_yuan(),
            carried(&movement.by),
            carried(&movement.remark),
            carried(&movement.voucher),
        ];
        Ok(write!(self.output, "`{}\r\n", cells.join(",`"))?)
    }

    /// Writes the summary and returns the output.
    pub fn finish(mut self) -> Result<W, BillWriteError> {
        let sums = self.totals.0;
        write!(
            self.output,
            "{}\r\n`{}.0,`{}.0,`{},`{}.0,`{}\r\n",
            HEADER.join(","),
            sums.rows,
            sums.incomes,
            sums.income.to_yuan(),
            sums.spendings,
            sums.spent.to_yuan()
        )?;
        self.output.flush()?;
        Ok(self.output)
    }
}

impl<W> fmt::Debug for FundFlowWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FundFlowWriter").field("rows", &self.totals.0.rows).finish_non_exhaustive()
    }
}
