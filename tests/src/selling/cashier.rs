use proto::order::v1::{JsapiInvocation, NativeInvocation, PayOrderResponse, Payment, pay_order_response::Invocation};

use super::Order;
use crate::sandbox_client::{Callback, Paid, Pay};

/// An open cashier: WeChat waits for the user.
#[derive(Clone, Debug)]
pub struct Cashier {
    order: Order,
    opened: PayOrderResponse,
}

impl Cashier {
    pub(super) fn new(order: Order, opened: PayOrderResponse) -> Self {
        Self { order, opened }
    }

    /// What it is for.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Everything that `PayOrder` answered.
    pub fn opened(&self) -> &PayOrderResponse {
        &self.opened
    }

    /// The attempt.
    ///
    /// # Panics
    /// When the answer did not have it.
    pub fn payment(&self) -> &Payment {
        self.opened.payment.as_ref().expect("PayOrder answers with the attempt")
    }

    /// The number by which WeChat knows the attempt.
    pub fn out_trade_no(&self) -> &str {
        &self.payment().out_trade_no
    }

    /// What the front end hands to WeChat.
    ///
    /// # Panics
    /// When the answer did not have it.
    pub fn invocation(&self) -> &JsapiInvocation {
        match &self.opened.invocation {
            Some(Invocation::Jsapi(invocation)) => invocation,
            other => panic!("PayOrder answers with what opens the cashier inside WeChat: {other:?}"),
        }
    }

    /// The QR code.
    ///
    /// # Panics
    /// When the answer did not have it.
    pub fn qr(&self) -> &NativeInvocation {
        match &self.opened.invocation {
            Some(Invocation::Native(invocation)) => invocation,
            other => panic!("PayOrder answers with a QR code: {other:?}"),
        }
    }

    /// The user pays.
    ///
    /// # Panics
    /// When WeChat does not let them.
    pub async fn pay(&self) -> Paid {
        self.order.team().sandbox().pay(self.out_trade_no()).await
    }

    /// The user pays in an unusual way.
    ///
    /// # Panics
    /// When WeChat does not let them.
    pub async fn pay_as(&self, pay: Pay) -> Paid {
        let paid = self.order.team().sandbox().pay_as(self.out_trade_no(), &pay).await;
        paid.unwrap_or_else(|refused| panic!("the user cannot pay: {refused:?}"))
    }

    /// Waits until WeChat has read success for the payment, after however many attempts.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn delivered(&self) -> Callback {
        self.order.team().sandbox().delivered(self.out_trade_no()).await
    }

    /// Waits until WeChat has tried at least so many times to tell about the payment, and the last attempt has ended.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn attempted(&self, times: usize) -> Callback {
        self.order.team().sandbox().attempted(self.out_trade_no(), times).await
    }
}
