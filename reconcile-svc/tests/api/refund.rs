//! Refunds, as order-svc tells them and as the provider's bill has them.

use money::{Fen, MilliFen};
use proto::event::{OrderRefunded, RefundAccepted};
use proto::time::to_wire;
use uuid::Uuid;
use wechat_pay::bill::{BillRefund, BillState, TradeRow};

use crate::bill::{APP, MCH_ID, MERCHANT, Payment};

/// Money of a payment that goes back, accepted an hour after it came.
#[derive(Clone, Debug)]
pub(crate) struct Refund<'p> {
    pub(crate) payment: &'p Payment,
    pub(crate) id: Uuid,
    pub(crate) provider_number: String,
    pub(crate) fen: i64,
}

impl<'p> Refund<'p> {
    pub(crate) fn of(payment: &'p Payment, fen: i64) -> Self {
        let id = Uuid::new_v4();
        Self { payment, id, provider_number: format!("50{:026}", id.as_u128() % 10_u128.pow(26)), fen }
    }

    pub(crate) fn number(&self) -> String {
        self.id.simple().to_string()
    }

    fn name(&self) -> String {
        format!("orders/{}/refunds/{}", self.payment.order_id, self.id)
    }

    /// The provider took it.
    pub(crate) fn accepted(&self, cause: &str) -> RefundAccepted {
        RefundAccepted {
            order: format!("orders/{}", self.payment.order_id),
            payment: format!("orders/{}/payments/{}", self.payment.order_id, self.payment.id),
            refund: self.name(),
            app: APP.to_owned(),
            merchant: MERCHANT.to_owned(),
            mch_id: MCH_ID.to_owned(),
            out_refund_no: self.number(),
            refund_id: self.provider_number.clone(),
            transaction_id: self.payment.transaction_id.clone(),
            amount_fen: self.fen,
            cause: cause.to_owned(),
            accept_time: Some(to_wire(self.payment.paid_time + jiff::SignedDuration::from_hours(1))),
        }
    }

    /// The money is back.
    pub(crate) fn succeeded(&self, cause: &str) -> OrderRefunded {
        let accepted = self.accepted(cause);
        OrderRefunded {
            order: accepted.order,
            refund: accepted.refund,
            payment: accepted.payment,
            app: accepted.app,
            order_no: self.payment.order_no.clone(),
            merchant: accepted.merchant,
            amount_fen: self.fen,
            refunded_fen: self.fen,
            out_refund_no: accepted.out_refund_no,
            refund_id: accepted.refund_id,
            provider: "wechat-v2".to_owned(),
            cause: accepted.cause,
            success_time: accepted.accept_time,
            mch_id: accepted.mch_id,
            transaction_id: accepted.transaction_id,
        }
    }

    /// Its row in the bill.
    pub(crate) fn row(&self) -> TradeRow {
        let amount = Fen::new(self.fen);
        let refund = BillRefund {
            refund_id: self.provider_number.clone(),
            out_refund_no: self.number(),
            refund_fee: amount,
            settlement_refund_fee: amount,
            coupon_refund_fee: Fen::ZERO,
            refund_type: "ORIGINAL".to_owned(),
            refund_status: "SUCCESS".to_owned(),
            applied_at: None,
            succeeded_at: None,
        };
        TradeRow {
            state: BillState::Refund,
            total_fee: Fen::ZERO,
            settlement_total_fee: Fen::ZERO,
            fee: MilliFen::new(-6 * self.fen),
            refund: Some(refund),
            ..self.payment.row()
        }
    }
}
