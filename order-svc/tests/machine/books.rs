//! Our database: rows become the domain's own values and come back, as the store does it. What is written is watched as the
//! journal's triggers watch it.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use money::Fen;
use order_svc::domain::{
    OrderId, PaymentId, RefundId,
    carried::Details,
    charge::Reversing,
    order::{self, Order},
    payment::{self, Method, Openid, Payment},
    refund::{self, Cause, Refund},
    settle::Paid,
};
use uuid::Uuid;

use crate::{
    legal,
    world::{Attempt, AttemptRow, AttemptState, OrderRow, OrderState, PRICE, RefundRow, RefundState, Reversal, World},
};

/// What was found wrong, in a sentence.
pub(crate) type Wrong = String;

/// The instant of every step. Time passes by what is moved relative to it.
pub(crate) static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-21T02:00:00Z".parse().expect("a valid instant"));
/// The youngest that something is which is not fresh: exactly as old as the rule asks for.
const QUIET: SignedDuration = SignedDuration::from_secs(60);
/// The oldest that something fresh is.
const FRESH: SignedDuration = SignedDuration::from_secs(59);

/// An instant that is fresh or not.
pub(crate) fn ago(fresh: bool) -> Timestamp {
    *NOW - if fresh { FRESH } else { QUIET }
}

pub(crate) fn payment_id(n: u8) -> PaymentId {
    PaymentId(Uuid::from_u128(100 + u128::from(n)))
}

pub(crate) fn refund_id(r: u8) -> RefundId {
    RefundId(Uuid::from_u128(200 + u128::from(r)))
}

/// The provider's own number of a refund.
pub(crate) fn provider_refund_id(r: u8) -> String {
    format!("50{r}")
}

fn small(fen: Fen) -> u8 {
    u8::try_from(fen.get()).expect("sums are small")
}

fn count(sends: i32) -> u8 {
    u8::try_from(sends).expect("sendings are few")
}

/// The provider's evidence that an attempt was paid.
pub(crate) fn evidence(n: u8) -> Paid {
    Paid {
        merchant: "acme".into(),
        provider: "wechat-v2".into(),
        mch_id: "1900000001".into(),
        sub_mch_id: String::new(),
        app_id: "wx01".into(),
        service_provider_app_id: String::new(),
        amount: Fen::new(PRICE),
        currency: "CNY".into(),
        transaction_id: format!("42{n}"),
        paid_time: *NOW,
        asked_too_late: false,
    }
}

impl World {
    pub(crate) fn read_order(&self) -> Order {
        let state = match self.order.state {
            OrderState::Pending => order::State::Pending,
            OrderState::Paid(n, refunded) => order::State::Paid { payment: payment_id(n), at: *NOW, refunded },
            OrderState::Closed => order::State::Closed { at: *NOW },
        };
        Order {
            id: OrderId(Uuid::from_u128(1)),
            app: String::new(),
            order_no: String::new(),
            merchant: "acme".into(),
            amount: Fen::new(PRICE),
            description: String::new(),
            particulars: None,
            product_code: None,
            state,
            create_time: *NOW,
            expire_time: if self.expired { *NOW } else { *NOW + SignedDuration::from_mins(30) },
            close_requested_at: self.order.given_up.then_some(*NOW),
            version: 1,
        }
    }

    pub(crate) fn read_payment(&self, n: u8) -> Payment {
        let Attempt { row, is_charge, .. } = self.attempt(n);
        let succeeded =
            |surplus| payment::State::Succeeded { transaction_id: evidence(n).transaction_id, at: *NOW, surplus };
        Payment {
            id: payment_id(n),
            order_id: OrderId(Uuid::from_u128(1)),
            merchant: "acme".into(),
            provider: "wechat-v2".into(),
            mch_id: "1900000001".into(),
            sub_mch_id: String::new(),
            app_id: "wx01".into(),
            amount: Fen::new(PRICE),
            method: if is_charge { Method::PayCode } else { Method::MiniProgram },
            details: Details::default(),
            openid: Openid(String::new()),
            payer_ip: String::new(),
            state: match row.state {
                AttemptState::Created => payment::State::Created,
                AttemptState::Pending => payment::State::Pending,
                AttemptState::Kept => succeeded(false),
                AttemptState::Surplus => succeeded(true),
                AttemptState::Closed => payment::State::Closed,
                AttemptState::Failed => payment::State::Failed,
            },
            // Old enough to be reversed: of when that may be, the domain's own tests speak.
            create_time: ago(row.fresh),
            expire_time: *NOW,
            sends: row.sends.into(),
            asks: 0,
            disputed: false,
            superseded: false,
            refunded: Fen::new(row.refunded.into()),
            refunding: Fen::new(row.refunding.into()),
            reversing: row.reversing.map(|reversal| Reversing {
                since: *NOW,
                sends: 1,
                sent_at: ago(reversal.fresh),
                too_late: reversal.too_late,
            }),
            provider_code: None,
        }
    }

    pub(crate) fn read_payments(&self) -> Vec<Payment> {
        self.written().map(|(n, _)| self.read_payment(n)).collect()
    }

