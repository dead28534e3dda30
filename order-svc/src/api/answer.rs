//! Orders and payments as the teams see them.

use proto::{order::v1, time::to_wire};

use crate::domain::{
    order::{self, Order},
    payment::{self, Payment},
};

/// An order with the attempts that are given.
pub(super) fn order(order: &Order, payments: &[Payment]) -> v1::Order {
    let (paid_time, paid_payment, close_time) = match order.state {
        order::State::Pending => (None, String::new(), None),
        order::State::Paid { payment, at } => (Some(to_wire(at)), payment.name(order.id), None),
        order::State::Closed { at } => (None, String::new(), Some(to_wire(at))),
    };
    let pending = order.state == order::State::Pending;
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
        refunded_fen: 0,
        refunding_fen: 0,
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
    }
}

fn order_state(state: &order::State) -> v1::order::State {
    match state {
        order::State::Pending => v1::order::State::Pending,
        order::State::Paid { .. } => v1::order::State::Paid,
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
