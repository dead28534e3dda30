//! Facts on the bus: the messages of `tongbao.event.v1`, each with its id, its subject and what it is about.

mod order;
mod pay;
mod recon;

use serde::{Serialize, de::DeserializeOwned};

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
