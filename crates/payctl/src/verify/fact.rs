//! Messages of the streams, as far as the rules look at them: a large stream fits into memory only without its envelopes.

use std::fmt;

use jiff::Timestamp;
use proto::event::{
    Event, OrderClosed, OrderCreated, OrderPaid, OrderRefunded, PaymentCreated, PaymentPaid, PaymentSurplus,
    RefundAccepted, RefundChanged, RefundCreated, RefundFailed, RefundNoticed, RepairAnswered,
};
use uuid::Uuid;

/// One message of PAY or ORDER.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The id of the fact: `ce-id`.
    pub id: String,
    /// Where it was published.
    pub subject: String,
    /// Its place in its stream.
    pub sequence: u64,
    /// When the stream took it, by the server's clock.
    pub published: Timestamp,
    /// What it says.
    pub news: News,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the event of its name")]
pub enum News {
    PaymentPaid(Box<PaymentPaid>),
    RefundChanged(Box<RefundChanged>),
    RefundNoticed(Box<RefundNoticed>),
    OrderCreated(Box<OrderCreated>),
    OrderPaid(Box<OrderPaid>),
    OrderClosed(Box<OrderClosed>),
    OrderRefunded(Box<OrderRefunded>),
    PaymentCreated(Box<PaymentCreated>),
    PaymentSurplus(Box<PaymentSurplus>),
    RefundCreated(Box<RefundCreated>),
    RefundAccepted(Box<RefundAccepted>),
    RefundFailed(Box<RefundFailed>),
    RepairAnswered(Box<RepairAnswered>),
    /// A fact of a later release: its type is unknown here.
    Later,
    /// It is not what its type, subject or id says; why.
    Nonsense(String),
}

impl News {
    /// Reads a body by the type that its header names. An event whose id or subject does not follow from its content is nonsense:
    /// consumers find their facts by both.
    pub fn read(event_type: &str, id: &str, subject: &str, body: &[u8]) -> Self {
        match event_type {
            PaymentPaid::TYPE => event(id, subject, body, Self::PaymentPaid),
            RefundChanged::TYPE => event(id, subject, body, Self::RefundChanged),
            RefundNoticed::TYPE => event(id, subject, body, Self::RefundNoticed),
            OrderCreated::TYPE => event(id, subject, body, Self::OrderCreated),
            OrderPaid::TYPE => event(id, subject, body, Self::OrderPaid),
            OrderClosed::TYPE => event(id, subject, body, Self::OrderClosed),
            OrderRefunded::TYPE => event(id, subject, body, Self::OrderRefunded),
            PaymentCreated::TYPE => event(id, subject, body, Self::PaymentCreated),
            PaymentSurplus::TYPE => event(id, subject, body, Self::PaymentSurplus),
            RefundCreated::TYPE => event(id, subject, body, Self::RefundCreated),
            RefundAccepted::TYPE => event(id, subject, body, Self::RefundAccepted),
            RefundFailed::TYPE => event(id, subject, body, Self::RefundFailed),
            RepairAnswered::TYPE => event(id, subject, body, Self::RepairAnswered),
            "" => Self::Nonsense("it has no ce-type".to_owned()),
            _ => Self::Later,
        }
    }

    /// The order it is about, as events of order-svc name it.
    pub fn order(&self) -> Option<Uuid> {
        let name = match self {
            Self::OrderCreated(event) => &event.order,
            Self::OrderPaid(event) => &event.order,
            Self::OrderClosed(event) => &event.order,
            Self::OrderRefunded(event) => &event.order,
            Self::PaymentCreated(event) => &event.order,
            Self::PaymentSurplus(event) => &event.order,
            Self::RefundCreated(event) => &event.order,
            Self::RefundAccepted(event) => &event.order,
            Self::RefundFailed(event) => &event.order,
            Self::PaymentPaid(_)
            | Self::RefundChanged(_)
            | Self::RefundNoticed(_)
            | Self::RepairAnswered(_)
            | Self::Later
            | Self::Nonsense(_) => {
                return None;
            }
        };
        name.strip_prefix("orders/").and_then(|id| Uuid::try_parse(id).ok())
    }

