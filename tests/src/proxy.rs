//! A TCP proxy that stands between two parts and does to their bytes what networks do, on command.
//!
//! ```no_run
//! # async fn example(world: &e2e::World) {
//! use e2e::{Link, proxy::Fault};
//!
//! let link = world.link(Link::NotifySvcToNats); // routed by `Options::through`
//! link.lose_acks(1);
//! // … the user pays …
//! link.strikes(Fault::LoseAck, 1).await; // a fault that was not observed proves nothing
//! link.pass();
//! # }
//! ```
//!
//! In reading order: [`Proxy`] takes commands and connections, [`faults`](self::Fault) holds what is wrong now and counts what
//! really struck, `connection` copies bytes, and `lens` knows as much of NATS and of Postgres as two of the faults need.

mod connection;
mod faults;
mod lens;
mod nats;
mod postgres;
#[cfg(test)]
mod tests;

pub use faults::{Direction, Fault};
pub use lens::Protocol;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use self::faults::{Faults, Mode};
use crate::{eventually, ports::Port};

/// A proxy that runs. Dropping it closes every connection through it.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    faults: Arc<Faults>,
    protocol: Protocol,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port, and connects whoever comes to `target`, `host:port`. Nothing is wrong yet.
    ///
    /// # Panics
    /// Outside a runtime, or when its reserved port is taken all the same.
    pub async fn start(target: String, protocol: Protocol) -> Self {
        let port = Port::reserve();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).await.expect("the port is reserved");
        let faults = Arc::<Faults>::default();
        let accepting = tokio::spawn(accept(listener, target, protocol, Arc::clone(&faults)));
        Self { port, faults, protocol, accepting }
    }

    /// Where it listens.
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Everything is well from now on; whatever was armed and has not struck is forgotten. What a black hole held back goes on
    /// its way, as TCP sends again what a network lost.
    pub fn pass(&self) {
        self.faults.disarm();
        self.faults.set(Mode::Pass);
    }

    /// Each chunk of bytes is late by this, in both directions.
    pub fn delay(&self, by: Duration) {
        self.faults.set(Mode::Delay(by));
    }

    /// New connections are reset before their first byte; those that are there go on.
    pub fn refuse(&self) {
        self.faults.set(Mode::Refuse);
    }

    /// Nothing gets through, and nobody is told: connections are taken and stay open, and what is sent waits.
    pub fn black_hole(&self) {
        self.faults.set(Mode::BlackHole);
    }

    /// Resets every connection now. Returns how many there were.
    pub fn cut(&self) -> usize {
        self.faults.cut()
    }

    /// The servers' ends of all connections are gone, and the clients are not told: what they send is swallowed. New
    /// connections are well. Returns how many there were.
    pub fn half_open(&self) -> usize {
        self.faults.half_open()
    }

    /// Cuts the connection that carries the last of the next `bytes` bytes in this direction, right after it. Zero cuts before
    /// the first one.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.faults.arm_cut(direction, bytes);
    }

    /// The next `count` acks of publishes to JetStream are swallowed, and nothing else.
    ///
    /// # Panics
    /// When this is not a way to NATS.
    pub fn lose_acks(&self, count: u32) {
        assert_eq!(self.protocol, Protocol::Nats, "acks of publishes come from NATS");
        self.faults.arm_acks(count);
    }

    /// The next transaction with a statement that contains `statement` commits, and its connection is cut when the server says
    /// so, before the client hears it.
    ///
    /// # Panics
    /// When this is not a way to Postgres.
    pub fn lose_commit_of(&self, statement: &str) {
        assert_eq!(self.protocol, Protocol::Postgres, "Postgres commits");
        self.faults.arm_commit(statement);
    }

    /// How often a fault has really struck: chunks that were late, connections that were refused or cut, acks that were
    /// swallowed; for a black hole and for half-open connections, each thing that was said into it.
    pub fn observed(&self, fault: Fault) -> u64 {
        self.faults.observed(fault)
    }

    /// Waits until a fault has struck at least so often since the proxy began.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn strikes(&self, fault: Fault, times: u64) {
        eventually(&format!("{fault:?} has struck {times} times"), async || {
            let observed = self.observed(fault);
            if times <= observed { Ok(()) } else { Err(observed) }
        })
        .await;
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.faults.open_connections()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: String, protocol: Protocol, faults: Arc<Faults>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                connections.spawn(connection::serve(client, target.clone(), protocol, Arc::clone(&faults)));
            }
            Some(_) = connections.join_next() => {}
            else => return,
        }
    }
}

/// Without the algorithm that waits for more bytes, which would be a fault of our own.
async fn connect(target: &str) -> std::io::Result<TcpStream> {
    let server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    Ok(server)
}
