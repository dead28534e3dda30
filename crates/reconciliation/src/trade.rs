//! The trade bill, read into rows through all its controls.

use std::collections::HashMap;
use std::error::Error as _;

use money::{Fen, MilliFen};
use wechat_pay::bill::{BillError, BillState, Expected, TradeBillReader, TradeRow};

use crate::rate::Rate;
use crate::{Inputs, Key, Refused};

/// The only currency we take money in.
pub(crate) const CURRENCY: &str = "CNY";

/// What refusals call it.
const NAME: &str = "trade bill";

/// One row of the trade bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BillRow {
    pub(crate) kind: RowKind,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    /// Of a refund; empty otherwise, and of a reversal.
    pub(crate) out_refund_no: String,
    /// Of a refund, and of a reversal that is written as one; empty otherwise.
    pub(crate) refund_id: String,
    pub(crate) app_id: String,
    /// 订单金额 of a payment, 申请退款金额 of a refund, what a reversal takes back.
    pub(crate) amount: Fen,
    /// What moves: 应结订单金额 of a payment, 退款金额 of a refund.
    pub(crate) settled: Fen,
    /// 代金券金额.
    pub(crate) coupon: Fen,
    /// Negative when it is given back.
    pub(crate) fee: MilliFen,
    pub(crate) rate: Rate,
}

/// What a row says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Somebody paid.
    Payment,
    /// Money goes back.
    Refund,
    /// A payment was taken back as if it had never been.
    Revoked,
}

impl BillRow {
    pub(crate) fn key(&self) -> Key {
        Key {
            out_trade_no: self.out_trade_no.clone(),
            transaction_id: self.transaction_id.clone(),
            out_refund_no: self.out_refund_no.clone(),
            refund_id: self.refund_id.clone(),
            ..Key::default()
        }
    }

    /// The number under which its money moves.
    pub(crate) fn number(&self) -> &str {
        if self.refund_id.is_empty() { &self.transaction_id } else { &self.refund_id }
    }
}

/// Reads every row and checks the whole: form, widths, values, merchant, sub-merchant, day, currency, repetitions, and the sums
/// of the bill's own summary.
pub(crate) fn read(inputs: &Inputs<'_>) -> Result<Vec<BillRow>, Refused> {
    let Some(file) = inputs.trade else { return Ok(Vec::new()) };
    let expected = Expected { mch_id: inputs.account.mch_id.to_owned(), bill_date: Some(inputs.day) };
    let refused = |error| refused(NAME, error);
    let mut reader = TradeBillReader::open(file, expected).map_err(refused)?;
    let mut rows = Vec::new();
    let mut numbers = HashMap::new();
    while let Some(row) = reader.next() {
        let row = row.map_err(refused)?;
        let line = reader.line();
        let row = known(row, inputs).map_err(|problem| problem.at(line))?;
        // Money moves under this number: two rows of one kind that share it cannot both be told from their movements.
        if numbers.insert((row.kind as u8, row.number().to_owned()), line).is_some() {
            return Err(Refused::Control(format!("{NAME}: line {line} repeats an earlier row")));
        }
        rows.push(row);
    }
    reader.finish().map_err(refused)?;
    Ok(rows)
}

/// Why a row that reads well is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowProblem {
    ForeignSubMerchant,
    ForeignCurrency,
    UnknownKind,
    Negative,
}

impl RowProblem {
    fn at(self, line: u64) -> Refused {
        let (kind, problem): (fn(String) -> Refused, _) = match self {
            RowProblem::ForeignSubMerchant => (Refused::Control, "the row belongs to another sub-merchant"),
            RowProblem::ForeignCurrency => (Refused::Control, "the currency is not CNY"),
            RowProblem::UnknownKind => (Refused::Invalid, "a kind of row that this release does not know"),
            RowProblem::Negative => (Refused::Invalid, "an amount is negative"),
        };
        kind(format!("{NAME}, line {line}: {problem}"))
    }
}

/// What this crate needs of a row, with the controls that one row alone can pass.
pub(crate) fn known(row: TradeRow, inputs: &Inputs<'_>) -> Result<BillRow, RowProblem> {
    // A service provider's sub-merchants share its number, so a row of one could stand in the bill of another. The bill of a
    // direct merchant says that there is none.
    if row.sub_mch_id.as_deref().unwrap_or_default() != inputs.account.sub_mch_id {
        return Err(RowProblem::ForeignSubMerchant);
    }
    if row.fee_type != CURRENCY {
        return Err(RowProblem::ForeignCurrency);
    }
    let (kind, refund) = match (&row.state, row.refund) {
        (BillState::Success, _) => (RowKind::Payment, None),
        (BillState::Refund, Some(refund)) => (RowKind::Refund, Some(refund)),
        // A reversal of money that had come is written as its refund; sources do not say whether every one is.
        (BillState::Revoked, refund) => (RowKind::Revoked, refund),
        (BillState::Refund, None) | (BillState::Other(_), _) => return Err(RowProblem::UnknownKind),
    };
    let (amount, settled) = refund
        .as_ref()
        .map_or((row.total_fee, row.settlement_total_fee), |refund| (refund.refund_fee, refund.settlement_refund_fee));
    let (refund_id, out_refund_no) = refund.map(|refund| (refund.refund_id, refund.out_refund_no)).unwrap_or_default();
    if [amount, settled, row.coupon_fee].into_iter().any(|amount| amount < Fen::ZERO) {
        return Err(RowProblem::Negative);
    }
    Ok(BillRow {
        kind,
        out_trade_no: row.out_trade_no,
        transaction_id: row.transaction_id,
        // Nobody gives a reversal a number.
        out_refund_no: if kind == RowKind::Refund { out_refund_no } else { String::new() },
        refund_id,
        app_id: row.appid,
        amount,
        settled,
        coupon: row.coupon_fee,
        fee: row.fee,
        rate: Rate::parse(&row.rate),
    })
}

/// How a reader's error is told of a file.
pub(crate) fn refused(name: &str, error: BillError) -> Refused {
    match error {
        BillError::Control(control) => {
            let text = control.to_string();
            let separator = if text.starts_with("line ") { ", " } else { ": " };
            Refused::Control(format!("{name}{separator}{text}"))
        }
        error => {
            let mut text = error.to_string();
            if let Some(cause) = error.source() {
                text = format!("{text}: {cause}");
            }
            let separator = if text.starts_with("line ") { ", " } else { ": " };
            Refused::Invalid(format!("{name}{separator}{text}"))
        }
    }
}
