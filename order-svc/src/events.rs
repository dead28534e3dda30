//! Our changes as public facts: the one place where the inside of this service meets `tongbao.event.v1`.

use jiff::Timestamp;
use money::Fen;
use proto::{
    event::{
        OrderClosed, OrderCreated, OrderPaid, OrderRefunded, PaymentCreated, PaymentPaid, PaymentSurplus,
        RefundAccepted, RefundChanged, RefundCreated, RefundFailed, RepairAnswered, Source, refund_changed,
        repair_answered, v1::order_closed,
    },
    gateway::v1::{PaidStatus, RefundStatus},
    time::{from_wire, to_wire},
};

use crate::domain::{
    PaymentId,
    order::{self, CloseReason, Order},
    payment::Payment,
    refund::Refund,
    repair::{Answer, Outcome, Repair},
    settle::Paid,
};

/// `order.v1.order.created`.
pub fn order_created(order: &Order) -> OrderCreated {
    OrderCreated {
        order: order.id.to_string(),
        app: order.app.clone(),
        order_no: order.order_no.clone(),
        merchant: order.merchant.clone(),
        amount_fen: order.amount.get(),
        create_time: Some(to_wire(order.create_time)),
        expire_time: Some(to_wire(order.expire_time)),
        attach: attach(order),
        product_code: product_code(order),
    }
}

/// What the team attached to an order, for itself.
fn attach(order: &Order) -> String {
    order.particulars.as_ref().map(|particulars| particulars.attach.clone()).unwrap_or_default()
}

fn product_code(order: &Order) -> String {
    order.product_code.map(|id| id.to_string()).unwrap_or_default()
}

/// `order.v1.payment.created`.
pub fn payment_created(order: &Order, payment: &Payment) -> PaymentCreated {
    PaymentCreated {
        order: order.id.to_string(),
        payment: payment.id.name(order.id),
        app: order.app.clone(),
        app_id: payment.app_id.clone(),
        merchant: payment.merchant.clone(),
        out_trade_no: payment.id.out_trade_no(),
        amount_fen: payment.amount.get(),
        mch_id: payment.mch_id.clone(),
        method: payment.method.word().to_owned(),
        create_time: Some(to_wire(payment.create_time)),
        sub_mch_id: payment.sub_mch_id.clone(),
    }
}

/// `order.v1.order.paid`.
pub fn order_paid(order: &Order, payment: &Payment, transaction_id: &str, at: Timestamp) -> OrderPaid {
    OrderPaid {
        order: order.id.to_string(),
        payment: payment.id.name(order.id),
        app: order.app.clone(),
        order_no: order.order_no.clone(),
        merchant: order.merchant.clone(),
        amount_fen: payment.amount.get(),
        out_trade_no: payment.id.out_trade_no(),
        transaction_id: transaction_id.to_owned(),
        provider: payment.provider.clone(),
        paid_time: Some(to_wire(at)),
        attach: attach(order),
        product_code: product_code(order),
    }
}

/// `order.v1.payment.surplus`.
pub fn payment_surplus(order: &Order, payment: &Payment, transaction_id: &str, at: Timestamp) -> PaymentSurplus {
    PaymentSurplus {
        order: order.id.to_string(),
        payment: payment.id.name(order.id),
        app: order.app.clone(),
        order_no: order.order_no.clone(),
        merchant: order.merchant.clone(),
        amount_fen: payment.amount.get(),
        out_trade_no: payment.id.out_trade_no(),
        transaction_id: transaction_id.to_owned(),
        provider: payment.provider.clone(),
        paid_time: Some(to_wire(at)),
    }
}

/// `order.v1.order.closed`.
pub fn order_closed(order: &Order, at: Timestamp, reason: CloseReason) -> OrderClosed {
    let reason = match reason {
        CloseReason::Expired => order_closed::Reason::Expired,
        CloseReason::Requested => order_closed::Reason::Requested,
    };
    OrderClosed {
        order: order.id.to_string(),
        app: order.app.clone(),
        order_no: order.order_no.clone(),
        merchant: order.merchant.clone(),
        amount_fen: order.amount.get(),
        close_time: Some(to_wire(at)),
        reason: reason.into(),
    }
}

