//! The one connection of a process to NATS.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use async_nats::connection::State;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr, jetstream};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::metrics::BusMetrics;
use super::server::{self, Monitor};
use crate::admin::Readiness;
use crate::metrics::Metrics;

/// How long a start waits for a server that cannot be reached.
const START_TIME: Duration = Duration::from_secs(30);

/// Between two attempts to connect at the start.
const PAUSE: Duration = Duration::from_millis(250);

/// How long one attempt to connect may take, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// The client pings after this silence, and gives a connection up when the third silent interval ends: two pings may be
/// unanswered, the third is one too many. So a half-open connection is noticed after 9 s; the client's default of 60 s would
/// leave us deaf for three minutes.
const PING_INTERVAL: Duration = Duration::from_secs(3);

/// Longest pause between two attempts to reconnect.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(2);

/// Commands that may wait for the socket. When the server is away and this many wait, callers wait (with their own
/// deadlines) instead of filling the memory.
const PENDING_COMMANDS: usize = 1024;

/// Messages that may wait for one subscription. A fetch asks for fewer, so this is never reached by us.
const PENDING_MESSAGES: usize = 4096;

/// How long a request to the server's API may take: creating streams, asking about consumers.
pub(super) const API_TIME: Duration = Duration::from_secs(5);

/// How long the last acks may take to leave when a process ends.
pub(super) const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Where the bus is.
#[derive(Clone, Debug, clap::Args)]
pub struct BusArgs {
    /// NATS server, `nats://[user:password@]host:port`; several of one cluster are separated by commas (the first one's
    /// user counts).
    #[arg(long, env, hide_env_values = true, default_value = "nats://127.0.0.1:42220")]
    pub nats_url: SecretString,

    /// Monitoring address of the server, `http://host:port`. When it is set, a server without `sync_interval: always` is
    /// refused, because it would lose acked messages in a power cut, and `bus_sync_always` tells what each later connection
    /// found; when it is not, that is not checked.
    #[arg(long, env)]
    pub nats_monitor_url: Option<Url>,

    /// Copies of each stream and durable that are created: 1 on a single server, 3 on a cluster.
    #[arg(long, env, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub nats_replicas: u8,
}

/// A connection to NATS that heals itself. Clones share it.
#[derive(Clone, Debug)]
pub struct Bus {
    pub(super) client: Client,
    pub(super) jetstream: jetstream::Context,
    pub(super) metrics: BusMetrics,
    pub(super) replicas: usize,
    pub(super) monitor: Option<Monitor>,
    link: Arc<watch::Sender<Link>>,
}

/// What the connection's events have told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Link {
    connected: bool,
    /// Counts connections, so that a consumer learns that the server has forgotten its request.
    generation: u64,
}

impl Bus {
    /// Whether the connection is up now. An up connection may still be half open, for at most 9 s.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Follows the connection: `true` while it is up.
    pub fn connected(&self) -> watch::Receiver<bool> {
        let (told, connected) = watch::channel(self.link.borrow().connected);
        let mut link = self.link.subscribe();
        tokio::spawn(async move {
            loop {
                told.send_replace(link.borrow_and_update().connected);
                tokio::select! {
                    changed = link.changed() => if changed.is_err() { break },
                    () = told.closed() => break,
                }
            }
        });
        connected
    }

    /// Adds a part `bus` to `readiness` that is ready while the connection is up, until `stop` fires.
    pub fn ready_when_connected(&self, readiness: &Readiness, stop: CancellationToken) {
        let part = readiness.part("bus");
        let mut link = self.link.subscribe();
        tokio::spawn(async move {
            loop {
                if link.borrow_and_update().connected {
                    part.ready();
                } else {
                    part.not_ready("not connected to NATS");
                }
                tokio::select! {
                    changed = link.changed() => if changed.is_err() { break },
                    () = stop.cancelled() => break,
                }
            }
        });
    }

    /// The client underneath, for what this module does not cover.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// JetStream of the same connection, for what this module does not cover.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// Waits until everything that was handed to the connection is on its way, at most 2 s: the last step of a process.
    pub async fn flush(&self) {
        let flushed = tokio::time::timeout(FLUSH_TIME, self.client.flush()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last acks did not leave in {FLUSH_TIME:?}; their messages will be delivered again");
        }
    }

