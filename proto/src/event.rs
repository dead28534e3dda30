//! Facts on the bus: the messages of `tongbao.event.v1`, each with its id, its subject and what it is about.

use serde::{Serialize, de::DeserializeOwned};

use crate::bus::subject;

/// `tongbao.event.v1`.
pub mod v1 {
    #![expect(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated; the .proto files carry the docs"
    )]
    include!(concat!(env!("OUT_DIR"), "/tongbao.event.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/tongbao.event.v1.serde.rs"));
}

pub use v1::{
    DiscrepancyOpened, DiscrepancyResolved, OrderClosed, OrderCreated, OrderPaid, OrderRefunded, PaymentCreated,
    PaymentPaid, PaymentSurplus, ReconcileDay, ReconciliationCompleted, ReconciliationInput, RefundAccepted,
    RefundChanged, RefundCreated, RefundFailed, RefundNoticed, RepairAction, RepairAnswered, RepairRequested, Source,
    refund_changed, repair_answered,
};

/// A fact that goes over the bus. Everything about its envelope follows from its content, so two reporters of one fact
/// cannot disagree.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// The full name of the message type: header `ce-type`.
    const TYPE: &'static str;

    /// The id of the fact: headers `ce-id` and `Nats-Msg-Id`.
    fn id(&self) -> String;

    /// The subject it is published on.
    fn bus_subject(&self) -> String;

    /// What it is about: header `ce-subject`.
    fn about(&self) -> String;

    /// When it happened: header `ce-time`. `None` when the fact has no time of its own; the publisher's clock is used then.
    fn time(&self) -> Option<pbjson_types::Timestamp>;
}

/// The part of a resource name after its last slash.
fn id_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What tells one opening or end of a difference from another: the run that saw it, or the row of the audit log.
fn said_by(run: &str, audit_sequence: i64) -> String {
    if run.is_empty() { audit_sequence.to_string() } else { id_of(run).to_owned() }
}

impl Event for PaymentPaid {
    const TYPE: &'static str = "tongbao.event.v1.PaymentPaid";

    // The account is part of it: who holds the key of one account can sign any transaction id, and must not make another
    // account's callback look like a repeat.
    fn id(&self) -> String {
        format!("paid:{}:{}:{}", self.provider, self.mch_id, self.transaction_id)
    }

    fn bus_subject(&self) -> String {
        subject::payment_paid(&self.merchant)
    }

    // The order is not known to whoever hears the provider; the attempt's number is.
    fn about(&self) -> String {
        format!("payments/{}", self.out_trade_no)
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.paid_time
    }
}

impl Event for OrderCreated {
    const TYPE: &'static str = "tongbao.event.v1.OrderCreated";

    fn id(&self) -> String {
        format!("created:{}", id_of(&self.order))
    }

    fn bus_subject(&self) -> String {
        subject::order("created", &self.app)
    }

    fn about(&self) -> String {
        self.order.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.create_time
    }
}

impl Event for PaymentCreated {
    const TYPE: &'static str = "tongbao.event.v1.PaymentCreated";

    fn id(&self) -> String {
        format!("payment-created:{}", id_of(&self.payment))
    }

    fn bus_subject(&self) -> String {
        subject::payment("created", &self.app)
    }

    fn about(&self) -> String {
        self.payment.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.create_time
    }
}

impl Event for OrderPaid {
    const TYPE: &'static str = "tongbao.event.v1.OrderPaid";

    fn id(&self) -> String {
        format!("paid:{}", id_of(&self.order))
    }

    fn bus_subject(&self) -> String {
        subject::order("paid", &self.app)
    }

    fn about(&self) -> String {
        self.order.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.paid_time
    }
}

impl Event for OrderClosed {
    const TYPE: &'static str = "tongbao.event.v1.OrderClosed";

    fn id(&self) -> String {
        format!("closed:{}", id_of(&self.order))
    }

    fn bus_subject(&self) -> String {
        subject::order("closed", &self.app)
    }

    fn about(&self) -> String {
        self.order.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.close_time
    }
}

