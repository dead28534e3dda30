use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Stands between notify-svc and the nats-server: its address stays while servers come and go, and it can hold back what
/// the server says.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    held: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Gate {
    pub(crate) async fn open(target: SocketAddr) -> Gate {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let target = Arc::new(Mutex::new(target));
        let held = watch::Sender::new(false);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&target), held.clone()));
        Gate { address, target, held, accepting }
    }

    /// New connections go to this server.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().expect("nobody panicked") = target;
    }

    /// Holds back everything that the server says, acks above all, until [`Gate::release`].
    pub(crate) fn hold_answers(&self) {
        self.held.send_replace(true);
    }

    /// Lets what was held back through.
    pub(crate) fn release(&self) {
        self.held.send_replace(false);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: Arc<Mutex<SocketAddr>>, held: watch::Sender<bool>) {
    while let Ok((client, _)) = listener.accept().await {
        let target = *target.lock().expect("nobody panicked");
        let held = held.subscribe();
        tokio::spawn(async move {
            // Without a server the client is dropped, as a dead server's address would do.
            let Ok(server) = TcpStream::connect(target).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let free = watch::Sender::new(false);
            // Whichever side ends first, both are closed.
            tokio::select! {
                () = copy(from_client, to_server, free.subscribe()) => {}
                () = copy(from_server, to_client, held) => {}
            }
        });
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if held.wait_for(|held| !held).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
