use proto::order::v1::{self, PayOrderRequest, PayOrderResponse, mini_program::Payer, pay_order_request::Method};
use tonic::Status;
use uuid::Uuid;

use super::{Cashier, Order, Orders, team::patient};

/// A cashier that is about to be opened.
#[derive(Clone, Debug)]
#[must_use = "a cashier is opened when this is awaited"]
pub struct Paying {
    order: Order,
    request: PayOrderRequest,
}

impl Paying {
    pub(super) fn mini_program(order: Order, payer: Payer) -> Self {
        // The merchants of development have one mini program each, so nobody needs to name it.
        let method = v1::MiniProgram { app_id: String::new(), payer: Some(payer) };
        Self::by(order, Method::MiniProgram(method))
    }

    pub(super) fn by(order: Order, method: Method) -> Self {
        let request = PayOrderRequest {
            request_id: Uuid::new_v4().to_string(),
            name: order.name().to_owned(),
            payer_ip: "203.0.113.7".to_owned(),
            method: Some(method),
        };
        Self { order, request }
    }

    /// With this request id.
    pub fn request_id(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.request.request_id);
        self
    }

    /// The request as it would be sent.
    pub fn request(&self) -> PayOrderRequest {
        self.request.clone()
    }

    /// Calls once.
    ///
    /// # Errors
    /// The status, as the team sees it.
    pub async fn attempt(&self) -> Result<PayOrderResponse, Status> {
        Ok(self.order.team().orders().pay_order(self.request()).await?.into_inner())
    }
}

impl IntoFuture for Paying {
    type Output = Cashier;
    type IntoFuture = futures::future::BoxFuture<'static, Cashier>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let pay = |mut orders: Orders, request| async move { orders.pay_order(request).await };
            let opened = patient("PayOrder", self.order.team().clone(), self.request, pay)
                .await
                .unwrap_or_else(|status| panic!("PayOrder: {status:?}"));
            Cashier::new(self.order, opened)
        })
    }
}
