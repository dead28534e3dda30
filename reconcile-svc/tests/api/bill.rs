//! Payments, and the bills that the provider makes of them.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use money::{Fen, MilliFen};
use uuid::Uuid;
use wechat_pay::bill::{BillState, TradeBillWriter, TradeRow};
use wechat_pay::v2::OpenId;

use crate::gateway::Bill;

pub(crate) const MERCHANT: &str = "acme-mini";
pub(crate) const MCH_ID: &str = "1900000001";
pub(crate) const APP: &str = "shop";
pub(crate) const APP_ID: &str = "wx0000000000000001";

/// One payment, as everybody who knows about it tells it.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) order_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) order_no: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    pub(crate) fen: i64,
    pub(crate) paid_time: Timestamp,
}

impl Payment {
    /// A payment of `fen` at ten in the morning of `day`.
    pub(crate) fn on(day: Date, fen: i64) -> Self {
        let morning = wechat_pay::time::day_start(day).expect("within the calendar") + SignedDuration::from_hours(10);
        Self::at(morning, fen)
    }

    pub(crate) fn at(paid_time: Timestamp, fen: i64) -> Self {
        let (order_id, id) = (Uuid::new_v4(), Uuid::new_v4());
        Self {
            order_id,
            id,
            order_no: format!("NO-{}", order_id.simple()),
            out_trade_no: id.simple().to_string(),
            transaction_id: format!("42{:026}", id.as_u128() % 10_u128.pow(26)),
            fen,
            paid_time,
        }
    }

    /// Its row in the bill.
    pub(crate) fn row(&self) -> TradeRow {
        TradeRow {
            trade_time: self.paid_time,
            appid: APP_ID.to_owned(),
            mch_id: MCH_ID.to_owned(),
            sub_mch_id: None,
            device_info: String::new(),
            transaction_id: self.transaction_id.clone(),
            out_trade_no: self.out_trade_no.clone(),
            openid: OpenId::new("oPayer"),
            trade_type: "JSAPI".to_owned(),
            state: BillState::Success,
            bank_type: "OTHERS".to_owned(),
            fee_type: "CNY".to_owned(),
            total_fee: Fen::new(self.fen),
            settlement_total_fee: Fen::new(self.fen),
            coupon_fee: Fen::ZERO,
            refund: None,
            body: "茶, `绿茶".to_owned(),
            attach: String::new(),
            fee: MilliFen::new(self.fen * 6),
            rate: "0.60%".to_owned(),
            rate_note: String::new(),
        }
    }
}

/// The text of a bill with these rows.
pub(crate) fn text(rows: &[TradeRow]) -> Vec<u8> {
    let mut writer = TradeBillWriter::new(Vec::new()).expect("memory takes every write");
    for row in rows {
        writer.row(row).expect("these sums fit");
    }
    writer.finish().expect("memory takes every write")
}

/// A bill with these payments.
pub(crate) fn of(payments: &[&Payment]) -> Bill {
    Bill::Whole(text(&payments.iter().map(|payment| payment.row()).collect::<Vec<_>>()))
}
