//! The trade bill of a day, written from the ledger, and how faults spoil it.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use jiff::SignedDuration;
use money::{Fen, MilliFen};
use wechat_pay::{
    bill::{BillState, BillWriteError, TradeBillWriter, TradeRow},
    v2::{BillType, OpenId},
};

use crate::{control::Fault, ids, ledger::Order};

/// WeChat keeps 0.60%: six thousandths of a fen for each fen.
const FEE_MILLI_FEN_PER_FEN: i64 = 6;

/// The rate as bills write it.
const RATE: &str = "0.60%";

/// What the summary begins with. A row cannot, because its values follow backticks.
const SUMMARY_HEADER: &str = "\n总交易单数";

/// Columns of `ALL` that a bill of payments leaves out: everything about refunds.
const REFUND_COLUMNS: [&str; 7] =
    ["微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态", "申请退款金额"];

/// Writes the bill of these paid orders, spoiled by `fault`.
pub(crate) fn write<'a>(
    paid: impl Iterator<Item = &'a Order>,
    bill_type: BillType,
    fault: Option<&Fault>,
) -> Result<Vec<u8>, BillWriteError> {
    let mut rows: Vec<TradeRow> = paid.filter_map(row).collect();
    match fault {
        Some(Fault::Empty) => return Ok(Vec::new()),
        Some(Fault::ExtraRow) => rows.extend(rows.first().map(never_paid)),
        Some(Fault::MissingRow) => drop(rows.remove(0)),
        Some(Fault::OtherDay) => {
            for row in &mut rows {
                row.trade_time -= SignedDuration::from_hours(24);
            }
        }
        _ => {}
    }
    let mut text = csv(&rows)?;
    if fault == Some(&Fault::AlterAmount)
        && let Some(first) = rows.first_mut()
    {
        let more = first.total_fee.checked_add(Fen::new(1)).unwrap_or(Fen::ZERO);
        (first.total_fee, first.settlement_total_fee) = (more, more);
        // The altered rows stand above the sums of the right ones.
        let altered = csv(&rows)?;
        text = format!("{}{}", split(&altered).0, split(&text).1);
    }
    if bill_type == BillType::Success {
        text = without_refund_columns(&text);
    }
    let mut bytes = text.into_bytes();
    if fault == Some(&Fault::Truncate) {
        bytes.truncate(bytes.len() / 2);
    }
    Ok(bytes)
}

fn csv(rows: &[TradeRow]) -> Result<String, BillWriteError> {
    let mut writer = TradeBillWriter::new(Vec::new())?;
    for row in rows {
        writer.row(row)?;
    }
    Ok(String::from_utf8(writer.finish()?).expect("the bill is written from texts"))
}

/// The gzip stream of a bill.
pub(crate) fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

fn row(order: &Order) -> Option<TradeRow> {
    let payment = order.payment.as_ref()?;
    let ordered = |name| order.ordered(name).unwrap_or_default().to_owned();
    Some(TradeRow {
        trade_time: payment.paid_at,
        appid: payment.app_id.clone(),
        mch_id: order.mch_id.clone(),
        sub_mch_id: None,
        device_info: ordered("device_info"),
        transaction_id: payment.transaction_id.clone(),
        out_trade_no: order.out_trade_no.clone(),
        openid: OpenId::new(payment.openid.as_str()),
        trade_type: order.trade_type.clone(),
        state: BillState::Success,
        bank_type: "OTHERS".to_owned(),
        fee_type: payment.fee_type.clone(),
        total_fee: payment.amount,
        settlement_total_fee: payment.amount,
        coupon_fee: Fen::ZERO,
        refund: None,
        body: ordered("body"),
        attach: ordered("attach"),
        fee: fee(payment.amount),
        rate: RATE.to_owned(),
        rate_note: String::new(),
    })
}

fn fee(amount: Fen) -> MilliFen {
    MilliFen::new(amount.get().saturating_mul(FEE_MILLI_FEN_PER_FEN))
}

/// A payment like another one, that nobody made.
fn never_paid(model: &TradeRow) -> TradeRow {
    TradeRow { transaction_id: ids::transaction_id(model.trade_time), out_trade_no: ids::nonce(), ..model.clone() }
}

/// The part before the summary's header, and the rest.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(SUMMARY_HEADER).map_or(text.len(), |before| before + 1))
}

/// Turns the layout `ALL` into `SUCCESS`. The sums stay: both layouts have the same.
fn without_refund_columns(text: &str) -> String {
    let (rows, summary) = split(text);
    let mut kept: Vec<bool> = Vec::new();
    let mut narrow = String::with_capacity(text.len());
    for (at, line) in rows.lines().enumerate() {
        // Only the header's names are without backticks; values may hold commas, but not the two together.
        let separator = if at == 0 { "," } else { ",`" };
        let cells: Vec<&str> = line.split(separator).collect();
        if at == 0 {
            kept = cells.iter().map(|name| !REFUND_COLUMNS.contains(name)).collect();
        }
        let cells: Vec<&str> = cells.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell).collect();
        narrow.push_str(&cells.join(separator));
        narrow.push_str("\r\n");
    }
    narrow + summary
}
