//! The sums at the end of a fund flow, the same sums of its movements, and its two balances.

use money::Fen;

use super::{Direction, Movement};
use crate::bill::{BillError, CellProblem, Control, cells, whole};

/// What a fund flow says about itself; [`FundFlowReader`](super::FundFlowReader) has checked it against the movements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FundSummary {
    /// Movements.
    pub rows: u64,
    /// Those that came in.
    pub incomes: u64,
    /// Their sum.
    pub income: Fen,
    /// Those that left.
    pub spendings: u64,
    /// Their sum.
    pub spent: Fen,
    /// The balance before the first movement; `None` without movements.
    pub opening: Option<Fen>,
    /// The balance after the last movement.
    pub closing: Option<Fen>,
}

const ROWS: &str = "资金流水总笔数";
const INCOMES: &str = "收入笔数";
const INCOME: &str = "收入金额";
const SPENDINGS: &str = "支出笔数";
const SPENT: &str = "支出金额";

/// The column of the movements that is summed up.
const AMOUNT: &str = "收支金额(元)";

/// The summary header, in order.
pub(super) const HEADER: [&str; 5] = [ROWS, INCOMES, INCOME, SPENDINGS, SPENT];

impl FundSummary {
    /// Reads the end of a fund flow, from the header of its summary on: without balances, and compared with nothing. For a reader
    /// that adds movements up by itself.
    ///
    /// # Errors
    /// As [`FundFlowReader`](super::FundFlowReader) has them at its end; lines are counted from the header of the summary.
    pub fn read(end: &[u8]) -> Result<FundSummary, BillError> {
        let (stated, line) = cells::read_end(end)?;
        FundSummary::parse(&stated, line)
    }

    /// Reads the summary row, which is line `line`.
    pub(super) fn parse(cells: &[(String, String)], line: u64) -> Result<FundSummary, BillError> {
        let find = |column: &'static str| {
            cells
                .iter()
                .find(|(name, _)| name.trim() == column)
                .map(|(_, value)| value.as_str())
                .ok_or(BillError::MissingColumn { column })
        };
        let cell = |column: &str, problem| BillError::Cell { line, column: column.to_owned(), problem };
        let count = |column| whole(find(column)?).ok_or_else(|| cell(column, CellProblem::NotCount));
        let fen = |column| Fen::parse_yuan(find(column)?).map_err(|_| cell(column, CellProblem::NotFen));
        Ok(FundSummary {
            rows: count(ROWS)?,
            incomes: count(INCOMES)?,
            income: fen(INCOME)?,
            spendings: count(SPENDINGS)?,
            spent: fen(SPENT)?,
            opening: None,
            closing: None,
        })
    }
}

/// Sums of movements.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals(pub(super) FundSummary);

impl Totals {
    /// Adds one movement.
    pub(super) fn add(&mut self, movement: &Movement) -> Result<(), Control> {
        let overflow = Control::Overflow { column: AMOUNT };
        let sums = &mut self.0;
        if sums.rows == 0 {
            // What the account held before is only told by what it held after.
            sums.opening = Some(movement.balance.checked_sub(movement.signed()).ok_or(overflow.clone())?);
        }
        sums.closing = Some(movement.balance);
        sums.rows += 1;
        let (count, sum) = match movement.direction {
            Direction::In => (&mut sums.incomes, &mut sums.income),
            Direction::Out => (&mut sums.spendings, &mut sums.spent),
        };
        *count += 1;
        *sum = sum.checked_add(movement.amount).ok_or(overflow)?;
        Ok(())
    }

    /// The sums, when they are those that the file states and lead from its first balance to its last.
    pub(super) fn checked(&self, stated: &FundSummary) -> Result<FundSummary, Control> {
        let found = self.0;
        if stated.rows != found.rows {
            return Err(Control::Count { stated: stated.rows, found: found.rows });
        }
        for (column, stated, found) in
            [(INCOMES, stated.incomes, found.incomes), (SPENDINGS, stated.spendings, found.spendings)]
        {
            if stated != found {
                return Err(Control::CountOf { column, stated, found });
            }
        }
        for (column, stated, found) in [(INCOME, stated.income, found.income), (SPENT, stated.spent, found.spent)] {
            if stated != found {
                return Err(Control::Sum { column, stated: stated.to_yuan(), found: found.to_yuan() });
            }
        }
        if let (Some(opening), Some(closing)) = (found.opening, found.closing) {
            let reached = opening
                .checked_add(found.income)
                .and_then(|sum| sum.checked_sub(found.spent))
                .ok_or(Control::Overflow { column: AMOUNT })?;
            if reached != closing {
                return Err(Control::Balance { stated: closing.to_yuan(), found: reached.to_yuan() });
            }
        }
        Ok(found)
    }
}
