//! The admin server: `/livez`, `/readyz`, `/metrics`. For the orchestrator and the SRE, never for the public.

mod readiness;

pub use readiness::{NotReady, Part, Readiness};

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::listen;
use crate::metrics::Metrics;
use crate::process::Tasks;

/// The media type that Prometheus and every other reader of `OpenMetrics` expect.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Binds `address` (port 0 allowed), serves until the drain is over, and answers the real address.
///
/// - `/livez` is 200 while the process can answer at all;
/// - `/readyz` is 200 when every part is ready, else 503 and the names of what is not, as JSON;
/// - `/metrics` is `OpenMetrics` text.
///
/// Start it first: it answers while the process still waits for its database, and during the drain.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(
    address: SocketAddr,
    readiness: Readiness,
    metrics: Metrics,
    tasks: &Tasks,
) -> anyhow::Result<SocketAddr> {
    let listener = listen::bind("admin", address).await?;
    let local = listener.local_addr().context("cannot read the address of the admin listener")?;
    let drained = tasks.drained();
    tasks.spawn_last("admin", async move { serve(listener, readiness, metrics, drained.cancelled_owned()).await });
    Ok(local)
}

async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    end: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(measured).with_state(metrics));
    // Dropped rather than drained at the end: a scraper that holds its connection open must not hold us.
    tokio::select! {
        served = axum::serve(listener, router) => served.context("the admin server failed"),
        () = end => Ok(()),
    }
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    /// What is not ready, and why.
    not_ready: Vec<NotReady>,
}

async fn ready(State(readiness): State<Readiness>) -> Response {
    let not_ready = readiness.not_ready();
    let ready = not_ready.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, not_ready })).into_response()
}

async fn measured(State(metrics): State<Metrics>) -> Response {
    ([(header::CONTENT_TYPE, OPENMETRICS)], metrics.encode()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(address: SocketAddr, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_mins(1));
        let client = client.build().expect("a client");
        let response = client.get(format!("http://{address}{path}")).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    #[tokio::test]
    async fn the_admin_server_tells_life_readiness_and_metrics() {
        let tasks = Tasks::new();
        let (readiness, metrics) = (Readiness::new(), Metrics::new());
        let postgres = readiness.part("postgres");
        let nats = readiness.part("nats");
        metrics.counter("orders_created", "Orders created").inc();
        let address = ([127, 0, 0, 1], 0).into();
        let address = start(address, readiness, metrics, &tasks).await.expect("a free port");

        assert_eq!(get(address, "/livez").await, (200, "alive\n".to_owned()));
        nats.ready();
        let (status, body) = get(address, "/readyz").await;
        assert_eq!(
            (status, body.as_str()),
            (503, r#"{"ready":false,"not_ready":[{"part":"postgres","reason":"starting"}]}"#)
        );
        postgres.ready();
        assert_eq!(get(address, "/readyz").await, (200, r#"{"ready":true,"not_ready":[]}"#.to_owned()));
        let (status, body) = get(address, "/metrics").await;
        assert_eq!(status, 200);
        assert!(body.contains("orders_created_total 1\n") && body.ends_with("# EOF\n"), "{body}");
        assert_eq!(get(address, "/nothing").await.0, 404);

        tasks.stop().cancel();
        tasks.run().await.expect("the admin server ends with the drain");
    }
}