/// `order.v1.refund.created`.
pub fn refund_created(order: &Order, refund: &Refund) -> RefundCreated {
    RefundCreated {
        order: order.id.to_string(),
        payment: refund.payment_id.name(order.id),
        refund: refund.id.name(order.id),
        app: order.app.clone(),
        merchant: refund.merchant.clone(),
        mch_id: refund.mch_id.clone(),
        out_refund_no: refund.out_refund_no(),
        transaction_id: refund.transaction_id.clone(),
        amount_fen: refund.amount.get(),
        cause: refund.cause.word().to_owned(),
        create_time: Some(to_wire(refund.create_time)),
    }
}

/// `order.v1.refund.accepted`, of a refund that the provider has accepted `at` that instant.
pub fn refund_accepted(order: &Order, refund: &Refund, at: Timestamp) -> RefundAccepted {
    RefundAccepted {
        order: order.id.to_string(),
        payment: refund.payment_id.name(order.id),
        refund: refund.id.name(order.id),
        app: order.app.clone(),
        merchant: refund.merchant.clone(),
        mch_id: refund.mch_id.clone(),
        out_refund_no: refund.out_refund_no(),
        refund_id: refund.provider_refund_id.clone().unwrap_or_default(),
        transaction_id: refund.transaction_id.clone(),
        amount_fen: refund.amount.get(),
        cause: refund.cause.word().to_owned(),
        accept_time: Some(to_wire(at)),
    }
}

/// `order.v1.repair.answered`.
pub fn repair_answered(repair: &Repair, answer: &Answer, at: Timestamp) -> RepairAnswered {
    let outcome = match answer.outcome {
        Outcome::Applied => repair_answered::Outcome::Applied,
        Outcome::Confirmed => repair_answered::Outcome::Confirmed,
        Outcome::UnknownToProvider => repair_answered::Outcome::UnknownToProvider,
        Outcome::NotApplicable => repair_answered::Outcome::NotApplicable,
        Outcome::NotOurs => repair_answered::Outcome::NotOurs,
        Outcome::GaveUp => repair_answered::Outcome::GaveUp,
    };
    RepairAnswered {
        repair: format!("repairs/{}", repair.id),
        discrepancy: format!("discrepancies/{}", repair.discrepancy),
        merchant: repair.merchant.clone(),
        outcome: outcome.into(),
        detail: answer.detail.clone(),
        answer_time: Some(to_wire(at)),
    }
}

/// `order.v1.refund.failed`.
pub fn refund_failed(order: &Order, refund: &Refund) -> RefundFailed {
    RefundFailed {
        order: order.id.to_string(),
        refund: refund.id.name(order.id),
        app: order.app.clone(),
        order_no: order.order_no.clone(),
        merchant: refund.merchant.clone(),
        amount_fen: refund.amount.get(),
        state: refund.state.word().to_owned(),
        provider_code: refund.provider_code.clone().unwrap_or_default(),
        cause: refund.cause.word().to_owned(),
        payment: refund.payment_id.name(order.id),
        mch_id: refund.mch_id.clone(),
        out_refund_no: refund.out_refund_no(),
        refund_id: refund.provider_refund_id.clone().unwrap_or_default(),
        transaction_id: refund.transaction_id.clone(),
    }
}

