//! Sending spans to a collector: OTLP over HTTP with protobuf.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use url::Url;

use crate::log_limit::LogLimit;

/// How long one batch may take.
const SEND_TIME: Duration = Duration::from_secs(10);

/// How long the last batch may hold up the end of the process.
pub(super) const FLUSH_TIME: Duration = Duration::from_secs(5);

/// Log lines kept with one span; a span with more is a loop, and the log has them all.
const MAX_EVENTS_PER_SPAN: u32 = 32;

/// Where a collector takes traces, as OTLP fixes it.
const TRACES_PATH: &str = "v1/traces";

/// Samples what the caller sampled, and everything that begins here; sends batches to `endpoint`.
pub(super) fn provider(service_name: &'static str, endpoint: &Url) -> anyhow::Result<SdkTracerProvider> {
    ensure!(
        matches!(endpoint.scheme(), "http" | "https"),
        "OTLP_ENDPOINT must begin with http:// or https://, not {}://",
        endpoint.scheme()
    );
    let client = reqwest::Client::builder()
        .timeout(SEND_TIME)
        .redirect(reqwest::redirect::Policy::none())
        // The collector stands beside us; a proxy meant for the world outside would not know it.
        .no_proxy()
        .build()
        .context("cannot make the HTTP client for OTLP")?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces_url(endpoint))
        .with_timeout(SEND_TIME)
        .build()
        .context("cannot export to OTLP_ENDPOINT")?;
    let exporter = OnRuntime {
        exporter: Arc::new(exporter),
        runtime: Handle::current(),
        failures: Arc::new(LogLimit::new(Duration::from_mins(1), 1)),
    };
    Ok(SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(service_name).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_max_events_per_span(MAX_EVENTS_PER_SPAN)
        .with_batch_exporter(exporter)
        .build())
}

/// `http://collector:4318` becomes `http://collector:4318/v1/traces`; a full address stays as it is.
fn traces_url(endpoint: &Url) -> String {
    let base = endpoint.as_str().trim_end_matches('/');
    if base.ends_with(TRACES_PATH) { base.to_owned() } else { format!("{base}/{TRACES_PATH}") }
}

/// Sends on our runtime: batches are made on a plain thread of the SDK, where the HTTP client has no reactor.
#[derive(Debug)]
struct OnRuntime {
    exporter: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: Handle,
    failures: Arc<LogLimit>,
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sent = self.runtime.spawn(async move { exporter.export(batch).await }).await;
        let sent = sent.unwrap_or_else(|_| Err(OTelSdkError::InternalFailure("the runtime has ended".to_owned())));
        if let Err(error) = &sent
            && let Some(swallowed) = self.failures.admit()
        {
            tracing::warn!(swallowed, "traces were not sent: {error}");
        }
        sent
    }

    fn set_resource(&mut self, resource: &Resource) {
        // The SDK does this once, before anything is sent, while the exporter has one owner.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn the_traces_path_is_added_once() {
        for given in ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"] {
            let url = traces_url(&given.parse().expect("a URL"));
            assert_eq!(url, "http://collector:4318/v1/traces");
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_http_is_refused() {
        let error = provider("order-svc", &"nats://bus".parse().expect("a URL")).expect_err("not HTTP");
        assert_eq!(error.to_string(), "OTLP_ENDPOINT must begin with http:// or https://, not nats://");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_span_reaches_the_collector_with_our_name() {
        let (received, mut bodies) = mpsc::channel::<bytes::Bytes>(8);
        let collect = move |body: bytes::Bytes| async move {
            let _ = received.send(body).await;
        };
        let app = axum::Router::new().route("/v1/traces", axum::routing::post(collect));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move { axum::serve(listener, app).await });

        let provider = provider("order-svc", &endpoint.parse().expect("a URL")).expect("a provider");
        drop(provider.tracer("test").start("a span of ours"));
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(Duration::from_mins(1)));
        flushed.await.expect("no panic").expect("the collector took it");
        let body = bodies.recv().await.expect("one batch");
        for text in ["order-svc", "a span of ours"] {
            assert!(body.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is in the batch");
        }
        server.abort();
    }
}
