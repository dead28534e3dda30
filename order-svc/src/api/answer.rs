//! Orders and payments as the teams see them.

use proto::{order::v1, time::to_wire};

use crate::domain::{
    order::{self, Order},
    payment::{self, Payment},
    refund::{self, Cause, Refund, Waiting},
};

/// An order with the attempts that are given.
pub(super) fn order(order: &Order, payments: &[Payment]) -> v1::Order {
    let (paid_time, paid_payment, close_time) = match order.state {
        order::State::Pending => (None, String::new(), None),
        order::State::Paid { payment, at, .. } => (Some(to_wire(at)), payment.name(order.id), None),
        order::State::Closed { at } => (None, String::new(), Some(to_wire(at))),
    };
    let pending = order.state == order::State::Pending;
    let kept = payments
        .iter()
        .find(|payment| matches!(order.state, order::State::Paid { payment: kept, .. } if kept == payment.id));
    v1::Order {
        name: order.id.to_string(),
        order_no: order.order_no.clone(),
        merchant: order.merchant.clone(),
        amount_fen: order.amount.get(),
        description: order.description.clone(),
        state: order_state(&order.state).into(),
        create_time: Some(to_wire(order.create_time)),
        expire_time: Some(to_wire(order.expire_time)),
        paid_time,
        close_time,
        paid_payment,
        close_requested: pending && order.close_requested_at.is_some(),
        payments: payments.iter().map(payment).collect(),
        version: order.version,
        refunded_fen: kept.map_or(0, |payment| payment.refunded.get()),
        refunding_fen: kept.map_or(0, |payment| payment.refunding.get()),
        particulars: order.particulars.clone(),
        product_code: order.product_code.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// One attempt.
pub(super) fn payment(payment: &Payment) -> v1::Payment {
    let (transaction_id, paid_time, surplus) = match &payment.state {
        payment::State::Succeeded { transaction_id, at, surplus } => {
            (transaction_id.clone(), Some(to_wire(*at)), *surplus)
        }
        payment::State::Created | payment::State::Pending | payment::State::Closed | payment::State::Failed => {
            (String::new(), None, false)
        }
    };
    v1::Payment {
        name: payment.id.name(payment.order_id),
        out_trade_no: payment.id.out_trade_no(),
        state: payment_state(&payment.state).into(),
        amount_fen: payment.amount.get(),
        method: payment.method.word().to_owned(),
        transaction_id,
        paid_time,
        surplus,
        create_time: Some(to_wire(payment.create_time)),
        // Too late to be taken back, it was paid.
        reversing: payment.reversing.is_some() && !matches!(payment.state, payment::State::Succeeded { .. }),
        provider_code: payment.provider_code.clone().unwrap_or_default(),
    }
}

/// A refund.
pub(super) fn refund(refund: &Refund) -> v1::Refund {
    let (waiting, success_time) = match &refund.state {
        refund::State::Created { waiting } => (*waiting, None),
        refund::State::Succeeded { at } => (None, Some(to_wire(*at))),
        refund::State::Processing | refund::State::Abnormal | refund::State::Closed | refund::State::Rejected => {
            (None, None)
        }
    };
    v1::Refund {
        name: refund.id.name(refund.order_id),
        payment: refund.payment_id.name(refund.order_id),
        out_refund_no: refund.out_refund_no(),
        state: refund_state(&refund.state).into(),
        amount_fen: refund.amount.get(),
        cause: match refund.cause {
            Cause::Requested => v1::refund::Cause::Requested.into(),
            Cause::Surplus => v1::refund::Cause::Surplus.into(),
            Cause::External => v1::refund::Cause::External.into(),
        },
        reason: refund.reason.clone(),
        refund_id: refund.provider_refund_id.clone().unwrap_or_default(),
        create_time: Some(to_wire(refund.create_time)),
        success_time,
        waiting: match waiting {
            None => v1::refund::Waiting::Unspecified.into(),
            Some(Waiting::Answer) => v1::refund::Waiting::Answer.into(),
            Some(Waiting::Balance) => v1::refund::Waiting::Balance.into(),
            Some(Waiting::Configuration) => v1::refund::Waiting::Configuration.into(),
            Some(Waiting::Rate) => v1::refund::Waiting::Rate.into(),
        },
        provider_code: refund.provider_code.clone().unwrap_or_default(),
        goods: refund.goods.clone(),
    }
}

fn refund_state(state: &refund::State) -> v1::refund::State {
    match state {
        refund::State::Created { .. } => v1::refund::State::Created,
        refund::State::Processing => v1::refund::State::Processing,
        refund::State::Succeeded { .. } => v1::refund::State::Succeeded,
        refund::State::Abnormal => v1::refund::State::Abnormal,
        refund::State::Closed => v1::refund::State::Closed,
        refund::State::Rejected => v1::refund::State::Rejected,
    }
}

fn order_state(state: &order::State) -> v1::order::State {
    match state {
        order::State::Pending => v1::order::State::Pending,
        order::State::Paid { refunded: order::Refunded::Nothing, .. } => v1::order::State::Paid,
        order::State::Paid { refunded: order::Refunded::Part, .. } => v1::order::State::PartiallyRefunded,
        order::State::Paid { refunded: order::Refunded::All, .. } => v1::order::State::Refunded,
        order::State::Closed { .. } => v1::order::State::Closed,
    }
}

fn payment_state(state: &payment::State) -> v1::payment::State {
    match state {
        payment::State::Created => v1::payment::State::Created,
        payment::State::Pending => v1::payment::State::Pending,
        payment::State::Succeeded { .. } => v1::payment::State::Succeeded,
        payment::State::Closed => v1::payment::State::Closed,
        payment::State::Failed => v1::payment::State::Failed,
    }
}
