//! The trade bill of a day, written from the ledger, and how faults spoil it.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use jiff::{SignedDuration, Timestamp, civil::Date};
use money::{Fen, MilliFen};
use wechat_pay::{
    bill::{BillLayout, BillRefund, BillState, BillWriteError, TradeBillWriter, TradeRow},
    v2::{BillType, OpenId},
};

use crate::{
    control::{Fault, RefundState},
    ids,
    ledger::{Ledger, Order, Refund},
    spoiled,
};

/// WeChat keeps 0.60%: six thousandths of a fen for each fen.
const FEE_MILLI_FEN_PER_FEN: i64 = 6;

/// Whose rows nobody of ours may have.
const FOREIGN_MERCHANT: &str = "1999999999";

/// The rate as bills write it.
const RATE: &str = "0.60%";

/// What the summary begins with. A row cannot, because its values follow backticks.
const SUMMARY_HEADER: &str = "\n总交易单数";

/// What happened on a day, oldest first: the rows of its bill, which was made at `made_at` and says how far refunds
/// were then, whatever became of them later.
pub(crate) fn rows(ledger: &Ledger, mch_id: &str, day: Date, bill_type: BillType, made_at: Timestamp) -> Vec<TradeRow> {
    let payments = || payments_billed_on(ledger, mch_id, day).filter_map(payment_row);
    // Refunds out of recharged money have a bill of their own, and the others leave them out.
    let refunded = |recharged: bool| {
        let refunds = refunds_billed_on(ledger, mch_id, day).filter(move |refund| refund.is_recharged() == recharged);
        refunds.filter_map(|refund| refund_row(ledger, refund, made_at))
    };
    let refunds = || refunded(false);
    let reversals = || {
        let never_made = payments_billed_on(ledger, mch_id, day).filter_map(never_made_reversal_row);
        ledger.reversed_on(mch_id, day).filter_map(reversal_row).chain(never_made)
    };
    let mut rows: Vec<TradeRow> = match bill_type {
        BillType::All => payments().chain(reversals()).chain(refunds()).collect(),
        BillType::Success => payments().collect(),
        BillType::Refund => reversals().chain(refunds()).collect(),
        BillType::RechargeRefund => refunded(true).collect(),
    };
    rows.sort_by_key(|row| row.trade_time);
    rows
}

/// Paid orders that the bill of this day has.
fn payments_billed_on<'a>(ledger: &'a Ledger, mch_id: &'a str, day: Date) -> impl Iterator<Item = &'a Order> {
    let moved = ledger.orders_of(mch_id).filter(|order| order.misbilling.on_day.is_some());
    let others = ledger.paid_on(mch_id, day).filter(|order| order.misbilling.on_day.is_none());
    others.chain(moved).filter(move |order| {
        order.payment.as_ref().is_some_and(|payment| order.misbilling.is_billed_on(day, payment.paid_at))
    })
}

/// Refunds that the bill of this day has.
fn refunds_billed_on<'a>(ledger: &'a Ledger, mch_id: &'a str, day: Date) -> impl Iterator<Item = &'a Refund> {
    let all = ledger.orders_of(mch_id).flat_map(|order| ledger.refunds_of(order));
    let moved = all.filter(|refund| refund.misbilling.on_day.is_some());
    let others = ledger.refunds_made_on(mch_id, day).filter(|refund| refund.misbilling.on_day.is_none());
    others.chain(moved).filter(move |refund| refund.misbilling.is_billed_on(day, refund.created_at))
}

/// Writes a bill of these rows, of which there is one at least, spoiled by `fault`.
pub(crate) fn write(
    mut rows: Vec<TradeRow>,
    bill_type: BillType,
    fault: Option<&Fault>,
) -> Result<Vec<u8>, BillWriteError> {
    let layout = match bill_type {
        BillType::All => BillLayout::All,
        BillType::Success => BillLayout::Success,
        BillType::Refund => BillLayout::Refund,
        BillType::RechargeRefund => BillLayout::RechargeRefund,
    };
    match fault {
        Some(Fault::Empty) => return Ok(Vec::new()),
        Some(Fault::ExtraRow) => rows.extend(rows.first().map(never_made)),
        Some(Fault::MissingRow) => drop(rows.remove(0)),
        Some(Fault::OtherDay) => {
            for row in &mut rows {
                row.trade_time -= SignedDuration::from_hours(24);
            }
        }
        Some(Fault::ForeignMerchant) => {
            if let Some(first) = rows.first_mut() {
                FOREIGN_MERCHANT.clone_into(&mut first.mch_id);
            }
        }
        Some(Fault::HostileNames) => {
            for row in &mut rows {
                spoiled::MARK.clone_into(&mut row.body);
            }
        }
        _ => {}
    }
    let mut text = csv(&rows, layout)?;
    if fault == Some(&Fault::AlterAmount)
        && let Some(first) = rows.first_mut()
    {
        alter(first);
        // The altered rows stand above the sums of the right ones.
        let altered = csv(&rows, layout)?;
        text = format!("{}{}", split(&altered).0, split(&text).1);
    }
    Ok(spoiled::text(text, SUMMARY_HEADER, fault))
}