impl Event for PaymentSurplus {
    const TYPE: &'static str = "tongbao.event.v1.PaymentSurplus";

    fn id(&self) -> String {
        format!("surplus:{}", id_of(&self.payment))
    }

    fn bus_subject(&self) -> String {
        subject::payment("surplus", &self.app)
    }

    fn about(&self) -> String {
        self.payment.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.paid_time
    }
}

impl refund_changed::State {
    /// The word in subject and id.
    pub fn word(self) -> &'static str {
        match self {
            refund_changed::State::Unspecified => "unspecified",
            refund_changed::State::Succeeded => "succeeded",
            refund_changed::State::Abnormal => "abnormal",
            refund_changed::State::Closed => "closed",
        }
    }
}

impl Event for RefundChanged {
    const TYPE: &'static str = "tongbao.event.v1.RefundChanged";

    fn id(&self) -> String {
        format!("refund:{}:{}:{}:{}", self.provider, self.mch_id, self.refund_id, self.state().word())
    }

    fn bus_subject(&self) -> String {
        subject::refund(self.state().word(), &self.merchant)
    }

    fn about(&self) -> String {
        format!("refunds/{}", self.out_refund_no)
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.success_time
    }
}

impl Event for RefundNoticed {
    const TYPE: &'static str = "tongbao.event.v1.RefundNoticed";

    fn id(&self) -> String {
        // Nobody has signed a hint, so everything that it says is part of its id: a forged one must not make the genuine one
        // look like a repeat.
        format!(
            "refund-noticed:{}:{}:{}:{}:{}:{}",
            self.provider, self.mch_id, self.out_refund_no, self.refund_id, self.word, self.digest
        )
    }

    fn bus_subject(&self) -> String {
        subject::refund("noticed", &self.merchant)
    }