    /// The repair that it answers.
    pub fn repair(&self) -> Option<Uuid> {
        let Self::RepairAnswered(event) = self else { return None };
        event.repair.strip_prefix("repairs/").and_then(|id| Uuid::try_parse(id).ok())
    }

    /// The payment it is about, as the provider names it.
    pub fn out_trade_no(&self) -> Option<&str> {
        match self {
            Self::PaymentPaid(event) => Some(&event.out_trade_no),
            Self::RefundChanged(event) => Some(&event.out_trade_no),
            _ => None,
        }
    }

    /// Whether two reports are of the same thing. Callbacks and queries of one payment know different words beside it.
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PaymentPaid(one), Self::PaymentPaid(other)) => essence(one) == essence(other),
            (Self::RefundChanged(one), Self::RefundChanged(other)) => {
                let bare = |event: &RefundChanged| RefundChanged { source: 0, ..event.clone() };
                bare(one) == bare(other)
            }
            (one, other) => one == other,
        }
    }
}

fn essence(paid: &PaymentPaid) -> PaymentPaid {
    PaymentPaid { source: 0, trade_type: String::new(), bank_type: String::new(), payer_amount_fen: 0, ..paid.clone() }
}

fn event<E: Event>(id: &str, subject: &str, body: &[u8], news: impl FnOnce(Box<E>) -> News) -> News {
    match serde_json::from_slice::<E>(body) {
        Err(error) => News::Nonsense(format!("its body cannot be read: {error}")),
        Ok(event) if event.id() != id => News::Nonsense(format!("its content makes it {}", event.id())),
        Ok(event) if event.bus_subject() != subject => {
            News::Nonsense(format!("its content belongs to {}", event.bus_subject()))
        }
        Ok(event) => news(Box::new(event)),
    }
}

/// The id behind a number such as `out_trade_no`, when it has our shape.
pub(super) fn number_id(number: &str) -> Option<Uuid> {
    Uuid::try_parse(number).ok().filter(|id| id.simple().to_string() == number)
}

/// One message of DEAD: what a consumer could never apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The id of the fact.
    pub id: String,
    /// Which consumer.
    pub durable: String,
    /// Why.
    pub reason: String,
    /// The subject it came by.
    pub subject: String,
    /// Its place in the stream it came from; 0 when it does not say.
    pub sequence: u64,
}

impl fmt::Display for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}: {})", self.id, self.durable, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_whose_id_or_subject_does_not_follow_from_its_content_is_nonsense() {
        let paid = PaymentPaid {
            merchant: "acme-mini".into(),
            provider: "wechat-v2".into(),
            mch_id: "1900000109".into(),
            transaction_id: "42".into(),
            ..PaymentPaid::default()
        };
        let (id, subject, body) = (paid.id(), paid.bus_subject(), serde_json::to_vec(&paid).expect("events are JSON"));
        let read = |id: &str, subject: &str, body: &[u8]| News::read(PaymentPaid::TYPE, id, subject, body);
        assert_eq!(read(&id, &subject, &body), News::PaymentPaid(Box::new(paid)));
        for nonsense in [read("paid:43", &subject, &body), read(&id, "pay.v1.x", &body), read(&id, &subject, b"<xml>")]
        {
            assert!(matches!(nonsense, News::Nonsense(_)), "{nonsense:?}");
        }
        assert!(matches!(News::read("", &id, &subject, &body), News::Nonsense(_)));
        assert_eq!(News::read("tongbao.event.v1.SomethingNew", &id, &subject, &body), News::Later);
    }

    #[test]
    fn only_numbers_of_our_shape_have_an_id() {
        let id = Uuid::from_u128(7);
        assert_eq!(number_id(&id.simple().to_string()), Some(id));
        for other in [id.to_string(), "0A".repeat(16), "7".to_owned(), String::new()] {
            assert_eq!(number_id(&other), None, "{other}");
        }
    }
}
