use std::path::PathBuf;

use proto::order::v1::{ListOrdersRequest, order_service_client::OrderServiceClient};
use secrecy::SecretString;
use svc_kit::grpc;
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};
use uuid::Uuid;

use crate::token::Token;

/// Where order-svc is, and who calls.
#[derive(Debug, clap::Args)]
pub(super) struct ConnectionArgs {
    /// order-svc, `http://host:port`.
    #[arg(long, env, global = true, default_value = "http://127.0.0.1:50051")]
    order_url: String,
    /// The team's bearer token. `--token-file` keeps it out of the list of processes.
    #[arg(long, env = "ORDER_TOKEN", hide_env_values = true, global = true)]
    token: Option<SecretString>,
    /// A file that holds the team's bearer token and nothing else.
    #[arg(long, env = "ORDER_TOKEN_FILE", global = true, conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

/// The API as a team sees it.
pub(super) struct Connection {
    pub(super) orders: OrderServiceClient<InterceptedService<Channel, Token>>,
}

impl ConnectionArgs {
    /// Connects at the first call.
    pub(super) fn open(&self) -> anyhow::Result<Connection> {
        let token = Token::read(
            self.token.as_ref(),
            self.token_file.as_ref(),
            "no token: set --token-file, or ORDER_TOKEN in the environment, to the team's bearer token",
        )?;
        let channel = grpc::channel(&self.order_url)?;
        Ok(Connection { orders: OrderServiceClient::with_interceptor(channel, token) })
    }
}

impl Connection {
    /// The resource name of an order that somebody named in any of its ways.
    pub(super) async fn order_name(&mut self, named: &str) -> anyhow::Result<String> {
        if named.starts_with("orders/") {
            return Ok(named.to_owned());
        }
        if let Ok(id) = named.parse::<Uuid>() {
            return Ok(format!("orders/{id}"));
        }
        let request = ListOrdersRequest { order_no: named.to_owned(), page_size: 1, ..ListOrdersRequest::default() };
        let found = self.orders.list_orders(request).await?.into_inner().orders;
        // Said as order-svc says it of a name that it does not know, so that it is an answer and no mistake of the command.
        let nobody = || Status::not_found(format!("the team has no order with the number {named:?}"));
        Ok(found.into_iter().next().ok_or_else(nobody)?.name)
    }
}
