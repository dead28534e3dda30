//! Serving: our services beside health and reflection, and the drain.

use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::admission::{Admission, Limits};
use crate::admin::Readiness;
use crate::metrics::Metrics;

/// Requests of one connection at a time; the process's own limit is [`Limits::requests_in_flight`].
const MAX_STREAMS_PER_CONNECTION: u32 = 1024;

/// Metadata of one request. HTTP/2's usual limit, written down.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// A peer that is silent for this long is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// A peer that does not answer in this time is gone, so a half-open connection costs at most the sum of the two.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

const HEALTH: &str = "grpc.health.v1.Health";

/// What a process serves.
#[derive(Debug)]
pub struct Api {
    /// The services, made with `Routes::new(server).add_service(other)`.
    pub routes: Routes,
    /// Their full names, such as `tongbao.order.v1.OrderService` (the generated `SERVICE_NAME`): each has a health status
    /// and is listed by reflection.
    pub services: &'static [&'static str],
    /// The encoded descriptors for reflection: `proto::FILE_DESCRIPTOR_SET`.
    pub descriptors: &'static [u8],
    /// Health is SERVING while everything is ready.
    pub readiness: Readiness,
    /// Gets `grpc_request_duration_seconds` and `grpc_requests_in_flight`.
    pub metrics: Metrics,
    /// How much is taken at once, and how long one request may take.
    pub limits: Limits,
}

/// Serves `api` on `listener` until `stop` fires, then finishes the requests that were accepted.
///
/// A server stream of ours must end by itself soon after `stop`; streams of health and reflection are cut.
///
/// # Errors
/// When the descriptors are broken or the server fails.
pub async fn serve(listener: TcpListener, api: Api, stop: CancellationToken) -> anyhow::Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    report(&reporter, api.services, api.readiness.is_ready()).await;

    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api.descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name(HEALTH);
        api.services.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    let v1 = reflection().build_v1().context("reflection cannot read the descriptors")?;
    let v1alpha = reflection().build_v1alpha().context("reflection cannot read the descriptors")?;

    let routes = api.routes.add_service(health).add_service(v1).add_service(v1alpha);
    let admission = Admission::new(&api.limits, &api.metrics, stop.clone());
    let routes = Routes::from(admission.guard(routes.into_axum_router())).prepare();

    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE_INTERVAL));
    let server = Server::builder()
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned());

    let mut changes = pin!(api.readiness.changes());
    let mut server = pin!(server);
    loop {
        tokio::select! {
            end = &mut server => return end.context("the gRPC server failed"),
            Some(ready) = changes.next() => report(&reporter, api.services, ready).await,
        }
    }
}

/// Sets the health of the whole server (its name is empty) and of each service.
async fn report(reporter: &HealthReporter, services: &[&str], ready: bool) {
    let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in std::iter::once(&"").chain(services) {
        reporter.set_service_status(name, status).await;
    }
}
