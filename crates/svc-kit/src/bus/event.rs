//! From a delivery back to its event.

use proto::bus::header;
use proto::event::Event;

use super::Delivery;

/// What is wrong with a message. None of it gets better by trying again: a handler says `Verdict::Dead`.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A header is missing.
    #[error("the header {name} is missing")]
    Missing {
        /// The header.
        name: &'static str,
    },
    /// It is an event of another type.
    #[error("ce-type is {found:?} where {expected:?} is expected")]
    Type {
        /// The type that was asked for.
        expected: &'static str,
        /// The type in the header.
        found: String,
    },
    /// The two headers that hold the id disagree.
    #[error("Nats-Msg-Id is {msg_id:?} and ce-id is {ce_id:?}")]
    Ids {
        /// `Nats-Msg-Id`.
        msg_id: String,
        /// `ce-id`.
        ce_id: String,
    },
    /// The body is not the JSON of the event.
    #[error("the body is not a {expected}")]
    Body {
        /// The type that was asked for.
        expected: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The envelope says something else than the body.
    #[error("{what} is {envelope:?} by the envelope and {body:?} by the body")]
    Envelope {
        /// `id` or `subject`.
        what: &'static str,
        /// What the envelope says.
        envelope: String,
        /// What follows from the body.
        body: String,
    },
}

impl Delivery {
    /// The event in this message, if headers, subject and body agree that it is one.
    ///
    /// # Errors
    /// What is wrong, by name; see [`DecodeError`].
    pub fn decode<E: Event>(&self) -> Result<E, DecodeError> {
        let required = |name| self.header(name).ok_or(DecodeError::Missing { name });
        let found = required(header::TYPE)?;
        if found != E::TYPE {
            return Err(DecodeError::Type { expected: E::TYPE, found: found.to_owned() });
        }
        let (msg_id, ce_id) = (required(header::MSG_ID)?, required(header::ID)?);
        if msg_id != ce_id {
            return Err(DecodeError::Ids { msg_id: msg_id.to_owned(), ce_id: ce_id.to_owned() });
        }
        let event: E =
            serde_json::from_slice(&self.payload).map_err(|source| DecodeError::Body { expected: E::TYPE, source })?;
        let agree = |what, envelope: &str, body: String| {
            if envelope == body {
                return Ok(());
            }
            Err(DecodeError::Envelope { what, envelope: envelope.to_owned(), body })
        };
        agree("id", ce_id, event.id())?;
        agree("subject", &self.subject, event.bus_subject())?;
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use proto::event::{OrderPaid, PaymentPaid};

    use super::*;
    use crate::bus::Message;

    fn paid() -> PaymentPaid {
        PaymentPaid {
            merchant: "acme".to_owned(),
            provider: "wechat-v2".to_owned(),
            out_trade_no: "0198c5".to_owned(),
            mch_id: "1900000109".to_owned(),
            transaction_id: "42".to_owned(),
            amount_fen: 1,
            ..PaymentPaid::default()
        }
    }

    fn delivered() -> Delivery {
        let message = Message::from_event(&paid(), "notify-svc").expect("it can be sent");
        let mut headers = message.headers;
        headers.insert(header::MSG_ID, message.id.as_str());
        Delivery {
            id: message.id,
            subject: message.subject,
            stream: "PAY".to_owned(),
            sequence: 1,
            attempts: 1,
            headers,
            payload: message.payload,
        }
    }

    #[test]
    fn what_was_sent_is_read_back() {
        assert_eq!(delivered().decode::<PaymentPaid>().expect("it is one"), paid());
    }

    #[test]
    fn fields_of_a_later_release_are_ignored() {
        let mut delivery = delivered();
        let mut body: serde_json::Value = serde_json::from_slice(&delivery.payload).expect("JSON");
        body["addedLater"] = true.into();
        delivery.payload = body.to_string().into();
        assert_eq!(delivery.decode::<PaymentPaid>().expect("it is one"), paid());
    }

    #[test]
    fn each_mistake_is_named() {
        let refused = |change: &dyn Fn(&mut Delivery)| {
            let mut delivery = delivered();
            change(&mut delivery);
            delivery.decode::<PaymentPaid>().expect_err("it is refused").to_string()
        };
        assert_eq!(refused(&|d| d.headers = async_nats::HeaderMap::new()), "the header ce-type is missing");
        assert_eq!(
            refused(&|d| d.headers.insert("ce-id", "other")),
            r#"Nats-Msg-Id is "paid:wechat-v2:1900000109:42" and ce-id is "other""#
        );
        assert_eq!(refused(&|d| d.payload = "{".into()), "the body is not a tongbao.event.v1.PaymentPaid");
        assert_eq!(
            refused(&|d| d.subject = "pay.v1.payment.paid.other".to_owned()),
            r#"subject is "pay.v1.payment.paid.other" by the envelope and "pay.v1.payment.paid.acme" by the body"#
        );
        let error = delivered().decode::<OrderPaid>().expect_err("it is another type");
        assert!(matches!(error, DecodeError::Type { expected: "tongbao.event.v1.OrderPaid", .. }));
    }
}
