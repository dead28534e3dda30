//! Facts about a payment, as order-svc and notify-svc publish them.

use proto::event::{OrderCreated, OrderPaid, PaymentCreated, PaymentPaid, Source};
use proto::time::to_wire;

use crate::bill::{APP, APP_ID, MCH_ID, MERCHANT, Payment};

impl Payment {
    fn order(&self) -> String {
        format!("orders/{}", self.order_id)
    }

    fn name(&self) -> String {
        format!("orders/{}/payments/{}", self.order_id, self.id)
    }

    pub(crate) fn order_created(&self) -> OrderCreated {
        OrderCreated {
            order: self.order(),
            app: APP.to_owned(),
            order_no: self.order_no.clone(),
            merchant: MERCHANT.to_owned(),
            amount_fen: self.fen,
            create_time: Some(to_wire(self.paid_time)),
            expire_time: Some(to_wire(self.paid_time)),
            ..Default::default()
        }
    }

    pub(crate) fn issued(&self) -> PaymentCreated {
        PaymentCreated {
            order: self.order(),
            payment: self.name(),
            app: APP.to_owned(),
            merchant: MERCHANT.to_owned(),
            out_trade_no: self.out_trade_no.clone(),
            amount_fen: self.fen,
            mch_id: MCH_ID.to_owned(),
            method: "mini_program".to_owned(),
            create_time: Some(to_wire(self.paid_time)),
            ..Default::default()
        }
    }

    pub(crate) fn order_paid(&self) -> OrderPaid {
        OrderPaid {
            order: self.order(),
            payment: self.name(),
            app: APP.to_owned(),
            order_no: self.order_no.clone(),
            merchant: MERCHANT.to_owned(),
            amount_fen: self.fen,
            out_trade_no: self.out_trade_no.clone(),
            transaction_id: self.transaction_id.clone(),
            provider: "wechat-v2".to_owned(),
            paid_time: Some(to_wire(self.paid_time)),
            ..Default::default()
        }
    }

    pub(crate) fn told(&self) -> PaymentPaid {
        PaymentPaid {
            merchant: MERCHANT.to_owned(),
            provider: "wechat-v2".to_owned(),
            out_trade_no: self.out_trade_no.clone(),
            transaction_id: self.transaction_id.clone(),
            amount_fen: self.fen,
            payer_amount_fen: self.fen,
            currency: "CNY".to_owned(),
            mch_id: MCH_ID.to_owned(),
            app_id: APP_ID.to_owned(),
            paid_time: Some(to_wire(self.paid_time)),
            trade_type: "JSAPI".to_owned(),
            bank_type: "OTHERS".to_owned(),
            source: Source::Notice.into(),
            ..Default::default()
        }
    }
}
