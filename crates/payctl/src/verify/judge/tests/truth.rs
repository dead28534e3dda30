//! One true story: an order of 100 fen, paid by a callback, of which 40 fen are back; and a closed order whose payer won the
//! race, so that 70 fen are a surplus on their way back.

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

pub(super) fn at() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().expect("an instant")
}

fn number(id: Uuid) -> String {
    id.simple().to_string()
}

fn transaction(payment: Uuid) -> String {
    format!("4200{:028}", payment.as_u128())
}

fn provider_refund(refund: Uuid) -> String {
    format!("5030{:028}", refund.as_u128())
}

pub(super) fn fact<E: Event>(event: &E) -> Fact {
    let (id, subject, body) = (event.id(), event.bus_subject(), serde_json::to_vec(event).expect("events are JSON"));
    let news = News::read(E::TYPE, &id, &subject, &body);
    Fact { id, subject, sequence: 1, published: at(), news }
}

fn paid_fact(payment: Uuid, amount_fen: i64) -> Fact {
    fact(&PaymentPaid {
        merchant: MERCHANT.into(),
        provider: PROVIDER.into(),
        out_trade_no: number(payment),
        transaction_id: transaction(payment),
        amount_fen,
        currency: "CNY".into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        paid_time: Some(to_wire(at())),
        ..PaymentPaid::default()
    })
}

pub(super) fn order_row(order_id: Uuid, state: &str, amount_fen: i64, version: i64, paid_by: Option<Uuid>) -> OrderRow {
    OrderRow {
        order_id,
        merchant: MERCHANT.into(),
        amount_fen,
        state: state.into(),
        version,
        paid_payment_id: paid_by,
        create_time: Instant(Some(at())),
    }
}

pub(super) fn payment_row(payment_id: Uuid, order_id: Uuid, amount_fen: i64) -> PaymentRow {
    PaymentRow {
        payment_id,
        order_id,
        merchant: MERCHANT.into(),
        provider: PROVIDER.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        amount_fen,
        state: "SUCCEEDED".into(),
        sends: 1,
        transaction_id: Some(transaction(payment_id)),
        paid_time: Instant(Some(at())),
        surplus: false,
        surplus_held: false,
        disputed: false,
        reversing: false,
        refunded_fen: 0,
        refunding_fen: 0,
    }
}

fn refund_row(refund_id: Uuid, payment: &PaymentRow, amount_fen: i64, cause: &str, state: &str) -> RefundRow {
    RefundRow {
        refund_id,
        order_id: payment.order_id,
        payment_id: payment.payment_id,
        merchant: MERCHANT.into(),
        provider: PROVIDER.into(),
        mch_id: MCH_ID.into(),
        transaction_id: payment.transaction_id.clone().expect("paid"),
        total_fen: payment.amount_fen,
        amount_fen,
        cause: cause.into(),
        state: state.into(),
        waiting: None,
        sends: 1,
        provider_refund_id: Some(provider_refund(refund_id)),
        external_no: None,
    }
}

fn refund_created(refund: &RefundRow) -> Fact {
    fact(&RefundCreated {
        order: format!("orders/{}", refund.order_id),
        payment: format!("orders/{}/payments/{}", refund.order_id, refund.payment_id),
        refund: format!("orders/{}/refunds/{}", refund.order_id, refund.refund_id),
        app: APP.into(),
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        out_refund_no: refund.out_refund_no(),
        transaction_id: refund.transaction_id.clone(),
        amount_fen: refund.amount_fen,
        cause: refund.cause.clone(),
        create_time: None,
    })
}

fn refund_accepted(refund: &RefundRow) -> Fact {
    fact(&RefundAccepted {
        order: format!("orders/{}", refund.order_id),
        payment: format!("orders/{}/payments/{}", refund.order_id, refund.payment_id),
        refund: format!("orders/{}/refunds/{}", refund.order_id, refund.refund_id),
        app: APP.into(),
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        out_refund_no: refund.out_refund_no(),
        refund_id: refund.provider_refund_id.clone().expect("accepted"),
        transaction_id: refund.transaction_id.clone(),
        amount_fen: refund.amount_fen,
        cause: refund.cause.clone(),
        accept_time: None,
    })
}

