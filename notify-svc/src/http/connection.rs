use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::limits::{CLOSING_TIME, Limits, MAX_CONNECTION_AGE, MAX_HEAD_BYTES, MAX_HEADERS, MOST_CLOSING_TIME};

/// Serves one connection until the client closes it, breaks a limit, or `stop` fires and the request at hand is answered.
pub(super) async fn run<H, F>(socket: TcpStream, limits: Limits, handle: Arc<H>, stop: CancellationToken)
where
    H: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = Response<Full<Bytes>>> + Send,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        // An answer is short: put together it is sent in one piece, which costs the kernel less than two.
        .writev(false);
    let service = service_fn(|request| {
        let answer = handle(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(socket), service));
    tokio::select! {
        ended = connection.as_mut() => return said(ended),
        () = stop.cancelled() => {}
        () = sleep(MAX_CONNECTION_AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let closing_time = limits.header_time.max(limits.request_time).saturating_add(CLOSING_TIME).min(MOST_CLOSING_TIME);
    if let Ok(ended) = timeout(closing_time, connection).await {
        said(ended);
    }
}

/// How a connection ends is the client's business: port scans and lost connections are the normal life of a public port.
fn said(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}
