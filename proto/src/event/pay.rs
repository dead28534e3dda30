//! What the provider told, on stream `PAY`.

use super::{Event, PaymentPaid, RefundChanged, RefundNoticed, refund_changed};
use crate::bus::subject;

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
