//! The second order-svc: like the first, at other ports.

use std::{process::Command, time::Duration};

use e2e::{
    World, eventually,
    ports::Port,
    process::{Process, Signal},
    programs,
};
use proto::order::v1::order_service_client::OrderServiceClient;
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// A second order-svc that runs. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Second {
    process: Process,
    grpc: Port,
    admin: Port,
}

impl Second {
    /// Starts it on the world's database, and returns when it is ready.
    pub(super) async fn start(world: &World) -> Self {
        let (grpc, admin) = (Port::reserve(), Port::reserve());
        let mut command = Command::new(programs::ours("order-svc"));
        command.env_clear().envs(super::settings(world));
        command.env("LISTEN", grpc.address()).env("ADMIN_LISTEN", admin.address());
        let log = world.folder().join("order-svc-2.log");
        let mut process = Process::start("order-svc-2", command, &log, Signal::Kill);
        let ready = format!("{}/readyz", admin.url());
        eventually("the second order-svc is ready", async || {
            assert!(process.runs(), "the second order-svc ended");
            client().get(&ready).send().await.and_then(reqwest::Response::error_for_status).map(drop)
        })
        .await;
        Self { process, grpc, admin }
    }

    /// A client of it, of the team that stories are about.
    pub(super) fn orders(&self) -> OrderServiceClient<InterceptedService<Channel, Shop>> {
        let channel = svc_kit::grpc::channel(&self.grpc.url()).expect("our own URL is well formed");
        OrderServiceClient::with_interceptor(channel, Shop)
    }

    /// Its admin pages.
    pub(super) fn admin_url(&self) -> String {
        self.admin.url()
    }

    /// Stops it, and sees that it ends well.
    pub(super) fn end(mut self) {
        let status = self.process.end(Signal::Terminate);
        assert!(status.success(), "the second order-svc ended with {status}");
    }
}

/// Carries the team's token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shop;

impl Interceptor for Shop {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let token = "Bearer shop-development-token".parse().expect("it is printable");
        request.metadata_mut().insert("authorization", token);
        Ok(request)
    }
}

/// One series of a process's metrics; 0 when it is not there yet.
pub(super) async fn metric(admin_url: &str, series: &str) -> i64 {
    let answer = client().get(format!("{admin_url}/metrics")).send().await.expect("metrics are served");
    let text = answer.text().await.expect("the answer is whole");
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().expect("it counts"))
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(10));
    client.build().expect("a client without certificates")
}
