//! What teams do: `CreateOrder` and `PayOrder`, many callers on a few connections.

use std::{
    io::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use clap::Args;
use e2e::{
    load::Outcome,
    selling::{OTHER_MERCHANT, Orders},
};
use proto::order::v1::{
    CreateOrderRequest, MiniProgram, PayOrderRequest, mini_program::Payer, order_service_client::OrderServiceClient,
    pay_order_request::Method,
};
use svc_kit::grpc;
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

use crate::{
    Pace,
    arrivals::{Answer, Arrivals, Seen, collect},
};

#[derive(Debug, Args)]
struct Calling {
    /// order-svc.
    #[arg(long)]
    url: String,
    /// The team's token.
    #[arg(long)]
    token: String,
    /// HTTP/2 connections.
    #[arg(long, default_value_t = 4)]
    connections: u16,
    /// Callers on each of them; each calls again when it was answered.
    #[arg(long, default_value_t = 8)]
    callers: u16,
    #[command(flatten)]
    pace: Pace,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    calling: Calling,
    /// Where the names of the orders go, a line each.
    #[arg(long)]
    names: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Pay {
    #[command(flatten)]
    calling: Calling,
    /// The orders, a name on each line.
    #[arg(long)]
    names: PathBuf,
}

impl Calling {
    fn clients(&self) -> anyhow::Result<Vec<Orders>> {
        let mut clients = Vec::new();
        for _ in 0..self.connections {
            let token = e2e::selling::Token::new(&self.token);
            let client = OrderServiceClient::with_interceptor(grpc::channel(&self.url)?, token);
            clients.extend(std::iter::repeat_n(client, self.callers.into()));
        }
        Ok(clients)
    }

    async fn each<F>(
        &self,
        count: u64,
        call: impl Fn(Orders, u64) -> F + Clone + Send + 'static,
    ) -> anyhow::Result<Outcome>
    where
        F: Future<Output = Result<(), Status>> + Send,
    {
        let clients = self.clients()?;
        let arrivals = Arrivals::begin(self.pace, count);
        let mut workers = JoinSet::new();
        for client in clients {
            let (arrivals, call) = (arrivals.clone(), call.clone());
            workers.spawn(async move {
                let mut seen = Seen::default();
                while let Some(arrival) = arrivals.next().await {
                    let answer = match call(client.clone(), arrival.number).await {
                        Ok(()) => Answer::Good,
                        Err(status) => Answer::Refused(format!("{status}")),
                    };
                    seen.note(arrival, answer);
                }
                Ok(seen)
            });
        }
        collect(workers, &arrivals).await
    }
}

impl Create {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let names = Arc::new(Mutex::new(Vec::new()));
        let run = Uuid::new_v4().simple().to_string();
        let kept = Arc::clone(&names);
        let create = move |mut client: Orders, number| {
            let (names, order_no) = (Arc::clone(&kept), format!("{run}-{number}"));
            async move {
                let request = CreateOrderRequest {
                    request_id: Uuid::new_v4().to_string(),
                    order_no,
                    merchant: OTHER_MERCHANT.to_owned(),
                    amount_fen: 100,
                    description: "一壶茶 a pot of tea".to_owned(),
                    expire_time: None,
                    particulars: None,
                };
                let order = client.create_order(request).await?.into_inner();
                names.lock().unwrap_or_else(PoisonError::into_inner).push(order.name);
                Ok(())
            }
        };
        let outcome = self.calling.each(u64::from(u32::MAX), create).await?;
        if let Some(path) = &self.names {
            let mut file = std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let names = names.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(names.join("\n").as_bytes()).context("names are written")?;
        }
        Ok(outcome)
    }
}

impl Pay {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let names =
            std::fs::read_to_string(&self.names).with_context(|| format!("cannot read {}", self.names.display()))?;
        let names: Arc<Vec<String>> = Arc::new(names.lines().map(str::to_owned).collect());
        let count = u64::try_from(names.len()).context("fewer than all atoms")?;
        let pay = move |mut client: Orders, number: u64| {
            let name = usize::try_from(number).ok().and_then(|at| names.get(at).cloned()).unwrap_or_default();
            async move {
                let payer = Payer::Openid("o-of-a-payer-0000000000000001".to_owned());
                let method = MiniProgram { app_id: String::new(), payer: Some(payer) };
                let request = PayOrderRequest {
                    request_id: Uuid::new_v4().to_string(),
                    name,
                    payer_ip: "203.0.113.7".to_owned(),
                    method: Some(Method::MiniProgram(method)),
                };
                client.pay_order(request).await.map(drop)
            }
        };
        self.calling.each(count, pay).await
    }
}
