use jiff::SignedDuration;
use proto::{
    order::v1::{self, CreateOrderRequest, Particulars},
    time::to_wire,
};
use tonic::Status;
use uuid::Uuid;

use super::{MERCHANT, Order, Orders, Team, team::patient};

/// An order that is about to be created.
#[derive(Clone, Debug)]
#[must_use = "an order is created when this is awaited"]
pub struct NewOrder {
    team: Team,
    request: CreateOrderRequest,
    expires_in: Option<SignedDuration>,
}

impl NewOrder {
    pub(super) fn new(team: Team, amount_fen: i64) -> Self {
        let request = CreateOrderRequest {
            request_id: Uuid::new_v4().to_string(),
            order_no: format!("N-{}", Uuid::new_v4().simple()),
            merchant: MERCHANT.to_owned(),
            amount_fen,
            description: "一壶茶 a pot of tea".to_owned(),
            expire_time: None,
            particulars: None,
        };
        Self { team, request, expires_in: None }
    }

    /// For another account.
    pub fn merchant(mut self, merchant: &str) -> Self {
        merchant.clone_into(&mut self.request.merchant);
        self
    }

    /// Telling WeChat this, too.
    pub fn particulars(mut self, particulars: Particulars) -> Self {
        self.request.particulars = Some(particulars);
        self
    }

    /// With this number of the team's.
    pub fn order_no(mut self, order_no: &str) -> Self {
        order_no.clone_into(&mut self.request.order_no);
        self
    }

    /// With this request id.
    pub fn request_id(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.request.request_id);
        self
    }

    /// With this text for the payer.
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.request.description);
        self
    }

    /// Payable for so many seconds of the sandbox's clock, counted from the call.
    pub fn expires_in_s(mut self, seconds: i64) -> Self {
        self.expires_in = Some(SignedDuration::from_secs(seconds));
        self
    }

    /// Exactly this request.
    pub fn like(mut self, request: CreateOrderRequest) -> Self {
        self.request = request;
        self.expires_in = None;
        self
    }

    /// The request as it would be sent.
    pub async fn request(mut self) -> CreateOrderRequest {
        if let Some(life) = self.expires_in {
            let now = self.team.sandbox().clock().await.now;
            self.request.expire_time = Some(to_wire(now + life));
        }
        self.request
    }

    /// Calls once.
    ///
    /// # Errors
    /// The status, as the team sees it.
    pub async fn attempt(self) -> Result<v1::Order, Status> {
        let mut orders = self.team.orders();
        Ok(orders.create_order(self.request().await).await?.into_inner())
    }
}

impl IntoFuture for NewOrder {
    type Output = Order;
    type IntoFuture = futures::future::BoxFuture<'static, Order>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let team = self.team.clone();
            let request = self.request().await;
            let create = |mut orders: Orders, request| async move { orders.create_order(request).await };
            let created = patient("CreateOrder", team.clone(), request, create).await;
            let created = created.unwrap_or_else(|status| panic!("CreateOrder: {status:?}"));
            team.order(&created.name)
        })
    }
}