/// `order.v1.order.refunded`.
pub fn order_refunded(order: &Order, payment: &Payment, refund: &Refund, at: Timestamp) -> OrderRefunded {
    let kept = matches!(order.state, order::State::Paid { payment: kept, .. } if kept == payment.id);
    OrderRefunded {
        order: order.id.to_string(),
        refund: refund.id.name(order.id),
        payment: payment.id.name(order.id),
        app: order.app.clone(),
        order_no: order.order_no.clone(),
        merchant: refund.merchant.clone(),
        amount_fen: refund.amount.get(),
        refunded_fen: if kept { payment.refunded.get() } else { 0 },
        out_refund_no: refund.out_refund_no(),
        refund_id: refund.provider_refund_id.clone().unwrap_or_default(),
        provider: refund.provider.clone(),
        cause: refund.cause.word().to_owned(),
        success_time: Some(to_wire(at)),
        mch_id: refund.mch_id.clone(),
        transaction_id: refund.transaction_id.clone(),
    }
}

/// The answer to a query as the fact that a verified callback would have told.
pub fn refund_changed(refund: &Refund, told: &RefundStatus, state: refund_changed::State) -> RefundChanged {
    RefundChanged {
        merchant: refund.merchant.clone(),
        provider: refund.provider.clone(),
        source: Source::Query.into(),
        ..refund_told(told, state)
    }
}

/// The same, as far as the provider tells it: whose account it is, and who asked, is for the caller to say.
pub fn refund_told(told: &RefundStatus, state: refund_changed::State) -> RefundChanged {
    RefundChanged {
        mch_id: told.mch_id.clone(),
        out_refund_no: told.out_refund_no.clone(),
        refund_id: told.refund_id.clone(),
        transaction_id: told.transaction_id.clone(),
        out_trade_no: told.out_trade_no.clone(),
        amount_fen: told.amount_fen,
        state: state.into(),
        success_time: told.success_time,
        ..RefundChanged::default()
    }
}

/// The answer to a query as the fact that a callback would have told.
pub fn payment_paid(payment: &Payment, paid: &PaidStatus) -> PaymentPaid {
    PaymentPaid {
        merchant: payment.merchant.clone(),
        provider: payment.provider.clone(),
        out_trade_no: paid.out_trade_no.clone(),
        transaction_id: paid.transaction_id.clone(),
        amount_fen: paid.amount_fen,
        payer_amount_fen: paid.payer_amount_fen,
        currency: paid.currency.clone(),
        mch_id: paid.mch_id.clone(),
        app_id: paid.app_id.clone(),
        paid_time: paid.paid_time,
        trade_type: paid.trade_type.clone(),
        bank_type: paid.bank_type.clone(),
        source: Source::Query.into(),
        sub_mch_id: paid.sub_mch_id.clone(),
        service_provider_app_id: paid.service_provider_app_id.clone(),
    }
}

/// Why a paid fact names no attempt of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFact {
    /// Its number has not our shape.
    #[error("out_trade_no is not a number of ours")]
    OutTradeNo,
    /// It does not say by which transaction.
    #[error("transaction_id is empty")]
    TransactionId,
    /// It does not say when.
    #[error("paid_time is missing or out of range")]
    PaidTime,
}

/// A fact from the bus as evidence about one attempt.
pub fn evidence(fact: &PaymentPaid) -> Result<(PaymentId, Paid), NotAFact> {
    let id = PaymentId::from_out_trade_no(&fact.out_trade_no).ok_or(NotAFact::OutTradeNo)?;
    if fact.transaction_id.is_empty() {
        return Err(NotAFact::TransactionId);
    }
    let paid_time = fact.paid_time.as_ref().and_then(from_wire).ok_or(NotAFact::PaidTime)?;
    let paid = Paid {
        merchant: fact.merchant.clone(),
        provider: fact.provider.clone(),
        mch_id: fact.mch_id.clone(),
        sub_mch_id: fact.sub_mch_id.clone(),
        app_id: fact.app_id.clone(),
        service_provider_app_id: fact.service_provider_app_id.clone(),
        amount: Fen::new(fact.amount_fen),
        currency: fact.currency.clone(),
        transaction_id: fact.transaction_id.clone(),
        paid_time,
        asked_too_late: false,
    };
    Ok((id, paid))
}
