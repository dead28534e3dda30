//! Bodies over HTTP/1.1, one at a time on each connection.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, ensure};
use clap::Args;
use e2e::load::Outcome;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    Pace,
    arrivals::{Answer, Arrival, Arrivals, Seen, collect},
    told,
};

#[derive(Debug, Args)]
pub(crate) struct Post {
    /// Whom to call.
    #[arg(long)]
    address: SocketAddr,
    /// Under which path.
    #[arg(long)]
    path: String,
    /// A line for each arrival: a key, a tab, the body.
    #[arg(long)]
    bodies: PathBuf,
    /// Connections; each sends the next body when it has read the answer to the one before.
    #[arg(long, default_value_t = 32)]
    connections: u16,
    /// What a good answer's body contains.
    #[arg(long, default_value = "SUCCESS")]
    expect: String,
    /// The status of a good answer.
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// Waits for the order.paid of each good answer, at this NATS server; keys are numbers of attempts.
    #[arg(long)]
    told_at: Option<String>,
    #[command(flatten)]
    pace: Pace,
}

/// What is sent.
struct Bodies {
    keys: Vec<String>,
    requests: Vec<Bytes>,
}

impl Post {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let Bodies { keys, requests } = self.read()?;
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(connect(self.address).await?);
        }
        let count = u64::try_from(requests.len()).context("fewer than all atoms")?;
        let listening = match &self.told_at {
            Some(url) => Some(told::listen(url, &keys).await?),
            None => None,
        };
        let (this, requests) = (Arc::new(self), Arc::new(requests));
        let arrivals = Arrivals::begin(this.pace, count);
        let mut workers = JoinSet::new();
        for connection in connections {
            workers.spawn(work(Arc::clone(&this), arrivals.clone(), Arc::clone(&requests), connection));
        }
        let mut outcome = collect(workers, &arrivals).await?;
        if let Some(listening) = listening {
            outcome.told = Some(listening.heard(&arrivals, outcome.good).await);
        }
        Ok(outcome)
    }

    fn read(&self) -> anyhow::Result<Bodies> {
        let text =
            std::fs::read_to_string(&self.bodies).with_context(|| format!("cannot read {}", self.bodies.display()))?;
        let (mut keys, mut requests) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let (key, body) = line.split_once('\t').context("a line is a key, a tab and a body")?;
            keys.push(key.to_owned());
            requests.push(Bytes::copy_from_slice(body.as_bytes()));
        }
        ensure!(!requests.is_empty(), "{} has no bodies", self.bodies.display());
        Ok(Bodies { keys, requests })
    }

    async fn send(&self, connection: &mut SendRequest<Full<Bytes>>, body: Bytes) -> hyper::Result<Answer> {
        let request = Request::post(&self.path)
            .header(HOST, "pay.example")
            .header(CONTENT_TYPE, "text/xml")
            .body(Full::new(body))
            .expect("the path was given as one");
        connection.ready().await?;
        let answer = connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        Ok(if status == self.status && text.contains(&self.expect) {
            Answer::Good
        } else {
            Answer::Refused(format!("{status} {text}"))
        })
    }
}

async fn work(
    post: Arc<Post>,
    arrivals: Arrivals,
    bodies: Arc<Vec<Bytes>>,
    mut connection: SendRequest<Full<Bytes>>,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    while let Some(arrival @ Arrival { number, .. }) = arrivals.next().await {
        let Some(body) = usize::try_from(number).ok().and_then(|at| bodies.get(at)) else { break };
        match post.send(&mut connection, body.clone()).await {
            Ok(answer) => seen.note(arrival, answer),
            Err(error) => {
                seen.note(arrival, Answer::Broken(error.to_string()));
                connection = connect(post.address).await?;
            }
        }
    }
    Ok(seen)
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(address).await.with_context(|| format!("nobody listens at {address}"))?;
    socket.set_nodelay(true).context("a socket can be set")?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.context("HTTP cannot begin")?;
    // Its end is seen by the sender.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
