//! Negative controls: from one true story, each rule is broken in turn, and must say so.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto::event::{Event, OrderCreated, OrderPaid, PaymentCreated, PaymentPaid};
use sandbox::control::{
    AnswerClass, Attempt, Callback, CallbackKind, CallbackState, ClockState, Ledger, Order, Payment,
};
use uuid::Uuid;

use super::super::{
    Allowed, Books, Evidence,
    books::{Taken, Told},
    judge,
    rows::{OrderRow, PaidTime, PaymentRow},
};
use crate::streams::Fact;

const ORDER: Uuid = Uuid::from_u128(1);
const PAYMENT: Uuid = Uuid::from_u128(2);
const TRANSACTION: &str = "4200000000202611210000000001";

fn fact<E: Event>(event: &E) -> Fact {
    Fact {
        subject: event.bus_subject(),
        id: event.id(),
        headers: BTreeMap::new(),
        sequence: 1,
        body: serde_json::to_value(event).expect("events are JSON"),
    }
}

/// One order, paid by one callback.
fn truth() -> Evidence {
    let at: Timestamp = "2026-11-21T02:00:00Z".parse().expect("an instant");
    let number = PAYMENT.simple().to_string();
    let (merchant, mch_id, app_id) = ("acme-mini".to_owned(), "1900000109".to_owned(), "wxac3e0000000000a1".to_owned());
    let paid_fact = PaymentPaid {
        merchant: merchant.clone(),
        provider: "wechat-v2".into(),
        out_trade_no: number.clone(),
        transaction_id: TRANSACTION.into(),
        amount_fen: 100,
        currency: "CNY".into(),
        mch_id: mch_id.clone(),
        app_id: app_id.clone(),
        ..PaymentPaid::default()
    };
    let order = format!("orders/{ORDER}");
    let payment = format!("{order}/payments/{PAYMENT}");
    let created = OrderCreated { order: order.clone(), app: "shop".into(), ..OrderCreated::default() };
    let written = PaymentCreated { payment: payment.clone(), app: "shop".into(), ..PaymentCreated::default() };
    let told = OrderPaid {
        order,
        payment,
        app: "shop".into(),
        merchant: merchant.clone(),
        amount_fen: 100,
        out_trade_no: number.clone(),
        transaction_id: TRANSACTION.into(),
        ..OrderPaid::default()
    };
    let attempt = Attempt { at, fault: None, genuine: true, status: Some(200), answer: AnswerClass::Accepted };
    Evidence {
        ledger: Ledger {
            clock: ClockState { now: at, offset_ms: 0 },
            orders: vec![Order {
                merchant: merchant.clone(),
                mch_id: mch_id.clone(),
                app_id: app_id.clone(),
                out_trade_no: number.clone(),
                amount_fen: 100,
                fee_type: "CNY".into(),
                description: "tea".into(),
                trade_type: "JSAPI".into(),
                sign_type: "MD5".into(),
                notify_url: "http://127.0.0.1/".into(),
                trade_state: "SUCCESS".into(),
                created_at: at,
                expires_at: None,
                closed_at: None,
                prepays: 1,
                payment: Some(Payment {
                    transaction_id: TRANSACTION.into(),
                    amount_fen: 100,
                    fee_type: "CNY".into(),
                    app_id: app_id.clone(),
                    paid_at: at,
                }),
                refunds: Vec::new(),
            }],
            callbacks: vec![Callback {
                kind: CallbackKind::Payment,
                id: 1,
                merchant: merchant.clone(),
                out_trade_no: number.clone(),
                transaction_id: TRANSACTION.into(),
                url: "http://127.0.0.1/".into(),
                state: CallbackState::Delivered,
                next_attempt_at: None,
                attempts: vec![attempt],
            }],
        },
        orders: vec![OrderRow {
            order_id: ORDER,
            merchant: merchant.clone(),
            amount_fen: 100,
            state: "PAID".into(),
            paid_payment_id: Some(PAYMENT),
        }],
        payments: vec![PaymentRow {
            payment_id: PAYMENT,
            order_id: ORDER,
            merchant,
            provider: "wechat-v2".into(),
            mch_id,
            app_id,
            amount_fen: 100,
            state: "SUCCEEDED".into(),
            transaction_id: Some(TRANSACTION.into()),
            paid_time: PaidTime(Some(at)),
            surplus: false,
            disputed: false,
        }],
        pay: vec![fact(&paid_fact)],
        order: vec![fact(&created), fact(&written), fact(&told)],
        dead: Vec::new(),
        books: Some(Books {
            taken: vec![Taken {
                out_trade_no: number,
                transaction_id: TRANSACTION.into(),
                amount_fen: 100,
                kept_as: "PAID".into(),
            }],
            told: vec![Told { transaction_id: TRANSACTION.into(), amount_fen: 100 }],
        }),
        applied: true,
    }
}