    fn about(&self) -> String {
        format!("refunds/{}", self.out_refund_no)
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for RefundCreated {
    const TYPE: &'static str = "tongbao.event.v1.RefundCreated";

    fn id(&self) -> String {
        format!("refund-created:{}", id_of(&self.refund))
    }

    fn bus_subject(&self) -> String {
        subject::order_refund("created", &self.app)
    }

    fn about(&self) -> String {
        self.refund.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.create_time
    }
}

impl Event for RefundAccepted {
    const TYPE: &'static str = "tongbao.event.v1.RefundAccepted";

    fn id(&self) -> String {
        format!("refund-accepted:{}", id_of(&self.refund))
    }

    fn bus_subject(&self) -> String {
        subject::order_refund("accepted", &self.app)
    }

    fn about(&self) -> String {
        self.refund.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.accept_time
    }
}

impl Event for RefundFailed {
    const TYPE: &'static str = "tongbao.event.v1.RefundFailed";

    fn id(&self) -> String {
        format!("refund-failed:{}:{}", id_of(&self.refund), self.state)
    }

    fn bus_subject(&self) -> String {
        subject::order_refund("failed", &self.app)
    }

    fn about(&self) -> String {
        self.refund.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for OrderRefunded {
    const TYPE: &'static str = "tongbao.event.v1.OrderRefunded";

    fn id(&self) -> String {
        format!("refunded:{}:{}", id_of(&self.order), id_of(&self.refund))
    }

    fn bus_subject(&self) -> String {
        subject::order("refunded", &self.app)
    }

    fn about(&self) -> String {
        self.order.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.success_time
    }
}

impl Event for ReconciliationCompleted {
    const TYPE: &'static str = "tongbao.event.v1.ReconciliationCompleted";

    fn id(&self) -> String {
        format!("run:{}", id_of(&self.run))
    }

    fn bus_subject(&self) -> String {
        subject::run_completed(&self.merchant)
    }

    fn about(&self) -> String {
        self.run.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for DiscrepancyOpened {
    const TYPE: &'static str = "tongbao.event.v1.DiscrepancyOpened";

    fn id(&self) -> String {
        format!("opened:{}:{}", id_of(&self.discrepancy), said_by(&self.run, self.audit_sequence))
    }

    fn bus_subject(&self) -> String {
        subject::discrepancy("opened", &self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for RepairRequested {
    const TYPE: &'static str = "tongbao.event.v1.RepairRequested";

    fn id(&self) -> String {
        format!("repair:{}", id_of(&self.repair))
    }

    fn bus_subject(&self) -> String {
        subject::repair_requested(&self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.request_time
    }
}

impl Event for RepairAnswered {
    const TYPE: &'static str = "tongbao.event.v1.RepairAnswered";

    fn id(&self) -> String {
        format!("repair-answered:{}", id_of(&self.repair))
    }

    fn bus_subject(&self) -> String {
        subject::repair_answered(&self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.answer_time
    }
}

impl Event for DiscrepancyResolved {
    const TYPE: &'static str = "tongbao.event.v1.DiscrepancyResolved";

    fn id(&self) -> String {
        format!("resolved:{}:{}", id_of(&self.discrepancy), said_by(&self.run, self.audit_sequence))
    }

    fn bus_subject(&self) -> String {
        subject::discrepancy("resolved", &self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for ReconcileDay {
    const TYPE: &'static str = "tongbao.event.v1.ReconcileDay";

    fn id(&self) -> String {
        let tick = self.tick_time.as_ref().map_or(0, |time| time.seconds);
        format!("{}:{}:{tick}", self.merchant, self.bill_date)
    }

    fn bus_subject(&self) -> String {
        subject::reconcile_work(&self.merchant)
    }

    fn about(&self) -> String {
        format!("days/{}", self.bill_date)
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.tick_time
    }
}

#[cfg(test)]
mod tests {
    use super::{DiscrepancyResolved, Event as _, OrderPaid, PaymentPaid, Source};

    #[test]
    fn a_notice_and_a_query_of_one_payment_carry_one_id() {
        let notice = PaymentPaid {
            provider: "wechat-v2".into(),
            mch_id: "1900000109".into(),
            transaction_id: "4200".into(),
            source: Source::Notice.into(),
            ..PaymentPaid::default()
        };
        let query = PaymentPaid { source: Source::Query.into(), ..notice.clone() };
        assert_eq!(notice.id(), query.id());
        assert_eq!(notice.id(), "paid:wechat-v2:1900000109:4200");
    }

    #[test]
    fn one_number_at_two_accounts_is_two_facts() {
        let of = |mch_id: &str| PaymentPaid {
            provider: "wechat-v2".into(),
            mch_id: mch_id.into(),
            transaction_id: "4200".into(),
            ..PaymentPaid::default()
        };
        assert_ne!(of("1900000109").id(), of("1900000208").id());
    }

    #[test]
    fn an_order_event_is_named_after_the_uuid_of_its_order() {
        let paid = OrderPaid { order: "orders/0198".into(), app: "shop".into(), ..OrderPaid::default() };
        assert_eq!((paid.id().as_str(), paid.bus_subject().as_str()), ("paid:0198", "order.v1.order.paid.shop"));
    }

    #[test]
    fn a_difference_that_a_person_ended_twice_is_told_twice() {
        let ended = |audit_sequence| DiscrepancyResolved {
            discrepancy: "discrepancies/0198".into(),
            audit_sequence,
            ..DiscrepancyResolved::default()
        };
        assert_eq!(ended(7).id(), "resolved:0198:7");
        let by_a_run = DiscrepancyResolved { run: "runs/0199".into(), ..ended(0) };
        assert_eq!(by_a_run.id(), "resolved:0198:0199");
    }

    #[test]
    fn a_body_with_fields_of_a_later_release_is_still_read() {
        let body = r#"{"merchant":"acme-mini","amountFen":"100","somethingNew":1,"source":"SOURCE_LATER"}"#;
        let paid: PaymentPaid = serde_json::from_str(body).expect("unknown fields and values are ignored");
        assert_eq!((paid.merchant.as_str(), paid.amount_fen), ("acme-mini", 100));
    }
}