fn at_provider(payment: &PaymentRow, refunds: Vec<control::Refund>) -> control::Order {
    control::Order {
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        sub_mch_id: None,
        service_provider_app_id: None,
        out_trade_no: payment.out_trade_no(),
        amount_fen: payment.amount_fen,
        fee_type: "CNY".into(),
        description: "tea".into(),
        trade_type: "JSAPI".into(),
        sign_type: "MD5".into(),
        notify_url: "http://127.0.0.1/".into(),
        trade_state: "SUCCESS".into(),
        created_at: at(),
        expires_at: None,
        closed_at: None,
        reversed_at: None,
        prepays: 1,
        payment: Some(control::Payment {
            transaction_id: payment.transaction_id.clone().expect("paid"),
            amount_fen: payment.amount_fen,
            fee_type: "CNY".into(),
            app_id: APP_ID.into(),
            paid_at: at(),
        }),
        refunds,
    }
}

fn refund_at_provider(refund: &RefundRow, state: RefundState) -> control::Refund {
    control::Refund {
        merchant: MERCHANT.into(),
        out_trade_no: number(refund.payment_id),
        out_refund_no: refund.out_refund_no(),
        refund_id: refund.provider_refund_id.clone().expect("accepted"),
        amount_fen: refund.amount_fen,
        state,
        source: RefundSource::Api,
        created_at: at(),
        settled_at: None,
        requests: 1,
    }
}

fn journal() -> Journal {
    let chains: [(&str, Uuid, Uuid, &[&str]); 6] = [
        ("order", ORDER, ORDER, &["PENDING", "PENDING", "PAID", "PARTIALLY_REFUNDED"]),
        ("payment", PAYMENT, ORDER, &["CREATED", "PENDING", "SUCCEEDED"]),
        ("refund", REFUND, ORDER, &["CREATED", "PROCESSING", "SUCCEEDED"]),
        ("order", CLOSED, CLOSED, &["PENDING", "CLOSED"]),
        ("payment", SURPLUS, CLOSED, &["CREATED", "CLOSED", "SUCCEEDED"]),
        ("refund", SURPLUS_REFUND, CLOSED, &["CREATED", "PROCESSING"]),
    ];
    let mut changes = Vec::new();
    for (entity, id, order_id, states) in chains {
        changes.extend(chain(changes.len(), entity, id, order_id, states));
    }
    Journal { changes, begun: None }
}