#[test]
fn a_true_story_is_believed() {
    assert_eq!(judge(&truth(), Allowed::default()), Vec::<String>::new());
}

#[test]
fn every_broken_promise_is_named() {
    type Spoil = fn(&mut Evidence);
    let cases: [(Spoil, &str); 15] = [
        (|e| e.ledger.orders[0].payment = None, "is SUCCEEDED, but WeChat has no payment of it"),
        (|e| e.payments[0].app_id = "wx".into(), "is SUCCEEDED with other content than WeChat's"),
        (|e| e.payments[0].state = "CLOSED".into(), "was paid at WeChat"),
        (|e| e.payments.clear(), "which was never written down here"),
        (|e| e.ledger.orders[0].payment.as_mut().expect("paid").amount_fen = 1, "there is no dead letter of it"),
        (|e| e.orders[0].amount_fen = 1, "but not by the payment that it keeps"),
        (
            |e| e.payments.push(PaymentRow { payment_id: Uuid::from_u128(3), ..e.payments[0].clone() }),
            "keeps 2 payments",
        ),
        (|e| e.order.retain(|fact| !fact.id.starts_with("paid:")), "is PAID, and nobody was told"),
        (|e| e.order.retain(|fact| !fact.id.starts_with("created:")), "nobody was told that order"),
        (|e| e.order.retain(|fact| !fact.id.starts_with("payment-created:")), "was written"),
        (|e| e.order.push(e.order[2].clone()), "is 2 times on the bus"),
        (|e| e.pay[0].body["amountFen"] = "1".into(), "which WeChat does not know"),
        (|e| e.ledger.callbacks[0].attempts[0].genuine = false, "was believed that is not WeChat's"),
        (|e| e.pay.clear(), "was answered with success, and"),
        (|e| e.books.as_mut().expect("kept").taken.clear(), "the books hold as taken"),
    ];
    for (spoil, expected) in cases {
        let mut evidence = truth();
        spoil(&mut evidence);
        let found = judge(&evidence, Allowed::default()).join("\n");
        assert!(found.contains(expected), "{expected:?} is not in {found:?}");
    }
}

#[test]
fn an_attempt_that_is_closed_here_and_payable_there_is_named() {
    let mut evidence = truth();
    evidence.orders[0].state = "CLOSED".into();
    evidence.payments[0].state = "CLOSED".into();
    evidence.ledger.orders[0].trade_state = "NOTPAY".into();
    let found = judge(&evidence, Allowed::default()).join("\n");
    assert!(found.contains("would still take money"), "{found}");
    evidence.payments[0].state = "PENDING".into();
    let found = judge(&evidence, Allowed::default()).join("\n");
    assert!(found.contains("is CLOSED, but its attempt"), "{found}");
}

#[test]
fn dead_letters_are_counted_and_excuse_their_facts() {
    let mut evidence = truth();
    evidence.dead.push(evidence.pay[0].clone());
    let found = judge(&evidence, Allowed::default()).join("\n");
    assert!(found.contains("1 dead letters instead of 0"), "{found}");
    assert_eq!(judge(&evidence, Allowed { dead_letters: 1, unsettled: false }), Vec::<String>::new());
}

#[test]
fn what_nobody_was_there_to_apply_is_not_missed() {
    let mut evidence = truth();
    evidence.applied = false;
    evidence.books = None;
    evidence.order.retain(|fact| !fact.id.starts_with("paid:"));
    evidence.orders[0].state = "PENDING".into();
    evidence.payments[0].state = "PENDING".into();
    assert_eq!(judge(&evidence, Allowed::default()), Vec::<String>::new());
}
