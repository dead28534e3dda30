//! What stories are made of: numbers, rows, facts, and what the provider has of them.

use super::*;

pub(in crate::verify::judge::tests) fn at() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().expect("an instant")
}

pub(super) fn number(id: Uuid) -> String {
    id.simple().to_string()
}

pub(super) fn transaction(payment: Uuid) -> String {
    format!("4200{:028}", payment.as_u128())
}

pub(super) fn provider_refund(refund: Uuid) -> String {
    format!("5030{:028}", refund.as_u128())
}

pub(in crate::verify::judge::tests) fn fact<E: Event>(event: &E) -> Fact {
    let (id, subject, body) = (event.id(), event.bus_subject(), serde_json::to_vec(event).expect("events are JSON"));
    let news = News::read(E::TYPE, &id, &subject, &body);
    Fact { id, subject, sequence: 1, published: at(), news }
}

pub(super) fn paid_fact(payment: Uuid, amount_fen: i64) -> Fact {
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

pub(in crate::verify::judge::tests) fn order_row(
    order_id: Uuid,
    state: &str,
    amount_fen: i64,
    version: i64,
    paid_by: Option<Uuid>,
) -> OrderRow {
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

pub(in crate::verify::judge::tests) fn payment_row(payment_id: Uuid, order_id: Uuid, amount_fen: i64) -> PaymentRow {
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

pub(super) fn refund_row(
    refund_id: Uuid,
    payment: &PaymentRow,
    amount_fen: i64,
    cause: &str,
    state: &str,
) -> RefundRow {
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

pub(super) fn refund_created(refund: &RefundRow) -> Fact {
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

pub(super) fn refund_accepted(refund: &RefundRow) -> Fact {
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

pub(super) fn at_provider(payment: &PaymentRow, refunds: Vec<control::Refund>) -> control::Order {
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

pub(super) fn refund_at_provider(refund: &RefundRow, state: RefundState) -> control::Refund {
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

pub(super) fn journal() -> Journal {
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

pub(super) fn chain(begin: usize, entity: &str, id: Uuid, order_id: Uuid, states: &[&str]) -> Vec<ChangeRow> {
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
