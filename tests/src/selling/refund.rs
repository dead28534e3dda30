use proto::order::v1::{self, GetRefundRequest, refund};

use super::{Order, Orders, team::patient};
use crate::eventually;

/// A refund that a team looks at.
#[derive(Clone, Debug)]
pub struct Refund {
    order: Order,
    written: v1::Refund,
}

impl Refund {
    pub(super) fn new(order: Order, written: v1::Refund) -> Self {
        Self { order, written }
    }

    /// `orders/{uuid}/refunds/{uuid}`.
    pub fn name(&self) -> &str {
        &self.written.name
    }

    /// The UUID in the name, as event ids have it.
    pub fn id(&self) -> &str {
        self.name().rsplit('/').next().unwrap_or_default()
    }

    /// The number by which WeChat knows it.
    pub fn out_refund_no(&self) -> &str {
        &self.written.out_refund_no
    }

    /// Whose money it is.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// As it was when it was first seen.
    pub fn written(&self) -> &v1::Refund {
        &self.written
    }

    /// As it is now.
    ///
    /// # Panics
    /// When the read is refused.
    pub async fn now(&self) -> v1::Refund {
        self.read(false).await
    }

    /// As it is after WeChat was asked. A refund is asked about at most once per second of the sandbox's clock.
    ///
    /// # Panics
    /// When the read is refused.
    pub async fn refreshed(&self) -> v1::Refund {
        self.read(true).await
    }

    /// Waits until it is in this state.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn becomes(&self, state: refund::State) -> v1::Refund {
        self.comes_to(state.as_str_name(), false, |refund| refund.state() == state).await
    }

    /// Asks with refresh until it is in this state.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn becomes_when_asked(&self, state: refund::State) -> v1::Refund {
        self.comes_to(state.as_str_name(), true, |refund| refund.state() == state).await
    }

    /// Waits until it is CREATED and waits for this.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn waits_for(&self, waiting: refund::Waiting) -> v1::Refund {
        let waits = |refund: &v1::Refund| refund.state() == refund::State::Created && refund.waiting() == waiting;
        self.comes_to(waiting.as_str_name(), false, waits).await
    }

    async fn comes_to(&self, what: &str, refresh: bool, there: impl Fn(&v1::Refund) -> bool) -> v1::Refund {
        eventually(&format!("{} comes to {what}", self.name()), || {
            let (mut orders, request, there) = (self.order.team().orders(), self.get(refresh), &there);
            async move {
                let refund = orders.get_refund(request).await.map_err(|status| format!("{status:?}"))?.into_inner();
                let seen = format!("{} {}", refund.state().as_str_name(), refund.waiting().as_str_name());
                if there(&refund) { Ok(refund) } else { Err(seen) }
            }
        })
        .await
    }

    async fn read(&self, refresh: bool) -> v1::Refund {
        let get = |mut orders: Orders, request| async move { orders.get_refund(request).await };
        let read = patient("GetRefund", self.order.team().clone(), self.get(refresh), get).await;
        read.unwrap_or_else(|status| panic!("GetRefund: {status:?}"))
    }

    fn get(&self, refresh: bool) -> GetRefundRequest {
        GetRefundRequest { name: self.name().to_owned(), refresh }
    }
}