    pub(crate) fn read_refund(&self, r: u8) -> Refund {
        let row = self.refund(r).row;
        let (state, known) = match row.state {
            RefundState::Created => (refund::State::Created { waiting: None }, false),
            RefundState::Processing => (refund::State::Processing, true),
            RefundState::Succeeded => (refund::State::Succeeded { at: *NOW }, true),
            RefundState::Abnormal => (refund::State::Abnormal, true),
            RefundState::Closed => (refund::State::Closed, true),
            RefundState::Rejected => (refund::State::Rejected, false),
        };
        Refund {
            id: refund_id(r),
            order_id: OrderId(Uuid::from_u128(1)),
            payment_id: payment_id(row.of),
            merchant: "acme".into(),
            provider: "wechat-v2".into(),
            mch_id: "1900000001".into(),
            sub_mch_id: String::new(),
            app_id: "wx01".into(),
            transaction_id: evidence(row.of).transaction_id,
            total: Fen::new(PRICE),
            amount: Fen::new(row.amount.into()),
            cause: row.cause,
            external_no: (row.cause == Cause::External).then(|| format!("console-{r}")),
            reason: String::new(),
            goods: Vec::new(),
            state,
            // What the console has made is known by that number from the beginning.
            provider_refund_id: (known || row.cause == Cause::External).then(|| provider_refund_id(r)),
            provider_code: None,
            create_time: *NOW,
            sends: row.sends.into(),
            refused_sends: row.refused.map(i32::from),
            sent_at: (0 < row.sends).then(|| ago(row.fresh)),
            asks: 0,
        }
    }

    /// One UPDATE of the order: at most one version, and one whenever something is to be seen.
    pub(crate) fn write_order(&mut self, order: &mut Order, shows: bool) -> Result<(), Wrong> {
        let before = self.order;
        let state = match order.state {
            order::State::Pending => OrderState::Pending,
            order::State::Paid { payment, refunded, .. } => {
                let by = self.written().find(|(n, _)| payment_id(*n) == payment);
                OrderState::Paid(by.ok_or("the order is paid by a stranger")?.0, refunded)
            }
            order::State::Closed { .. } => OrderState::Closed,
        };
        self.order = OrderRow { state, given_up: order.close_requested_at.is_some() };
        let grown = std::mem::replace(&mut order.version, 1) - 1;
        let expected = i64::from(shows || before != self.order);
        if grown != expected {
            return Err(format!("the order's version grew by {grown} and not by {expected}"));
        }
        legal::order(order_word(before.state), order.state.word())
    }

    pub(crate) fn write_payment(&mut self, n: u8, payment: &Payment) -> Result<(), Wrong> {
        let before = self.read_payment(n);
        let state = match &payment.state {
            payment::State::Created => AttemptState::Created,
            payment::State::Pending => AttemptState::Pending,
            payment::State::Succeeded { surplus: false, .. } => AttemptState::Kept,
            payment::State::Succeeded { surplus: true, .. } => AttemptState::Surplus,
            payment::State::Closed => AttemptState::Closed,
            payment::State::Failed => AttemptState::Failed,
        };
        let row = self.attempt(n).row;
        self.attempt_mut(n).row = AttemptRow {
            state,
            sends: count(payment.sends),
            refunded: small(payment.refunded),
            refunding: small(payment.refunding),
            reversing: payment
                .reversing
                .map(|reversing| Reversal { fresh: *NOW < reversing.sent_at + QUIET, too_late: reversing.too_late }),
            ..row
        };
        if self.read_payment(n) != *payment {
            return Err(format!("the model does not keep what the domain has written: {payment:?}"));
        }
        legal::payment(before.state.word(), payment.state.word())
    }

    pub(crate) fn write_refund(&mut self, r: u8, refund: &Refund) -> Result<(), Wrong> {
        let before = self.read_refund(r);
        let state = match refund.state {
            refund::State::Created { .. } => RefundState::Created,
            refund::State::Processing => RefundState::Processing,
            refund::State::Succeeded { .. } => RefundState::Succeeded,
            refund::State::Abnormal => RefundState::Abnormal,
            refund::State::Closed => RefundState::Closed,
            refund::State::Rejected => RefundState::Rejected,
        };
        let row = self.refund(r).row;
        let refused = refund.refused_sends.map(count);
        self.refund_mut(r).row = RefundRow { state, sends: count(refund.sends), refused, ..row };
        let mut kept = self.read_refund(r);
        kept.provider_code.clone_from(&refund.provider_code);
        if let (refund::State::Created { waiting }, refund::State::Created { waiting: kept }) =
            (&refund.state, &mut kept.state)
        {
            *kept = *waiting;
        }
        if kept != *refund {
            return Err(format!("the model does not keep what the domain has written: {refund:?}"));
        }
        legal::refund(before.state.word(), refund.state.word())
    }
}

fn order_word(state: OrderState) -> &'static str {
    match state {
        OrderState::Pending => order::State::Pending.word(),
        OrderState::Paid(n, refunded) => order::State::Paid { payment: payment_id(n), at: *NOW, refunded }.word(),
        OrderState::Closed => order::State::Closed { at: *NOW }.word(),
    }
}
