use std::error::Error as _;

use proto::order::v1::{ListOrdersRequest, ListOrdersResponse, order_service_client::OrderServiceClient};
use svc_kit::grpc;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

use super::{NewOrder, Order};
use crate::{eventually, sandbox_client::SandboxClient};

/// A raw client that carries a team's token.
pub type Orders = OrderServiceClient<InterceptedService<Channel, Token>>;

/// A team that sells something. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Team {
    orders: Orders,
    sandbox: SandboxClient,
}

/// A team's token, on its way with each call.
#[derive(Clone, Debug)]
pub struct Token(MetadataValue<Ascii>);

impl Token {
    /// The token of a team.
    ///
    /// # Panics
    /// When it is not printable.
    pub fn new(token: &str) -> Self {
        Self(format!("Bearer {token}").parse().expect("tokens are printable"))
    }
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Team {
    pub(crate) fn new(url: &str, token: &str, sandbox: SandboxClient) -> Self {
        let channel = grpc::channel(url).expect("our own URL is well formed");
        Self { orders: OrderServiceClient::with_interceptor(channel, Token::new(token)), sandbox }
    }

    /// The client underneath, for odd requests.
    pub fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// Creates an order. Await it, or change it first.
    pub fn create_order(&self, amount_fen: i64) -> NewOrder {
        NewOrder::new(self.clone(), amount_fen)
    }

    /// An order by its name, `orders/{uuid}`.
    pub fn order(&self, name: &str) -> Order {
        Order::new(self.clone(), name.to_owned())
    }

    /// One page of the team's orders.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn list(&self, request: ListOrdersRequest) -> ListOrdersResponse {
        let list = |mut orders: Orders, request| async move { orders.list_orders(request).await };
        patient("ListOrders", self.clone(), request, list)
            .await
            .unwrap_or_else(|status| panic!("ListOrders: {status:?}"))
    }

    pub(super) fn sandbox(&self) -> &SandboxClient {
        &self.sandbox
    }
}

/// Whether nothing can be said about a call but that the same one may be made again: UNAVAILABLE and ABORTED ask for that, and
/// whoever was cut off in its middle, or has waited long enough, knows nothing. tonic calls that UNKNOWN and CANCELLED; a word
/// of the other side has no error underneath.
pub(crate) fn is_undecided(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Aborted => true,
        Code::Unknown | Code::Cancelled => status.source().is_some(),
        _ => false,
    }
}

/// Calls until the answer is one: what is undecided is asked again, with the same request id.
///
/// Not an `AsyncFnMut`, whose futures the compiler does not yet believe to be `Send`: callers may be spawned.
pub(super) async fn patient<T, R: Clone, F>(
    what: &str,
    team: Team,
    request: R,
    call: impl Fn(Orders, R) -> F,
) -> Result<T, Status>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    eventually(what, move || {
        let called = call(team.orders(), request.clone());
        async move {
            match called.await {
                Ok(answer) => Ok(Ok(answer.into_inner())),
                Err(status) if is_undecided(&status) => Err(status),
                Err(status) => Ok(Err(status)),
            }
        }
    })
    .await
}
