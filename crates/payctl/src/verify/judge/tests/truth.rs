//! One true story: an order of 100 fen, paid by a callback, of which 40 fen are back; and a closed order whose payer won the
//! race, so that 70 fen are a surplus on their way back.

mod more;
mod parts;

use jiff::Timestamp;
use proto::{
    event::{
        Event, OrderClosed, OrderCreated, OrderPaid, OrderRefunded, PaymentCreated, PaymentPaid, PaymentSurplus,
        RefundAccepted, RefundChanged, RefundCreated, RefundNoticed, RepairAnswered, refund_changed::State,
        repair_answered::Outcome,
    },
    time::to_wire,
};
use sandbox::control::{
    self, AnswerClass, Attempt, Callback, CallbackKind, CallbackState, ClockState, Ledger, RefundSource, RefundState,
};
use uuid::Uuid;

use crate::verify::{
    Books, ChangeRow, Evidence, Fact, Instant, Journal, News, OrderRow, PaymentRow, RefundRow, RepairRow, Requests,
    Taken, Told,
};

pub(super) use more::{truth_with_import, truth_with_reversed};
use parts::*;
pub(super) use parts::{at, fact, order_row};

pub(super) const ORDER: Uuid = Uuid::from_u128(1);
pub(super) const PAYMENT: Uuid = Uuid::from_u128(2);
pub(super) const REFUND: Uuid = Uuid::from_u128(3);
pub(super) const CLOSED: Uuid = Uuid::from_u128(11);
pub(super) const SURPLUS: Uuid = Uuid::from_u128(12);
pub(super) const SURPLUS_REFUND: Uuid = Uuid::from_u128(13);
pub(super) const REVERSED: Uuid = Uuid::from_u128(22);
pub(super) const CONSOLE: Uuid = Uuid::from_u128(31);
pub(super) const REPAIR: Uuid = Uuid::from_u128(32);

const APP: &str = "shop";
const MERCHANT: &str = "acme-mini";
const MCH_ID: &str = "1900000109";
const APP_ID: &str = "wxac3e0000000000a1";
const PROVIDER: &str = "wechat-v2";

pub(super) fn truth() -> Evidence {
    let payment = PaymentRow { refunded_fen: 40, ..payment_row(PAYMENT, ORDER, 100) };
    let surplus = PaymentRow { surplus: true, refunding_fen: 70, ..payment_row(SURPLUS, CLOSED, 70) };
    let refund = refund_row(REFUND, &payment, 40, "REQUESTED", "SUCCEEDED");
    let surplus_refund = refund_row(SURPLUS_REFUND, &surplus, 70, "SURPLUS", "PROCESSING");
    let callback = |id, payment: Uuid, kind| Callback {
        id,
        kind,
        merchant: MERCHANT.into(),
        out_trade_no: number(payment),
        transaction_id: transaction(payment),
        url: "http://127.0.0.1/".into(),
        state: CallbackState::Delivered,
        next_attempt_at: None,
        attempts: vec![Attempt {
            at: at(),
            fault: None,
            genuine: true,
            status: Some(200),
            answer: AnswerClass::Accepted,
        }],
    };
    let refunded = fact(&RefundChanged {
        merchant: MERCHANT.into(),
        provider: PROVIDER.into(),
        mch_id: MCH_ID.into(),
        out_refund_no: number(REFUND),
        refund_id: provider_refund(REFUND),
        transaction_id: transaction(PAYMENT),
        out_trade_no: number(PAYMENT),
        amount_fen: 40,
        state: State::Succeeded.into(),
        ..RefundChanged::default()
    });
    let noticed = fact(&RefundNoticed {
        merchant: MERCHANT.into(),
        provider: PROVIDER.into(),
        mch_id: MCH_ID.into(),
        out_refund_no: number(REFUND),
        refund_id: provider_refund(REFUND),
        word: "SUCCESS".into(),
        digest: "0123456789abcdef".into(),
    });
    let taken = |payment: Uuid, amount_fen, kept_as: &str| Taken {
        out_trade_no: number(payment),
        transaction_id: transaction(payment),
        amount_fen,
        kept_as: kept_as.into(),
    };
    let told = |payment: Uuid, amount_fen| Told {
        transaction_id: transaction(payment),
        out_trade_no: number(payment),
        amount_fen,
    };
    Evidence {
        ledger: Some(Ledger {
            clock: ClockState { now: at(), offset_ms: 0 },
            orders: vec![
                at_provider(&payment, vec![refund_at_provider(&refund, RefundState::Success)]),
                at_provider(&surplus, vec![refund_at_provider(&surplus_refund, RefundState::Processing)]),
            ],
            callbacks: vec![
                callback(1, PAYMENT, CallbackKind::Payment),
                callback(2, SURPLUS, CallbackKind::Payment),
                callback(
                    3,
                    PAYMENT,
                    CallbackKind::Refund { out_refund_no: number(REFUND), state: RefundState::Success },
                ),
            ],
        }),
        orders: vec![
            order_row(ORDER, "PARTIALLY_REFUNDED", 100, 4, Some(PAYMENT)),
            order_row(CLOSED, "CLOSED", 70, 2, None),
        ],
        order: told_by_order_svc(&refund, &surplus_refund),
        payments: vec![payment, surplus],
        refunds: Some(vec![refund, surplus_refund]),
        journal: Some(journal()),
        repairs: Vec::new(),
        requests: Requests::default(),
        pay: vec![paid_fact(PAYMENT, 100), refunded, paid_fact(SURPLUS, 70), noticed],
        dead: Vec::new(),
        unapplied: Vec::new(),
        books: Some(Books {
            taken: vec![taken(PAYMENT, 100, "PAID"), taken(SURPLUS, 70, "SURPLUS")],
            told: vec![told(PAYMENT, 100), told(SURPLUS, 70)],
        }),
        waiting: Vec::new(),
        applied: true,
        looked_at: at(),
    }
}

