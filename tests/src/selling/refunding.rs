use proto::order::v1::{self, CreateRefundRequest, RefundGoodsItem};
use tonic::Status;
use uuid::Uuid;

use super::{Order, Orders, Refund, team::patient};

/// A refund that is about to be asked for.
#[derive(Clone, Debug)]
#[must_use = "a refund is asked for when this is awaited"]
pub struct Refunding {
    order: Order,
    request: CreateRefundRequest,
}

impl Refunding {
    pub(super) fn new(order: Order, amount_fen: i64) -> Self {
        let request = CreateRefundRequest {
            request_id: Uuid::new_v4().to_string(),
            order: order.name().to_owned(),
            amount_fen,
            reason: "茶凉了 the tea was cold".to_owned(),
            payment: String::new(),
            goods: vec![],
        };
        Self { order, request }
    }

    /// Of these things.
    pub fn goods(mut self, goods: Vec<RefundGoodsItem>) -> Self {
        self.request.goods = goods;
        self
    }

    /// With this request id.
    pub fn request_id(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.request.request_id);
        self
    }

    /// With this text for the payer.
    pub fn reason(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.request.reason);
        self
    }

    /// Of this payment, by its name, instead of the one that paid the order.
    pub fn of_payment(mut self, payment: &str) -> Self {
        payment.clone_into(&mut self.request.payment);
        self
    }

    /// The request as it would be sent.
    pub fn request(&self) -> CreateRefundRequest {
        self.request.clone()
    }

    /// Calls once.
    ///
    /// # Errors
    /// The status, as the team sees it.
    pub async fn attempt(&self) -> Result<v1::Refund, Status> {
        Ok(self.order.team().orders().create_refund(self.request()).await?.into_inner())
    }
}

impl IntoFuture for Refunding {
    type Output = Refund;
    type IntoFuture = futures::future::BoxFuture<'static, Refund>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let create = |mut orders: Orders, request| async move { orders.create_refund(request).await };
            let written = patient("CreateRefund", self.order.team().clone(), self.request, create)
                .await
                .unwrap_or_else(|status| panic!("CreateRefund: {status:?}"));
            Refund::new(self.order, written)
        })
    }
}
