//! Calling other processes of ours.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::trace;

/// How long making a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// The longest that any call may wait for the beginning of its answer. Set a shorter one with `Request::set_timeout`.
/// When this one passes, tonic tells CANCELLED; it means the same as `DEADLINE_EXCEEDED`: the outcome is unknown.
pub const CALL_TIME: Duration = Duration::from_secs(30);

/// A silent connection is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// And is given up when it does not answer in this time.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A channel whose calls carry the current span's trace context.
pub type TracedChannel = InterceptedService<Channel, TraceInterceptor>;

/// A channel to `url`, such as `http://127.0.0.1:50052`. It connects at the first call and again whenever it must, so the
/// other process need not run yet.
///
/// # Errors
/// When `url` is not an `http://` address.
pub fn channel(url: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| format!("\"{url}\" is not a URL"))?;
    ensure!(
        endpoint.uri().scheme_str() == Some("http") && endpoint.uri().host().is_some(),
        "\"{url}\" is not an http:// address, such as http://127.0.0.1:50052"
    );
    Ok(endpoint
        .connect_timeout(CONNECT_TIME)
        .timeout(CALL_TIME)
        .tcp_nodelay(true)
        .tcp_keepalive(Some(KEEPALIVE_INTERVAL))
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_lazy())
}

/// [`channel`] with the current span's trace context on each call: `OrderServiceClient::new(traced(url)?)`.
///
/// # Errors
/// When `url` is not an `http://` address.
pub fn traced(url: &str) -> anyhow::Result<TracedChannel> {
    Ok(InterceptedService::new(channel(url)?, TraceInterceptor))
}

/// Puts `traceparent` into the metadata of each call.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceInterceptor;

impl Interceptor for TraceInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        trace::inject_metadata(request.metadata_mut());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_http_addresses_are_taken() {
        assert!(channel("http://127.0.0.1:50052").is_ok());
        for url in ["", "127.0.0.1:50052", "https://gateway", "nats://gateway", "http://"] {
            assert!(channel(url).is_err(), "{url:?} must be refused");
        }
    }
}
