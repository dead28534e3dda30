//! Accepts connections and serves them. Written out rather than left to axum, because a fault must be able to end a
//! connection without an answer, and because a call must know which certificate its connection showed.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::tls::ClientCertificate;

/// Connections at once; more wait in the listen queue.
const MAX_CONNECTIONS: usize = 2_048;

/// After a failed accept, which mostly means no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Longest handshake; a port scanner must not hold a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Marks a response that must not be sent: the connection ends instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

/// Marks a request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted;

/// A response that ends the connection without an answer.
pub(crate) fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

#[derive(Debug, thiserror::Error)]
#[error("a fault ends this connection")]
struct HungUp;

/// Serves until `stop`; connections under way end with their present answer. With `tls`, every connection begins with
/// its handshake.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => return,
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("nobody closes this semaphore"),
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                drop(tasks.spawn(connection(stream, tls.clone(), router.clone(), stop.clone(), permit)));
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are small and each is waited for.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = tls else { return converse(stream, None, None, router, stop).await };
    let greeted = tokio::select! {
        () = stop.cancelled() => return,
        greeted = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => greeted,
    };
    match greeted {
        Ok(Ok(stream)) => {
            let certificate = shown(&stream);
            converse(stream, Some(Encrypted), certificate, router, stop).await;
        }
        // The client learns it from the alert; who looks for the reason finds it here.
        Ok(Err(error)) => tracing::info!(error = &error as &dyn std::error::Error, "a TLS handshake failed"),
        Err(_) => tracing::info!("a TLS handshake took longer than {} s", HANDSHAKE.as_secs()),
    }
}

/// The certificate that the client showed; the handshake has checked who issued it.
fn shown(stream: &TlsStream<TcpStream>) -> Option<ClientCertificate> {
    let chain = stream.get_ref().1.peer_certificates()?;
    Some(ClientCertificate::new(chain.first()?))
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    encrypted: Option<Encrypted>,
    certificate: Option<ClientCertificate>,
    router: Router,
    stop: CancellationToken,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let router = router.clone();
        if let Some(encrypted) = encrypted {
            request.extensions_mut().insert(encrypted);
        }
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        async move {
            let Ok(response) = router.oneshot(request.map(Body::new)).await;
            if response.extensions().get::<HangUp>().is_some() { Err(HungUp) } else { Ok(response) }
        }
    });
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A broken connection is the client's to notice, and a fault's is on purpose.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
