//! Facts about a refund, as order-svc and the provider tell them.

use jiff::{SignedDuration, Timestamp};
use proto::event::{
    OrderRefunded, RefundAccepted, RefundChanged, RefundCreated, RefundFailed, Source, refund_changed::State,
};
use proto::time::to_wire;
use uuid::Uuid;

use crate::bill::{APP, MCH_ID, MERCHANT, Payment};

/// One refund, as everybody who knows about it tells it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "refund_id is the provider's word for its number")]
pub(crate) struct Refund {
    pub(crate) order_id: Uuid,
    pub(crate) payment_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    pub(crate) fen: i64,
    pub(crate) cause: &'static str,
    pub(crate) create_time: Timestamp,
}

impl Refund {
    /// Gives back so much of a payment, an hour after it.
    pub(crate) fn of(payment: &Payment, fen: i64) -> Self {
        let id = Uuid::new_v4();
        Self {
            order_id: payment.order_id,
            payment_id: payment.id,
            id,
            out_refund_no: id.simple().to_string(),
            refund_id: format!("50{:026}", id.as_u128() % 10_u128.pow(26)),
            out_trade_no: payment.out_trade_no.clone(),
            transaction_id: payment.transaction_id.clone(),
            fen,
            cause: "REQUESTED",
            create_time: payment.paid_time + SignedDuration::from_hours(1),
        }
    }

    fn order(&self) -> String {
        format!("orders/{}", self.order_id)
    }

    fn payment(&self) -> String {
        format!("orders/{}/payments/{}", self.order_id, self.payment_id)
    }

    fn name(&self) -> String {
        format!("orders/{}/refunds/{}", self.order_id, self.id)
    }

    /// A few minutes after it was written.
    pub(crate) fn accept_time(&self) -> Timestamp {
        self.create_time + SignedDuration::from_mins(3)
    }

    fn success_time(&self) -> Timestamp {
        self.create_time + SignedDuration::from_mins(30)
    }

    pub(crate) fn created(&self) -> RefundCreated {
        RefundCreated {
            order: self.order(),
            payment: self.payment(),
            refund: self.name(),
            app: APP.to_owned(),
            merchant: MERCHANT.to_owned(),
            mch_id: MCH_ID.to_owned(),
            out_refund_no: self.out_refund_no.clone(),
            transaction_id: self.transaction_id.clone(),
            amount_fen: self.fen,
            cause: self.cause.to_owned(),
            create_time: Some(to_wire(self.create_time)),
        }
    }

    pub(crate) fn accepted(&self) -> RefundAccepted {
        RefundAccepted {
            order: self.order(),
            payment: self.payment(),
            refund: self.name(),
            app: APP.to_owned(),
            merchant: MERCHANT.to_owned(),
            mch_id: MCH_ID.to_owned(),
            out_refund_no: self.out_refund_no.clone(),
            refund_id: self.refund_id.clone(),
            transaction_id: self.transaction_id.clone(),
            amount_fen: self.fen,
            cause: self.cause.to_owned(),
            accept_time: Some(to_wire(self.accept_time())),
        }
    }

    /// `REJECTED`, `CLOSED` or `ABNORMAL`.
    pub(crate) fn failed(&self, state: &str) -> RefundFailed {
        RefundFailed {
            order: self.order(),
            refund: self.name(),
            app: APP.to_owned(),
            order_no: "NO-1".to_owned(),
            merchant: MERCHANT.to_owned(),
            amount_fen: self.fen,
            state: state.to_owned(),
            provider_code: "REFUNDCLOSE".to_owned(),
            cause: self.cause.to_owned(),
            payment: self.payment(),
            mch_id: MCH_ID.to_owned(),
            out_refund_no: self.out_refund_no.clone(),
            refund_id: if state == "REJECTED" { String::new() } else { self.refund_id.clone() },
            transaction_id: self.transaction_id.clone(),
        }
    }

    pub(crate) fn refunded(&self) -> OrderRefunded {
        OrderRefunded {
            order: self.order(),
            refund: self.name(),
            payment: self.payment(),
            app: APP.to_owned(),
            order_no: "NO-1".to_owned(),
            merchant: MERCHANT.to_owned(),
            amount_fen: self.fen,
            refunded_fen: self.fen,
            out_refund_no: self.out_refund_no.clone(),
            refund_id: self.refund_id.clone(),
            provider: "wechat-v2".to_owned(),
            cause: self.cause.to_owned(),
            success_time: Some(to_wire(self.success_time())),
            mch_id: MCH_ID.to_owned(),
            transaction_id: self.transaction_id.clone(),
        }
    }

    pub(crate) fn told(&self, state: State) -> RefundChanged {
        RefundChanged {
            merchant: MERCHANT.to_owned(),
            provider: "wechat-v2".to_owned(),
            mch_id: MCH_ID.to_owned(),
            out_refund_no: self.out_refund_no.clone(),
            refund_id: self.refund_id.clone(),
            transaction_id: self.transaction_id.clone(),
            out_trade_no: self.out_trade_no.clone(),
            amount_fen: self.fen,
            state: state.into(),
            success_time: (state == State::Succeeded).then(|| to_wire(self.success_time())),
            source: Source::Query.into(),
        }
    }
}
