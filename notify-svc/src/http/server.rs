use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use svc_kit::log_limit::LogLimit;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection;
use super::limits::Limits;
use crate::metrics::{Counted, HttpMetrics};

/// How long we wait after the kernel could not hand us a connection, most likely because file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a client reads that connects when we already serve as many as we can.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves connections until `stop` fires, then finishes the requests that were accepted.
pub(crate) async fn serve<H, F>(
    listener: TcpListener,
    limits: Limits,
    metrics: HttpMetrics,
    handle: H,
    stop: CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let handle = Arc::new(handle);
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let lines = LogLimit::new(Duration::from_secs(1), 1);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                metrics.accept_failed.inc();
                if let Some(swallowed) = lines.admit() {
                    tracing::warn!(swallowed, "a connection could not be accepted: {error}");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            metrics.connections_refused.inc();
            refuse(&socket);
            continue;
        };
        let open = Counted::in_gauge(&metrics.connections);
        let (handle, stop) = (Arc::clone(&handle), stop.clone());
        connections.spawn(async move {
            // An answer is one small write that nothing follows: waiting to fill a packet would only delay it.
            let _ = socket.set_nodelay(true);
            connection::run(socket, limits, handle, stop).await;
            // Whoever sees in the gauge that there is room finds room.
            drop(place);
            drop(open);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Says that we are full without waiting for the client; whether it reads that is its affair, and the provider comes again.
fn refuse(socket: &TcpStream) {
    let _ = socket.try_write(FULL);
}