    /// Sees a new value each time a connection was made.
    pub(super) fn generation(&self) -> Generation {
        let mut link = self.link.subscribe();
        let seen = link.borrow_and_update().generation;
        Generation { link, seen }
    }
}

/// Follows the count of connections.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    link: watch::Receiver<Link>,
    seen: u64,
}

impl Generation {
    /// Returns after a connection was made that was not seen before.
    pub(super) async fn renewed(&mut self) {
        let seen = self.seen;
        let renewed = self.link.wait_for(|link| link.generation != seen).await.map(|link| link.generation);
        match renewed {
            Ok(generation) => self.seen = generation,
            // Whoever waits holds a `Bus`, and that holds the sender.
            Err(_closed) => std::future::pending().await,
        }
    }
}

/// Connects to the server of `args` under the name of `process`, once it answers.
///
/// While it cannot be reached this waits with a message, at most 30 s. A refused login, a server older than 2.14, one
/// without JetStream, and (when the monitor's address is known) one without `sync_interval: always` are final at once.
/// Call it once per process: it registers metrics.
///
/// # Errors
/// One line that says what is wrong and names host and port, never the password.
pub async fn connect(args: &BusArgs, process: &str, metrics: &Metrics) -> anyhow::Result<Bus> {
    let servers = Servers::parse(&args.nats_url)?;
    let monitor = Monitor::new(args.nats_monitor_url.as_ref(), metrics);
    let metrics = BusMetrics::register(metrics);
    let link = Arc::new(watch::Sender::new(Link::default()));
    let deadline = Instant::now() + START_TIME;
    let client = reach(&servers, process, &metrics, &link, deadline).await?;
    server::check_version(&client.server_info(), &servers.place)?;
    if let Some(monitor) = &monitor {
        monitor.check_until(deadline).await?;
    }
    let mut jetstream = jetstream::new(client.clone());
    jetstream.set_timeout(API_TIME);
    Ok(Bus { client, jetstream, metrics, replicas: usize::from(args.nats_replicas), monitor, link })
}

