//! What reconciliation asks for: done once, on the normal road, and answered with its effect.

mod imports;
mod payments;
mod refunds;
mod requests;
mod surplus;

use proto::event::{RepairAction, RepairRequested};
use proto::gateway::v1::{PaidStatus, PaymentStatus, PrepayRequest, payment_status};
use proto::order::v1::pay_order_request::Method;
use proto::order::v1::*;
use serde_json::Value;

use crate::gateway::{MERCHANT, MINI};
use crate::harness::{World, id, pay_order};

/// The day of the bill.
const DAY: &str = "2026-11-21";

/// A repair of an attempt, as reconcile-svc asks for one.
fn of_payment(action: RepairAction, out_trade_no: &str) -> RepairRequested {
    RepairRequested {
        repair: format!("repairs/{}", id()),
        discrepancy: format!("discrepancies/{}", id()),
        merchant: MERCHANT.to_owned(),
        bill_date: DAY.to_owned(),
        code: "P1".to_owned(),
        action: action.into(),
        out_trade_no: out_trade_no.to_owned(),
        requested_by: vec!["reconcile-svc".to_owned()],
        ..RepairRequested::default()
    }
}

/// The same wish again, as another repair.
fn again(request: &RepairRequested) -> RepairRequested {
    RepairRequested { repair: format!("repairs/{}", id()), ..request.clone() }
}

impl World {
    /// Asks for a repair, and waits for its answer: the outcome in a word, and the sentence.
    async fn repaired(&self, request: &RepairRequested) -> (String, String) {
        self.publish(request).await;
        let answer = self.answer(request).await;
        assert_eq!(answer["discrepancy"], request.discrepancy);
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        let outcome = text("outcome");
        (outcome.strip_prefix("OUTCOME_").unwrap_or(&outcome).to_owned(), text("detail"))
    }

    async fn answer(&self, request: &RepairRequested) -> Value {
        let subject = format!("order.v1.repair.answered.{}", request.merchant);
        self.until("the repair is answered", async || {
            let answers = self.messages("ORDER", &subject).await;
            answers.into_iter().find(|answer| answer["repair"] == request.repair.as_str())
        })
        .await
    }

    /// An order whose cashier is open, and what was sent for it.
    async fn prepaid(&self) -> (Order, PrepayRequest) {
        let order = self.ordered(|_| {}).await;
        let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
        self.pay(pay_order(&order, method)).await.expect("prepaid");
        let sent = self.gateway.prepays().pop().expect("it was sent");
        (order, sent)
    }

    /// An order that was paid by callback, and what was sent for it.
    async fn sold(&self) -> (Order, PrepayRequest) {
        let (order, sent) = self.prepaid().await;
        self.paid(|fact| fact.transaction_id = transaction(&sent)).await;
        (self.order_becomes(&order.name, order::State::Paid).await, sent)
    }
}

/// The provider's number of a payment.
fn transaction(sent: &PrepayRequest) -> String {
    format!("42{}", &sent.out_trade_no[4..])
}

/// The provider says that it was paid.
fn is_paid(sent: &PrepayRequest) -> PaymentStatus {
    let paid = PaidStatus {
        transaction_id: transaction(sent),
        amount_fen: sent.amount_fen,
        payer_amount_fen: sent.amount_fen,
        currency: "CNY".to_owned(),
        mch_id: sent.mch_id.clone(),
        app_id: sent.app_id.clone(),
        out_trade_no: sent.out_trade_no.clone(),
        paid_time: Some(pbjson_types::Timestamp { seconds: 1_795_000_000, nanos: 0 }),
        ..PaidStatus::default()
    };
    let state = payment_status::State::Paid.into();
    PaymentStatus { state, paid: Some(paid), provider_state: "SUCCESS".to_owned() }
}

/// The provider says something else than that it was paid.
fn is(state: payment_status::State, word: &str) -> PaymentStatus {
    PaymentStatus { state: state.into(), provider_state: word.to_owned(), ..PaymentStatus::default() }
}
