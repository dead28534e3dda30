//! Settings, start and stop.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use merchants::Merchants;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{accept, callbacks, console, page, platform::Platform, tls, wire};

/// How long requests and callbacks under way may take to end after the stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Everything the sandbox can be told; `sandbox --help` prints it.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "sandbox", about = "Plays WeChat Pay v2 and its login host, with a control API and a page at /")]
pub struct Settings {
    /// Where everything is served but refunds: the wire, the control API and the page. Port 0 takes a free one.
    #[arg(long = "listen", env = "SANDBOX_LISTEN", default_value = "0.0.0.0:9900")]
    pub listen: SocketAddr,
    /// Where the same is served over TLS, refunds included. Port 0 takes a free one.
    #[arg(long = "tls-listen", env = "SANDBOX_TLS_LISTEN", default_value = "0.0.0.0:9943")]
    pub tls_listen: SocketAddr,
    /// Directory of `server.pem`, `server.key` and `ca.pem`: who the sandbox is, and who issues merchants' client
    /// certificates. Without it nothing is served over TLS, and nothing can be refunded.
    #[arg(long = "tls-dir", env = "SANDBOX_TLS_DIR")]
    pub tls_dir: Option<PathBuf>,
    /// Directory of the merchant files, the same that the services read.
    #[arg(long, env = "MERCHANTS_DIR")]
    pub merchants_dir: PathBuf,
    /// Replaces scheme, host and port of every order's `notify_url`, so that callbacks reach a local notify-svc.
    #[arg(long, env = "NOTIFY_URL")]
    pub notify_url: Option<Url>,
    /// How long WeChat waits for the answer to a callback, in milliseconds. The real one waits 5 s.
    #[arg(long, env = "SANDBOX_CALLBACK_TIMEOUT_MS", default_value_t = 5_000)]
    pub callback_timeout_ms: u64,
}

/// WeChat's side of the wire.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Loads the merchants, binds the ports and starts to serve.
    ///
    /// # Errors
    /// When the merchants or the certificates cannot be loaded, a port cannot be bound, or the notify URL cannot carry
    /// callbacks.
    pub async fn start(settings: Settings) -> anyhow::Result<Running> {
        let merchants = Merchants::load(&settings.merchants_dir)?;
        let platform = Arc::new(Platform::new(merchants.clone(), &settings)?);
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}; set SANDBOX_LISTEN to a free address", settings.listen))?;
        let addr = listener.local_addr().context("the listener has no address")?;
        let secure = match &settings.tls_dir {
            Some(dir) => Some(Secure::bind(dir, settings.tls_listen).await?),
            None => None,
        };
        let tls_addr = secure.as_ref().map(|secure| secure.addr);
        let router = wire::routes().merge(console::routes()).merge(page::routes()).with_state(Arc::clone(&platform));
        let (stop, tasks) = (platform.stop.clone(), TaskTracker::new());
        tasks.spawn(callbacks::run(Arc::clone(&platform), tasks.clone()));
        if let Some(Secure { listener, acceptor, .. }) = secure {
            tasks.spawn(accept::serve(listener, Some(acceptor), router.clone(), stop.clone(), tasks.clone()));
        }
        tasks.spawn(accept::serve(listener, None, router, stop.clone(), tasks.clone()));
        let watched = stop.clone();
        tasks.spawn(async move { merchants.watch(watched).await });
        tasks.close();
        tracing::info!("http listening on {addr}");
        if let Some(tls_addr) = tls_addr {
            tracing::info!("https listening on {tls_addr}");
        } else {
            tracing::info!("no https and no refunds: SANDBOX_TLS_DIR is not set");
        }
        Ok(Running { addr, tls_addr, stop, tasks })
    }
}

/// The second listener.
struct Secure {
    listener: TcpListener,
    addr: SocketAddr,
    acceptor: TlsAcceptor,
}

impl Secure {
    async fn bind(dir: &Path, listen: SocketAddr) -> anyhow::Result<Secure> {
        let acceptor = tls::acceptor(dir)?;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; set SANDBOX_TLS_LISTEN to a free address"))?;
        let addr = listener.local_addr().context("the listener has no address")?;
        Ok(Secure { listener, addr, acceptor })
    }
}

/// A sandbox at work. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, with the real port.
    pub addr: SocketAddr,
    /// Where it listens for TLS, when it was told its certificates.
    pub tls_addr: Option<SocketAddr>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Stops accepting, lets what is under way end, and returns.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("requests or callbacks were cut off after {} s", DRAIN.as_secs());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
