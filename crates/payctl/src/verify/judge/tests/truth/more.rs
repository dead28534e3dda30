//! The true story, and something more.

use super::*;

/// The true story, and a charge of 30 fen that was paid too late: the provider has taken it back. Its paid fact is on the bus,
/// because reconciliation asked while it was paid.
pub(in crate::verify::judge::tests) fn truth_with_reversed() -> Evidence {
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
pub(in crate::verify::judge::tests) fn truth_with_import() -> Evidence {
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