fn told_by_order_svc(refund: &RefundRow, surplus_refund: &RefundRow) -> Vec<Fact> {
    let (order, closed) = (format!("orders/{ORDER}"), format!("orders/{CLOSED}"));
    let created = |order: &str, amount_fen| OrderCreated {
        order: order.into(),
        app: APP.into(),
        merchant: MERCHANT.into(),
        amount_fen,
        ..OrderCreated::default()
    };
    let written = |order: &str, payment: Uuid, amount_fen| PaymentCreated {
        order: order.into(),
        payment: format!("{order}/payments/{payment}"),
        app: APP.into(),
        merchant: MERCHANT.into(),
        out_trade_no: number(payment),
        amount_fen,
        mch_id: MCH_ID.into(),
        ..PaymentCreated::default()
    };
    vec![
        fact(&created(&order, 100)),
        fact(&written(&order, PAYMENT, 100)),
        fact(&OrderPaid {
            order: order.clone(),
            payment: format!("{order}/payments/{PAYMENT}"),
            app: APP.into(),
            merchant: MERCHANT.into(),
            amount_fen: 100,
            out_trade_no: number(PAYMENT),
            transaction_id: transaction(PAYMENT),
            ..OrderPaid::default()
        }),
        refund_created(refund),
        refund_accepted(refund),
        fact(&OrderRefunded {
            order: order.clone(),
            refund: format!("{order}/refunds/{REFUND}"),
            payment: format!("{order}/payments/{PAYMENT}"),
            app: APP.into(),
            merchant: MERCHANT.into(),
            amount_fen: 40,
            refunded_fen: 40,
            out_refund_no: number(REFUND),
            refund_id: provider_refund(REFUND),
            provider: PROVIDER.into(),
            cause: "REQUESTED".into(),
            ..OrderRefunded::default()
        }),
        fact(&created(&closed, 70)),
        fact(&written(&closed, SURPLUS, 70)),
        fact(&OrderClosed { order: closed.clone(), app: APP.into(), amount_fen: 70, ..OrderClosed::default() }),
        fact(&PaymentSurplus {
            order: closed.clone(),
            payment: format!("{closed}/payments/{SURPLUS}"),
            app: APP.into(),
            amount_fen: 70,
            transaction_id: transaction(SURPLUS),
            ..PaymentSurplus::default()
        }),
        refund_created(surplus_refund),
        refund_accepted(surplus_refund),
    ]
}
