//! One row of a trade bill, from texts to values.

use jiff::Timestamp;
use money::{Fen, MilliFen};

use super::cells::Cells;
use super::columns::Column;
use super::is_number;
use super::{BillError, BillRefund, BillState, CellProblem, TradeColumns, TradeRow};
use crate::time;
use crate::v2::OpenId;

/// One row on its way from texts to values.
pub(super) struct Row<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) columns: &'a TradeColumns,
}

impl Row<'_> {
    pub(super) fn read(&self) -> Result<TradeRow, BillError> {
        let state = BillState::parse(self.required(Column::State)?);
        let settlement_total_fee = self.fen(Column::SettlementTotalFee)?.unwrap_or_default();
        Ok(TradeRow {
            trade_time: self
                .time(Column::TradeTime)?
                .ok_or_else(|| self.error(Column::TradeTime, CellProblem::Empty))?,
            appid: self.text(Column::AppId),
            mch_id: self.required_number(Column::MchId)?.to_owned(),
            sub_mch_id: self.number(Column::SubMchId)?.map(str::to_owned),
            device_info: self.text(Column::DeviceInfo),
            transaction_id: self.required_number(Column::TransactionId)?.to_owned(),
            out_trade_no: self.required_number(Column::OutTradeNo)?.to_owned(),
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
        let Some(refund_id) = self.number(Column::RefundId)? else {
            let nothing = [settlement_refund_fee, coupon_refund_fee, refund_fee] == [Fen::ZERO; 3];
            return if nothing && *state != BillState::Refund {
                Ok(None)
            } else {
                Err(self.error(Column::RefundId, CellProblem::Contradiction))
            };
        };
        Ok(Some(BillRefund {
            refund_id: refund_id.to_owned(),
            out_refund_no: self.checked_number(Column::OutRefundNo)?.to_owned(),
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

    /// A number that must be there.
    fn required_number(&self, column: Column) -> Result<&str, BillError> {
        self.required(column)?;
        self.checked_number(column)
    }

    /// A number that is `0` or empty when there is none.
    fn number(&self, column: Column) -> Result<Option<&str>, BillError> {
        Ok(Some(self.checked_number(column)?).filter(|text| !matches!(*text, "" | "0")))
    }

    /// A number or nothing. One with an invisible character would be another one to whoever compares it.
    fn checked_number(&self, column: Column) -> Result<&str, BillError> {
        let text = self.get(column).unwrap_or_default();
        if is_number(text) { Ok(text) } else { Err(self.error(column, CellProblem::NotNumber)) }
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
