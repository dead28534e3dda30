//! Reads a trade bill and believes it only as a whole.

use std::collections::HashSet;
use std::fmt;
use std::io::BufRead;

use jiff::Timestamp;
use jiff::civil::Date;
use money::{Fen, MilliFen};

use super::cells::{CellReader, Cells};
use super::columns::{Column, Columns};
use super::numbers::Numbers;
use super::summary::Totals;
use super::{BillError, BillRefund, BillState, CellProblem, Control, Summary, TradeRow};
use crate::time;
use crate::v2::OpenId;

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
    columns: Columns,
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
        let columns = Columns::find(cells.columns())?;
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

/// One row on its way from texts to values.
struct Row<'a> {
    cells: Cells<'a>,
    columns: &'a Columns,
}

impl Row<'_> {
    fn read(&self) -> Result<TradeRow, BillError> {
        let state = BillState::parse(self.required(Column::State)?);
        let settlement_total_fee = self.fen(Column::SettlementTotalFee)?.unwrap_or_default();
        Ok(TradeRow {
            trade_time: self
                .time(Column::TradeTime)?
                .ok_or_else(|| self.error(Column::TradeTime, CellProblem::Empty))?,
            appid: self.text(Column::AppId),
            mch_id: self.required(Column::MchId)?.to_owned(),
            sub_mch_id: self.number(Column::SubMchId).map(str::to_owned),
            device_info: self.text(Column::DeviceInfo),
            transaction_id: self.required(Column::TransactionId)?.to_owned(),
            out_trade_no: self.required(Column::OutTradeNo)?.to_owned(),
            openid: OpenId::new(self.text(Column::OpenId)),
            trade_type: self.text(Column::TradeType),
            refund: self.refund(&state)?,
            state,
            bank_type: self.text(Column::BankType),
            fee_type: self.text(Column::FeeType),
            // Layouts without this column have no coupons that would make a difference.
            total_fee: self.fen(Column::TotalFee)?.unwrap_or(settlement_total_fee),
            settlement_total_fee,
            coupon_fee: self.fen(Column::CouponFee)?.unwrap_or_default(),
            body: self.text(Column::Body),
            attach: self.text(Column::Attach),
            fee: MilliFen::parse_yuan(self.get(Column::Fee).unwrap_or_default())
                .map_err(|_| self.error(Column::Fee, CellProblem::NotMilliFen))?,
            rate: self.text(Column::Rate),
            rate_note: self.text(Column::RateNote),
        })
    }

    fn refund(&self, state: &BillState) -> Result<Option<BillRefund>, BillError> {
        let settlement_refund_fee = self.fen(Column::SettlementRefundFee)?.unwrap_or_default();
        let coupon_refund_fee = self.fen(Column::CouponRefundFee)?.unwrap_or_default();
        let refund_fee = self.fen(Column::RefundFee)?.unwrap_or(settlement_refund_fee);
        let Some(refund_id) = self.number(Column::RefundId) else {
            let nothing = [settlement_refund_fee, coupon_refund_fee, refund_fee] == [Fen::ZERO; 3];
            return if nothing && *state != BillState::Refund {
                Ok(None)
            } else {
                Err(self.error(Column::RefundId, CellProblem::Contradiction))
            };
        };
        Ok(Some(BillRefund {
            refund_id: refund_id.to_owned(),
            out_refund_no: self.text(Column::OutRefundNo),
            refund_fee,
            settlement_refund_fee,
            coupon_refund_fee,
            refund_type: self.text(Column::RefundType),
            refund_status: self.text(Column::RefundStatus),
            applied_at: self.time(Column::RefundAppliedAt)?,
            succeeded_at: self.time(Column::RefundSucceededAt)?,
        }))
    }

    /// The value, or `None` when the bill has no such column.
    fn get(&self, column: Column) -> Option<&str> {
        self.columns.place(column).map(|place| self.cells.get(place))
    }

    fn text(&self, column: Column) -> String {
        self.get(column).unwrap_or_default().to_owned()
    }

    fn required(&self, column: Column) -> Result<&str, BillError> {
        self.get(column).filter(|text| !text.is_empty()).ok_or_else(|| self.error(column, CellProblem::Empty))
    }

    /// A number that is `0` or empty when there is none.
    fn number(&self, column: Column) -> Option<&str> {
        self.get(column).filter(|text| !matches!(*text, "" | "0"))
    }

    fn fen(&self, column: Column) -> Result<Option<Fen>, BillError> {
        self.get(column)
            .map(|text| Fen::parse_yuan(text).map_err(|_| self.error(column, CellProblem::NotFen)))
            .transpose()
    }

    /// A time; some files write full-width colons.
    fn time(&self, column: Column) -> Result<Option<Timestamp>, BillError> {
        self.get(column)
            .filter(|text| !text.is_empty())
            .map(|text| {
                time::parse_spaced(&text.replace('：', ":")).map_err(|_| self.error(column, CellProblem::NotTime))
            })
            .transpose()
    }

    fn error(&self, column: Column, problem: CellProblem) -> BillError {
        BillError::Cell { line: self.cells.line(), column: column.name().to_owned(), problem }
    }
}