fn csv(rows: &[TradeRow], layout: BillLayout) -> Result<String, BillWriteError> {
    let mut writer = TradeBillWriter::with_layout(Vec::new(), layout)?;
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

fn payment_row(order: &Order) -> Option<TradeRow> {
    let payment = order.payment.as_ref()?;
    let ordered = |name| order.ordered(name).unwrap_or_default().to_owned();
    let said = &order.misbilling;
    let amount = said.amount.unwrap_or(payment.amount);
    Some(TradeRow {
        trade_time: said.at(payment.paid_at),
        appid: payment.app_id.clone(),
        mch_id: order.mch_id.clone(),
        sub_mch_id: order.sub_mch_id().map(str::to_owned),
        device_info: ordered("device_info"),
        transaction_id: payment.transaction_id.clone(),
        out_trade_no: order.out_trade_no.clone(),
        openid: OpenId::new(payment.openid.as_str()),
        trade_type: order.billed_trade_type().to_owned(),
        state: BillState::Success,
        bank_type: "OTHERS".to_owned(),
        fee_type: payment.fee_type.clone(),
        total_fee: amount,
        settlement_total_fee: amount,
        coupon_fee: said.coupon.unwrap_or_default(),
        refund: None,
        body: ordered("body"),
        attach: ordered("attach"),
        fee: said.fee.unwrap_or_else(|| fee(amount)),
        rate: RATE.to_owned(),
        rate_note: String::new(),
    })
}

/// Repeats what the payment's row says, without its amounts. WeChat gives its fee back, too.
fn refund_row(ledger: &Ledger, refund: &Refund, made_at: Timestamp) -> Option<TradeRow> {
    let state = refund.state_at(made_at);
    let refund_status = match state {
        RefundState::RefundClose => "FAIL",
        other => other.as_str(),
    };
    let said = &refund.misbilling;
    let amount = said.amount.unwrap_or(refund.amount);
    let at = said.at(refund.created_at);
    Some(TradeRow {
        trade_time: at,
        state: BillState::Refund,
        total_fee: Fen::ZERO,
        settlement_total_fee: Fen::ZERO,
        coupon_fee: Fen::ZERO,
        refund: Some(BillRefund {
            refund_id: refund.refund_id.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            refund_fee: amount,
            settlement_refund_fee: amount,
            coupon_refund_fee: Fen::ZERO,
            refund_type: "ORIGINAL".to_owned(),
            refund_status: refund_status.to_owned(),
            applied_at: Some(at),
            succeeded_at: refund.succeeded_at().filter(|at| *at <= made_at),
        }),
        fee: said.fee.unwrap_or_else(|| MilliFen::new(-fee(amount).get())),
        ..payment_row(ledger.order(refund.order))?
    })
}

/// A charge that was taken back on this day: as a refund of all of it, and the payment's own row stays.
fn reversal_row(order: &Order) -> Option<TradeRow> {
    let (payment, reversal) = (order.payment.as_ref()?, order.reversal.as_ref()?);
    Some(TradeRow {
        trade_time: reversal.at,
        state: BillState::Revoked,
        total_fee: Fen::ZERO,
        settlement_total_fee: Fen::ZERO,
        coupon_fee: Fen::ZERO,
        refund: Some(BillRefund {
            refund_id: reversal.refund_id.clone()?,
            // Nobody gave it a number.
            out_refund_no: "0".to_owned(),
            refund_fee: payment.amount,
            settlement_refund_fee: payment.amount,
            coupon_refund_fee: Fen::ZERO,
            refund_type: "ORIGINAL".to_owned(),
            refund_status: RefundState::Success.as_str().to_owned(),
            applied_at: Some(reversal.at),
            succeeded_at: Some(reversal.at),
        }),
        fee: MilliFen::new(-fee(payment.amount).get()),
        ..payment_row(order)?
    })
}

/// A reversal that the bill claims and that never was.
fn never_made_reversal_row(order: &Order) -> Option<TradeRow> {
    let row = payment_row(order)?;
    let amount = row.total_fee;
    Some(TradeRow {
        state: BillState::Revoked,
        total_fee: Fen::ZERO,
        settlement_total_fee: Fen::ZERO,
        coupon_fee: Fen::ZERO,
        refund: Some(BillRefund {
            refund_id: order.misbilling.revoked.clone()?,
            out_refund_no: "0".to_owned(),
            refund_fee: amount,
            settlement_refund_fee: amount,
            coupon_refund_fee: Fen::ZERO,
            refund_type: "ORIGINAL".to_owned(),
            refund_status: RefundState::Success.as_str().to_owned(),
            applied_at: Some(row.trade_time),
            succeeded_at: Some(row.trade_time),
        }),
        fee: MilliFen::new(-fee(amount).get()),
        ..row
    })
}

fn fee(amount: Fen) -> MilliFen {
    MilliFen::new(amount.get().saturating_mul(FEE_MILLI_FEN_PER_FEN))
}

/// A payment or refund like another one, that nobody made.
fn never_made(model: &TradeRow) -> TradeRow {
    let mut row = model.clone();
    if let Some(refund) = &mut row.refund {
        refund.refund_id = ids::refund_id(model.trade_time);
        refund.out_refund_no = ids::nonce();
    } else {
        row.transaction_id = ids::transaction_id(model.trade_time);
        row.out_trade_no = ids::nonce();
    }
    row
}

/// One fen more.
fn alter(row: &mut TradeRow) {
    let more = |amount: Fen| amount.checked_add(Fen::new(1)).unwrap_or(Fen::ZERO);
    if let Some(refund) = &mut row.refund {
        refund.refund_fee = more(refund.refund_fee);
        refund.settlement_refund_fee = refund.refund_fee;
    } else {
        row.total_fee = more(row.total_fee);
        row.settlement_total_fee = row.total_fee;
    }
}

/// The part before the summary's header, and the rest.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(SUMMARY_HEADER).map_or(text.len(), |before| before + 1))
}
