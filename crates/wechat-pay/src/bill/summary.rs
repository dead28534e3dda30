//! The sums at the end of a bill, and the same sums of its rows.

use money::{Fen, MilliFen};

use super::columns::Column;
use super::{BillError, CellProblem, Control, cells};

/// What a bill says about itself; [`TradeBillReader`](super::TradeBillReader) has checked it against the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows: payments and refunds together.
    pub rows: u64,
    /// Sum of `settlement_total_fee`.
    pub settlement_total_fee: Fen,
    /// Sum of `settlement_refund_fee`.
    pub settlement_refund_fee: Fen,
    /// Sum of the refunds' `coupon_refund_fee`.
    pub coupon_refund_fee: Fen,
    /// Sum of `fee`, given back fees deducted.
    pub fee: MilliFen,
    /// Sum of `total_fee`; older layouts do not state it.
    pub total_fee: Option<Fen>,
    /// Sum of `refund_fee`; older layouts do not state it.
    pub refund_fee: Option<Fen>,
}

/// Names of the sums: today's first, then those of older layouts.
const ROWS: &[&str] = &["总交易单数"];
const SETTLEMENT_TOTAL_FEE: &[&str] = &["应结订单总金额", "总交易额"];
const SETTLEMENT_REFUND_FEE: &[&str] = &["退款总金额", "总退款金额"];
const COUPON_REFUND_FEE: &[&str] = &["充值券退款总金额", "总代金券或立减优惠退款金额", "总企业红包退款金额"];
const FEE: &[&str] = &["手续费总金额"];
const TOTAL_FEE: &[&str] = &["订单总金额"];
const REFUND_FEE: &[&str] = &["申请退款总金额"];

/// Today's summary header, in order.
pub(super) const HEADER: [&str; 7] = [
    ROWS[0],
    SETTLEMENT_TOTAL_FEE[0],
    SETTLEMENT_REFUND_FEE[0],
    COUPON_REFUND_FEE[0],
    FEE[0],
    TOTAL_FEE[0],
    REFUND_FEE[0],
];

impl Summary {
    /// Reads the end of a bill, from the header of its summary on. Compares it with nothing: for a reader that adds rows up by
    /// itself.
    ///
    /// # Errors
    /// As [`TradeBillReader`](super::TradeBillReader) has them at its end; lines are counted from the header of the summary.
    pub fn read(end: &[u8]) -> Result<Summary, BillError> {
        let (stated, line) = cells::read_end(end)?;
        Summary::parse(&stated, line)
    }

    /// Reads the summary row, which is line `line`.
    pub(super) fn parse(cells: &[(String, String)], line: u64) -> Result<Summary, BillError> {
        let find = |names: &[&str]| cells.iter().find(|(name, _)| names.contains(&name.trim()));
        let fen = |names: &[&str]| {
            find(names)
                .map(|(name, value)| Fen::parse_yuan(value).map_err(|_| cell(line, name, CellProblem::NotFen)))
                .transpose()
        };
        let required =
            |names: &'static [&'static str]| fen(names)?.ok_or(BillError::MissingColumn { column: names[0] });
        let (rows, count) = find(ROWS).ok_or(BillError::MissingColumn { column: ROWS[0] })?;
        let (fee, fees) = find(FEE).ok_or(BillError::MissingColumn { column: FEE[0] })?;
        Ok(Summary {
            rows: whole(count).ok_or_else(|| cell(line, rows, CellProblem::NotCount))?,
            settlement_total_fee: required(SETTLEMENT_TOTAL_FEE)?,
            settlement_refund_fee: required(SETTLEMENT_REFUND_FEE)?,
            coupon_refund_fee: required(COUPON_REFUND_FEE)?,
            fee: MilliFen::parse_yuan(fees).map_err(|_| cell(line, fee, CellProblem::NotMilliFen))?,
            total_fee: fen(TOTAL_FEE)?,
            refund_fee: fen(REFUND_FEE)?,
        })
    }

    /// Compares what the bill states with what its rows add up to.
    pub(super) fn check(&self, rows: &Totals) -> Result<(), Control> {
        if self.rows != rows.rows {
            return Err(Control::Count { stated: self.rows, found: rows.rows });
        }
        if self.fee != rows.fee {
            return Err(Control::Sum {
                column: Column::Fee.name(),
                stated: self.fee.to_yuan(),
                found: rows.fee.to_yuan(),
            });
        }
        for (column, stated, found) in [
            (Column::SettlementTotalFee, Some(self.settlement_total_fee), rows.settlement_total_fee),
            (Column::SettlementRefundFee, Some(self.settlement_refund_fee), rows.settlement_refund_fee),
            (Column::CouponRefundFee, Some(self.coupon_refund_fee), rows.coupon_refund_fee),
            (Column::TotalFee, self.total_fee, rows.total_fee),
            (Column::RefundFee, self.refund_fee, rows.refund_fee),
        ] {
            if let Some(stated) = stated.filter(|stated| *stated != found) {
                return Err(Control::Sum { column: column.name(), stated: stated.to_yuan(), found: found.to_yuan() });
            }
        }
        Ok(())
    }
}

/// Sums of rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) settlement_total_fee: Fen,
    pub(super) settlement_refund_fee: Fen,
    pub(super) coupon_refund_fee: Fen,
    pub(super) fee: MilliFen,
    pub(super) total_fee: Fen,
    pub(super) refund_fee: Fen,
}

impl Totals {
    /// Adds one row.
    pub(super) fn add(&mut self, row: &super::TradeRow) -> Result<(), Control> {
        fn fen(sum: &mut Fen, addend: Fen, column: Column) -> Result<(), Control> {
            *sum = sum.checked_add(addend).ok_or(Control::Overflow { column: column.name() })?;
            Ok(())
        }
        self.rows += 1;
        fen(&mut self.settlement_total_fee, row.settlement_total_fee, Column::SettlementTotalFee)?;
        fen(&mut self.total_fee, row.total_fee, Column::TotalFee)?;
        self.fee = self.fee.checked_add(row.fee).ok_or(Control::Overflow { column: Column::Fee.name() })?;
        if let Some(refund) = &row.refund {
            fen(&mut self.settlement_refund_fee, refund.settlement_refund_fee, Column::SettlementRefundFee)?;
            fen(&mut self.coupon_refund_fee, refund.coupon_refund_fee, Column::CouponRefundFee)?;
            fen(&mut self.refund_fee, refund.refund_fee, Column::RefundFee)?;
        }
        Ok(())
    }
}

fn cell(line: u64, column: &str, problem: CellProblem) -> BillError {
    BillError::Cell { line, column: column.to_owned(), problem }
}

/// A count as bills print it: `48`, and also `45.0`.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let hundredths = u64::try_from(Fen::parse_yuan(text).ok()?.get()).ok()?;
    hundredths.is_multiple_of(100).then_some(hundredths / 100)
}