async fn reach(
    servers: &Servers,
    process: &str,
    metrics: &BusMetrics,
    link: &Arc<watch::Sender<Link>>,
    deadline: Instant,
) -> anyhow::Result<Client> {
    let place = &servers.place;
    let mut waiting = false;
    loop {
        let options = servers.login(options(process, metrics, link));
        let error = match options.connect(&servers.addresses).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        let refused = matches!(
            error.kind(),
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication | ConnectErrorKind::ServerParse
        );
        if refused {
            return Err(anyhow!(error).context(format!("NATS at {place} refuses us")));
        }
        if deadline <= Instant::now() + PAUSE {
            let waited = START_TIME.as_secs();
            return Err(anyhow!(error).context(format!("cannot reach NATS at {place} (waited {waited} s)")));
        }
        if !waiting {
            tracing::info!("waiting for NATS at {place}: {error}");
            waiting = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn options(process: &str, metrics: &BusMetrics, link: &Arc<watch::Sender<Link>>) -> ConnectOptions {
    let metrics = metrics.clone();
    let link = Arc::clone(link);
    ConnectOptions::new()
        .name(process)
        .connection_timeout(CONNECT_TIME)
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(reconnect_pause)
        .client_capacity(PENDING_COMMANDS)
        .subscription_capacity(PENDING_MESSAGES)
        .request_timeout(Some(API_TIME))
        .event_callback(move |event| {
            heard(&event, &metrics, &link);
            std::future::ready(())
        })
}

/// Doubles from 50 ms and adds jitter, so that a restarted server is not met by everyone at once.
fn reconnect_pause(attempts: usize) -> Duration {
    let Some(again) = attempts.checked_sub(2) else { return Duration::ZERO };
    let doublings = u32::try_from(again).unwrap_or(u32::MAX).min(6);
    let pause = Duration::from_millis(50 << doublings).min(MAX_RECONNECT_PAUSE);
    let half = pause / 2;
    half + Duration::from_millis(fastrand::u64(0..=u64::try_from(half.as_millis()).unwrap_or(u64::MAX)))
}

fn heard(event: &Event, metrics: &BusMetrics, link: &watch::Sender<Link>) {
    match event {
        Event::Connected => {
            metrics.connected.set(1);
            metrics.connects.inc();
            link.send_modify(|link| {
                link.connected = true;
                link.generation += 1;
            });
        }
        Event::Disconnected | Event::Closed => {
            tracing::warn!("the connection to NATS is lost; reconnecting");
            metrics.connected.set(0);
            link.send_modify(|link| link.connected = false);
        }
        // A permission that is missing looks like an ack that never comes; its reason arrives only here.
        Event::ServerError(error) => tracing::error!("NATS says: {error}"),
        Event::SlowConsumer(id) => tracing::error!("subscription {id} is too slow and loses messages until redelivery"),
        Event::LameDuckMode | Event::Draining => tracing::info!("NATS says: {event}"),
        Event::ClientError(error) => tracing::debug!("NATS client: {error}"),
    }
}

/// Addresses without logins, so that no log line of the client can hold a password.
struct Servers {
    addresses: Vec<ServerAddr>,
    user: String,
    password: Option<SecretString>,
    /// `host:port,host:port`.
    place: String,
}

impl Servers {
    fn parse(urls: &SecretString) -> anyhow::Result<Self> {
        let mut servers = Self { addresses: Vec::new(), user: String::new(), password: None, place: String::new() };
        for text in urls.expose_secret().split(',').map(str::trim) {
            // The parsers' own texts can hold parts of the URL, so they are not passed on.
            let wrong = || anyhow!("the NATS URL is not one, such as nats://user:password@host:4222");
            let mut url: Url = text.parse().map_err(|_| wrong())?;
            if servers.addresses.is_empty() {
                servers.user = decoded(url.username())?;
                servers.password = url.password().map(decoded).transpose()?.map(SecretString::from);
            }
            // Both fail only for a URL without a host, which is refused below.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            let address = ServerAddr::from_url(url).map_err(|_| wrong())?;
            if address.host().is_empty() {
                bail!(wrong());
            }
            let comma = if servers.place.is_empty() { "" } else { "," };
            for part in [comma, address.host(), ":", &address.port().to_string()] {
                servers.place.push_str(part);
            }
            servers.addresses.push(address);
        }
        Ok(servers)
    }

    /// `nats://user:password@…` is a user, `nats://token@…` is a token, as everywhere in NATS.
    fn login(&self, options: ConnectOptions) -> ConnectOptions {
        match &self.password {
            Some(password) => options.user_and_password(self.user.clone(), password.expose_secret().to_owned()),
            None if self.user.is_empty() => options,
            None => options.token(self.user.clone()),
        }
    }
}

fn decoded(text: &str) -> anyhow::Result<String> {
    let decoded = percent_decode_str(text).decode_utf8().context("the login in the NATS URL is not UTF-8")?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_out_of_the_url() {
        let servers = Servers::parse(&"nats://order-svc:p%40ss@bus-0:4222, nats://bus-1".to_owned().into());
        let servers = servers.expect("these are two servers");
        assert_eq!(servers.place, "bus-0:4222,bus-1:4222");
        assert_eq!(servers.user, "order-svc");
        assert_eq!(servers.password.expect("a password").expose_secret(), "p@ss");
        assert!(servers.addresses.iter().all(|address| !address.has_user_pass()));
    }

    #[test]
    fn a_wrong_url_is_refused_without_showing_its_password() {
        for wrong in ["", "http://u:secret@host", "nats://u:secret@", "secret", "nats://a:1,,"] {
            let Err(error) = Servers::parse(&wrong.to_owned().into()) else { panic!("{wrong} is refused") };
            assert!(!format!("{error:#}").contains("secret"), "{error:#}");
        }
    }

    #[test]
    fn reconnects_begin_at_once_and_never_pause_longer_than_the_limit() {
        assert_eq!(reconnect_pause(1), Duration::ZERO);
        assert!((2..200).map(reconnect_pause).all(|pause| !pause.is_zero() && pause <= MAX_RECONNECT_PAUSE));
        assert!(reconnect_pause(usize::MAX) <= MAX_RECONNECT_PAUSE);
    }
}
