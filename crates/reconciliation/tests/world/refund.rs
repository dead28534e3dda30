use ::money::Fen;
use reconciliation::books::{BookRefund, RefundCause, RefundState};
use wechat_pay::bill::{BillRefund, BillState, TradeRow};

use super::money::{Flow, charged, fee};
use super::payment::noon;
use super::{DAY, Payment};

/// One refund in every leg.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    /// T: its row.
    pub(crate) billed: Option<TradeRow>,
    /// O and E, on whatever day.
    pub(crate) book: Option<BookRefund>,
    /// F: its movements on the basic account.
    pub(crate) flows: Vec<Flow>,
}

impl Refund {
    pub(super) fn clean(index: u64, payment: &Payment, fen: i64, sub_mch_id: &str) -> Refund {
        let (out_refund_no, refund_id) = (format!("{index:032x}"), format!("50{index:08}"));
        let amount = Fen::new(fen);
        let model = payment.billed.clone().unwrap_or_else(|| Payment::clean(index, fen, sub_mch_id).row().clone());
        let flows = [
            Flow::new(index * 10, &refund_id, "退款", -fen),
            Flow::new(index * 10 + 1, &refund_id, "返还交易手续费", charged(fen)),
        ];
        let book = BookRefund {
            out_refund_no: out_refund_no.clone(),
            refund_id: Some(refund_id.clone()),
            out_trade_no: model.out_trade_no.clone(),
            transaction_id: model.transaction_id.clone(),
            amount,
            state: RefundState::Succeeded,
            cause: RefundCause::Requested,
            fact: Some(amount),
            accept_date: Some(DAY),
            billed_on: None,
            moved_on: None,
            moved: None,
        };
        let row = TradeRow {
            // Some files have the time of the payment here, on whatever day.
            trade_time: noon(DAY),
            state: BillState::Refund,
            total_fee: Fen::ZERO,
            settlement_total_fee: Fen::ZERO,
            coupon_fee: Fen::ZERO,
            refund: Some(BillRefund {
                refund_id,
                out_refund_no,
                refund_fee: amount,
                settlement_refund_fee: amount,
                coupon_refund_fee: Fen::ZERO,
                refund_type: "ORIGINAL".to_owned(),
                refund_status: "PROCESSING".to_owned(),
                applied_at: None,
                succeeded_at: None,
            }),
            fee: fee(fen).checked_neg().expect("small amounts"),
            ..model
        };
        let flows = flows.into_iter().filter(|flow| flow.fen != 0).collect();
        Refund { billed: Some(row), book: Some(book), flows }
    }

    pub(crate) fn bill_mut(&mut self) -> &mut BillRefund {
        self.billed.as_mut().and_then(|row| row.refund.as_mut()).expect("it is in the bill")
    }

    pub(crate) fn book_mut(&mut self) -> &mut BookRefund {
        self.book.as_mut().expect("it is in our books")
    }
}
