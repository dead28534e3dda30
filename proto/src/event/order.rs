//! What order-svc tells, on stream `ORDER`.

use super::{
    Event, OrderClosed, OrderCreated, OrderPaid, OrderRefunded, PaymentCreated, PaymentSurplus, RefundAccepted,
    RefundCreated, RefundFailed, id_of,
};
use crate::bus::subject;

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