fn chain(begin: usize, entity: &str, id: Uuid, order_id: Uuid, states: &[&str]) -> Vec<ChangeRow> {
    let change = |(at, to_state): (usize, &&str)| ChangeRow {
        seq: i64::try_from(begin + at).expect("few"),
        entity: entity.into(),
        id,
        order_id,
        version: (entity == "order").then(|| i64::try_from(at + 1).expect("few")),
        from_state: at.checked_sub(1).map(|before| states[before].into()),
        to_state: (*to_state).into(),
    };
    states.iter().enumerate().map(change).collect()
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

/// The true story, and a charge of 30 fen that was paid too late: the provider has taken it back. Its paid fact is on the bus,
/// because reconciliation asked while it was paid.
pub(super) fn truth_with_reversed() -> Evidence {
    let mut evidence = truth();
    let (order_id, payment_id) = (Uuid::from_u128(21), REVERSED);
    let paid = payment_row(payment_id, order_id, 30);
    let order = format!("orders/{order_id}");
    let ledger = evidence.ledger.as_mut().expect("there is one");
    ledger.orders.push(control::Order { trade_state: "REVOKED".into(), ..at_provider(&paid, Vec::new()) });
    evidence.orders.push(order_row(order_id, "PENDING", 30, 4, None));
    evidence.order.push(fact(&OrderCreated {
        order: order.clone(),
        app: APP.into(),
        merchant: MERCHANT.into(),
        amount_fen: 30,
        ..OrderCreated::default()
    }));
    evidence.order.push(fact(&PaymentCreated {
        payment: format!("{order}/payments/{payment_id}"),
        order,
        app: APP.into(),
        merchant: MERCHANT.into(),
        out_trade_no: number(payment_id),
        amount_fen: 30,
        mch_id: MCH_ID.into(),
        ..PaymentCreated::default()
    }));
    evidence.pay.push(paid_fact(payment_id, 30));
    let told = Told { transaction_id: transaction(payment_id), out_trade_no: number(payment_id), amount_fen: 30 };
    evidence.books.as_mut().expect("kept").told.push(told);
    let reversed =
        PaymentRow { state: "CLOSED".into(), reversing: true, transaction_id: None, paid_time: Instant(None), ..paid };
    evidence.payments.push(reversed);
    let journal = evidence.journal.as_mut().expect("there is one");
    let chains: [(&str, Uuid, &[&str]); 2] =
        [("order", order_id, &["PENDING"; 4]), ("payment", payment_id, &["CREATED", "PENDING", "CLOSED"])];
    for (entity, id, states) in chains {
        journal.changes.extend(chain(journal.changes.len(), entity, id, order_id, states));
    }
    evidence
}

/// The true story, and 20 fen of its first order that somebody gave back in the provider's console: a repair has brought them
/// into the books.
pub(super) fn truth_with_import() -> Evidence {
    let mut evidence = truth();
    let payment = &mut evidence.payments[0];
    payment.refunded_fen = 60;
    let refund = RefundRow {
        sends: 0,
        external_no: Some("console-1".into()),
        ..refund_row(CONSOLE, payment, 20, "EXTERNAL", "SUCCEEDED")
    };
    let (order, merchant) = (format!("orders/{ORDER}"), MERCHANT.to_owned());
    evidence.order.extend([
        refund_created(&refund),
        fact(&RefundAccepted {
            order: order.clone(),
            refund: format!("{order}/refunds/{CONSOLE}"),
            app: APP.into(),
            merchant: merchant.clone(),
            mch_id: MCH_ID.into(),
            out_refund_no: "console-1".into(),
            refund_id: provider_refund(CONSOLE),
            transaction_id: transaction(PAYMENT),
            amount_fen: 20,
            cause: "EXTERNAL".into(),
            ..RefundAccepted::default()
        }),
        fact(&OrderRefunded {
            order: order.clone(),
            refund: format!("{order}/refunds/{CONSOLE}"),
            app: APP.into(),
            merchant: merchant.clone(),
            amount_fen: 20,
            refunded_fen: 60,
            out_refund_no: "console-1".into(),
            refund_id: provider_refund(CONSOLE),
            cause: "EXTERNAL".into(),
            ..OrderRefunded::default()
        }),
        fact(&RepairAnswered {
            repair: format!("repairs/{REPAIR}"),
            discrepancy: format!("discrepancies/{}", Uuid::from_u128(33)),
            merchant: merchant.clone(),
            outcome: Outcome::Applied.into(),
            ..RepairAnswered::default()
        }),
    ]);
    evidence.pay.push(fact(&RefundChanged {
        merchant: merchant.clone(),
        provider: PROVIDER.into(),
        mch_id: MCH_ID.into(),
        out_refund_no: "console-1".into(),
        refund_id: provider_refund(CONSOLE),
        transaction_id: transaction(PAYMENT),
        out_trade_no: number(PAYMENT),
        amount_fen: 20,
        state: State::Succeeded.into(),
        ..RefundChanged::default()
    }));
    let there =
        control::Refund { source: RefundSource::VendorPlatform, ..refund_at_provider(&refund, RefundState::Success) };
    evidence.ledger.as_mut().expect("there is one").orders[0].refunds.push(there);
    evidence.refunds.as_mut().expect("some").push(refund);
    evidence.repairs.push(RepairRow {
        repair_id: REPAIR,
        discrepancy_id: Uuid::from_u128(33),
        merchant,
        outcome: Some("APPLIED".into()),
    });
    evidence.orders[0].version = 6;
    let journal = evidence.journal.as_mut().expect("there is one");
    journal.changes.extend(chain(journal.changes.len(), "refund", CONSOLE, ORDER, &["CREATED", "SUCCEEDED"]));
    for version in [5, 6] {
        journal.changes.push(ChangeRow {
            seq: 100 + version,
            entity: "order".into(),
            id: ORDER,
            order_id: ORDER,
            version: Some(version),
            from_state: Some("PARTIALLY_REFUNDED".into()),
            to_state: "PARTIALLY_REFUNDED".into(),
        });
    }
    evidence
}

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
