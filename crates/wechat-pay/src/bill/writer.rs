//! Writes a trade bill, as WeChat does.

use std::fmt;
use std::io::{self, Write};

use jiff::Timestamp;
use money::Fen;

use super::columns::{BillLayout, Column};
use super::summary::{HEADER, Totals};
use super::{Control, TradeRow};
use crate::time;

/// Writes rows, then their sums: byte-order mark, CRLF, a backtick before every value.
pub struct TradeBillWriter<W> {
    output: W,
    columns: Vec<Column>,
    totals: Totals,
}

/// Why a bill was not written.
#[derive(Debug, thiserror::Error)]
pub enum BillWriteError {
    /// The output failed.
    #[error("bill cannot be written")]
    Io(#[from] io::Error),
    /// The sums are too large to be money.
    #[error("bill cannot be summed up: {0}")]
    Sum(#[source] Control),
}

impl<W: Write> TradeBillWriter<W> {
    /// Writes the header of the layout `ALL`.
    pub fn new(output: W) -> io::Result<TradeBillWriter<W>> {
        TradeBillWriter::with_layout(output, BillLayout::All)
    }

    /// Writes the header of this layout. What a row has beyond its columns is left out, but still counts in the sums.
    pub fn with_layout(mut output: W, layout: BillLayout) -> io::Result<TradeBillWriter<W>> {
        let columns = layout.columns();
        let header: Vec<&str> = columns.iter().map(|column| layout.name(*column)).collect();
        write!(output, "\u{feff}{}\r\n", header.join(","))?;
        Ok(TradeBillWriter { output, columns, totals: Totals::default() })
    }

    /// Writes one row. Line breaks and the pair of comma and backtick, which the format cannot carry, get or become a
    /// space.
    pub fn row(&mut self, row: &TradeRow) -> Result<(), BillWriteError> {
        self.totals.add(row).map_err(BillWriteError::Sum)?;
        let cells: Vec<String> = self.columns.iter().map(|column| carried(&cell(row, *column))).collect();
        Ok(write!(self.output, "`{}\r\n", cells.join(",`"))?)
    }

    /// Writes the summary and returns the output.
    pub fn finish(mut self) -> Result<W, BillWriteError> {
        let sums = [
            format!("{}.0", self.totals.rows),
            self.totals.settlement_total_fee.to_yuan(),
            self.totals.settlement_refund_fee.to_yuan(),
            self.totals.coupon_refund_fee.to_yuan(),
            self.totals.fee.to_yuan(),
            self.totals.total_fee.to_yuan(),
            self.totals.refund_fee.to_yuan(),
        ];
        write!(self.output, "{}\r\n`{}\r\n", HEADER.join(","), sums.join(",`"))?;
        self.output.flush()?;
        Ok(self.output)
    }
}

impl<W> fmt::Debug for TradeBillWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TradeBillWriter").field("rows", &self.totals.rows).finish_non_exhaustive()
    }
}

/// The text of one value.
fn cell(row: &TradeRow, column: Column) -> String {
    let none = || "0".to_owned();
    let fen = |amount: Option<Fen>| amount.unwrap_or_default().to_yuan();
    let instant = |at: Option<Timestamp>| at.map(time::print_spaced).unwrap_or_default();
    let refund = row.refund.as_ref();
    match column {
        Column::TradeTime => time::print_spaced(row.trade_time),
        Column::AppId => row.appid.clone(),
        Column::MchId => row.mch_id.clone(),
        Column::SubMchId => row.sub_mch_id.clone().unwrap_or_else(none),
        Column::DeviceInfo => row.device_info.clone(),
        Column::TransactionId => row.transaction_id.clone(),
        Column::OutTradeNo => row.out_trade_no.clone(),
        Column::OpenId => row.openid.as_str().to_owned(),
        Column::TradeType => row.trade_type.clone(),
        Column::State => row.state.as_str().to_owned(),
        Column::BankType => row.bank_type.clone(),
        Column::FeeType => row.fee_type.clone(),
        Column::SettlementTotalFee => row.settlement_total_fee.to_yuan(),
        Column::CouponFee => row.coupon_fee.to_yuan(),
        Column::RefundId => refund.map_or_else(none, |refund| refund.refund_id.clone()),
        Column::OutRefundNo => refund.map_or_else(none, |refund| refund.out_refund_no.clone()),
        Column::SettlementRefundFee => fen(refund.map(|refund| refund.settlement_refund_fee)),
        Column::CouponRefundFee => fen(refund.map(|refund| refund.coupon_refund_fee)),
        Column::RefundType => refund.map(|refund| refund.refund_type.clone()).unwrap_or_default(),
        Column::RefundStatus => refund.map(|refund| refund.refund_status.clone()).unwrap_or_default(),
        Column::Body => row.body.clone(),
        Column::Attach => row.attach.clone(),
        Column::Fee => row.fee.to_yuan(),
        Column::Rate => row.rate.clone(),
        Column::TotalFee => row.total_fee.to_yuan(),
        Column::RefundFee => fen(refund.map(|refund| refund.refund_fee)),
        Column::RateNote => row.rate_note.clone(),
        Column::RefundAppliedAt => instant(refund.and_then(|refund| refund.applied_at)),
        Column::RefundSucceededAt => instant(refund.and_then(|refund| refund.succeeded_at)),
    }
}

/// A value as one cell can carry it.
pub(crate) fn carried(value: &str) -> String {
    value.replace(|character: char| character.is_control(), " ").replace(",`", ", `")
}
