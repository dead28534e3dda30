//! Settings, start and stop.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use merchants::Merchants;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{accept, callbacks, console, page, platform::Platform, wire};

/// How long requests and callbacks under way may take to end after the stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Everything the sandbox can be told; `sandbox --help` prints it.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "sandbox", about = "Plays WeChat Pay v2 and its login host, with a control API and a page at /")]
pub struct Settings {
    /// Where everything is served: the wire, the control API and the page. Port 0 takes a free one.
    #[arg(long = "listen", env = "SANDBOX_LISTEN", default_value = "0.0.0.0:9900")]
    pub listen: SocketAddr,
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
    /// Loads the merchants, binds the port and starts to serve.
    ///
    /// # Errors
    /// When the merchants cannot be loaded, the port cannot be bound, or the notify URL cannot carry callbacks.
    pub async fn start(settings: Settings) -> anyhow::Result<Running> {
        let merchants = Merchants::load(&settings.merchants_dir)?;
        let platform = Arc::new(Platform::new(merchants.clone(), &settings)?);
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}; set SANDBOX_LISTEN to a free address", settings.listen))?;
        let addr = listener.local_addr().context("the listener has no address")?;
        let router = wire::routes().merge(console::routes()).merge(page::routes()).with_state(Arc::clone(&platform));
        let (stop, tasks) = (platform.stop.clone(), TaskTracker::new());
        tasks.spawn(callbacks::run(Arc::clone(&platform), tasks.clone()));
        tasks.spawn(accept::serve(listener, router, stop.clone(), tasks.clone()));
        let watched = stop.clone();
        tasks.spawn(async move { merchants.watch(watched).await });
        tasks.close();
        tracing::info!("http listening on {addr}");
        Ok(Running { addr, stop, tasks })
    }
}

/// A sandbox at work. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, with the real port.
    pub addr: SocketAddr,
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
