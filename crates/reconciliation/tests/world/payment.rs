use ::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::Issued;
use reconciliation::books::{BookPayment, Fact, OrderState, Taken, TakenAs};
use wechat_pay::bill::{BillRefund, BillState, TradeRow};
use wechat_pay::v2::OpenId;

use super::money::{Flow, charged, fee, moved};
use super::{DAY, DAY_AFTER, MCH_ID};

/// One payment in every leg.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    index: u64,
    /// T: its row.
    pub(crate) billed: Option<TradeRow>,
    /// T: the row of its reversal.
    pub(crate) revoked: Option<TradeRow>,
    /// O and E, on whatever day.
    pub(crate) book: Option<BookPayment>,
    /// O: that we gave out its number, when our books have no payment under it.
    pub(crate) issued: Option<Issued>,
    /// F: its movements on the basic account.
    pub(crate) flows: Vec<Flow>,
}

impl Payment {
    pub(super) fn clean(index: u64, fen: i64, sub_mch_id: &str) -> Payment {
        let (out_trade_no, transaction_id) = (format!("{index:032x}"), format!("42{index:08}"));
        let amount = Fen::new(fen);
        let row = TradeRow {
            trade_time: noon(DAY),
            appid: "wx1".to_owned(),
            mch_id: MCH_ID.to_owned(),
            sub_mch_id: Some(sub_mch_id.to_owned()).filter(|number| !number.is_empty()),
            device_info: String::new(),
            transaction_id: transaction_id.clone(),
            out_trade_no: out_trade_no.clone(),
            openid: OpenId::new("o1"),
            trade_type: "JSAPI".to_owned(),
            state: BillState::Success,
            bank_type: "OTHERS".to_owned(),
            fee_type: "CNY".to_owned(),
            total_fee: amount,
            settlement_total_fee: amount,
            coupon_fee: Fen::ZERO,
            refund: None,
            body: "茶, 绿`茶".to_owned(),
            attach: String::new(),
            fee: fee(fen),
            rate: "0.60%".to_owned(),
            rate_note: String::new(),
        };
        let book = BookPayment {
            out_trade_no,
            transaction_id,
            issued: Some(amount),
            taken: Some(Taken { amount, taken_as: TakenAs::Paid }),
            fact: Some(Fact { amount, payer: amount, ripe: true }),
            paid_date: DAY,
            billed_on: None,
            billed: None,
            moved_on: None,
            moved: None,
            order: OrderState::Paid,
            given_back: Fen::ZERO,
        };
        let mut payment =
            Payment { index, billed: Some(row), revoked: None, book: Some(book), issued: None, flows: Vec::new() };
        payment.move_money(fen);
        payment
    }

    /// The money comes and its fee leaves, unless there is none.
    pub(crate) fn move_money(&mut self, settled: i64) {
        let (at, number) = (self.index * 10, &self.row().transaction_id);
        let money = Flow::new(at, number, "交易", settled);
        let fee = Flow::new(at + 1, number, "扣除交易手续费", -charged(settled));
        self.flows = [money, fee].into_iter().filter(|flow| flow.fen != 0).collect();
    }

    /// So much of it moves on the day after.
    pub(crate) fn moves_elsewhere(&mut self, principal: i64, fee: i64) {
        let book = self.book_mut();
        (book.moved_on, book.moved) = (Some(DAY_AFTER), moved(principal, fee));
    }

    pub(crate) fn row(&self) -> &TradeRow {
        self.billed.as_ref().expect("it is in the bill")
    }

    pub(crate) fn row_mut(&mut self) -> &mut TradeRow {
        self.billed.as_mut().expect("it is in the bill")
    }

    pub(crate) fn book_mut(&mut self) -> &mut BookPayment {
        self.book.as_mut().expect("it is in our books")
    }

    /// Coupons pay a part. Those that the merchant did not prepay are not settled.
    pub(crate) fn with_coupon(&mut self, coupon: i64, is_prepaid: bool) -> &mut Self {
        let total = self.row().total_fee.get();
        let settled = if is_prepaid { total } else { total - coupon };
        let row = self.row_mut();
        row.coupon_fee = Fen::new(coupon);
        row.settlement_total_fee = Fen::new(settled);
        row.fee = fee(settled);
        self.book_mut().fact.as_mut().expect("it was told").payer = Fen::new(total - coupon);
        self.move_money(settled);
        self
    }

    /// The order did not keep it, and so much went back since.
    pub(crate) fn as_surplus(&mut self, order: OrderState, given_back: i64) -> &mut Self {
        let book = self.book_mut();
        book.taken = book.taken.map(|taken| Taken { taken_as: TakenAs::Surplus, ..taken });
        (book.order, book.given_back) = (order, Fen::new(given_back));
        self
    }

    /// No order took it; the provider told of it.
    pub(crate) fn told_only(&mut self, order: OrderState) -> &mut Self {
        let book = self.book_mut();
        (book.taken, book.order) = (None, order);
        self
    }

    /// Our books only know that we gave out its number.
    pub(crate) fn issued_only(&mut self, order: OrderState) -> &mut Self {
        let book = self.book.take().expect("it is in our books");
        self.issued = Some(Issued { out_trade_no: book.out_trade_no, amount: book.issued.expect("issued"), order });
        self
    }

    /// The provider takes it back on the same day, as a refund of all of it.
    pub(crate) fn reverse(&mut self) -> &mut Self {
        let row = self.row().clone();
        let (settled, number) = (row.settlement_total_fee.get(), format!("51{:08}", self.index));
        let at = self.index * 10 + 2;
        let back =
            [Flow::new(at, &number, "撤销", -settled), Flow::new(at + 1, &number, "返还交易手续费", charged(settled))];
        self.flows.extend(back.into_iter().filter(|flow| flow.fen != 0));
        self.revoked = Some(TradeRow {
            state: BillState::Revoked,
            total_fee: Fen::ZERO,
            settlement_total_fee: Fen::ZERO,
            coupon_fee: Fen::ZERO,
            refund: Some(BillRefund {
                refund_id: number,
                out_refund_no: "0".to_owned(),
                refund_fee: row.total_fee,
                settlement_refund_fee: row.settlement_total_fee,
                coupon_refund_fee: Fen::ZERO,
                refund_type: "ORIGINAL".to_owned(),
                refund_status: "SUCCESS".to_owned(),
                applied_at: None,
                succeeded_at: None,
            }),
            fee: row.fee.checked_neg().expect("small amounts"),
            ..row
        });
        self
    }
}

pub(crate) fn noon(day: Date) -> Timestamp {
    wechat_pay::time::parse_spaced(&format!("{day} 12:00:00")).expect("a day has a noon")
}
