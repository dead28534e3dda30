//! One connection through the proxy, from its beginning to the end that a fault or one of its sides gives it.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};

use super::{
    connect,
    faults::{Direction, Fate, Fault, Faults},
    lens::{Lens, Protocol},
};

/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// How the copying ended.
enum End {
    /// One side closed, and so does the other.
    Closed,
    /// Both sides are reset.
    Cut,
    /// The server is gone, and the client is not told.
    HalfOpen,
}

pub(super) async fn serve(mut client: TcpStream, target: String, protocol: Protocol, faults: Arc<Faults>) {
    let (id, mut fate) = faults.enter();
    let mut server = tokio::select! {
        server = begin(&client, &target, &faults) => server,
        end = ended(&mut fate) => {
            if matches!(end, End::HalfOpen) {
                swallow(&mut client, &faults).await;
            }
            None
        }
    };
    match &mut server {
        // Nobody could tell a refusal from a close that came late.
        None => reset(&client),
        Some(server) => match copy(&mut client, server, protocol, &faults, &mut fate).await {
            End::Closed => {}
            End::Cut => {
                reset(&client);
                reset(server);
            }
            End::HalfOpen => {
                reset(server);
                // Only its own end closes the server's side now.
                let _ = server.shutdown().await;
                swallow(&mut client, &faults).await;
            }
        },
    }
    faults.leave(id);
}

/// Lets a connection in and connects it; `None` when it is refused, or nobody listens.
async fn begin(client: &TcpStream, target: &str, faults: &Faults) -> Option<TcpStream> {
    if !faults.lets_in().await {
        return None;
    }
    client.set_nodelay(true).ok()?;
    connect(target).await.ok()
}

async fn copy(
    client: &mut TcpStream,
    server: &mut TcpStream,
    protocol: Protocol,
    faults: &Faults,
    fate: &mut watch::Receiver<Fate>,
) -> End {
    let lens = Mutex::new(Lens::new(protocol));
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    tokio::select! {
        end = pump(Direction::ToServer, from_client, to_server, &lens, faults) => end,
        end = pump(Direction::ToClient, from_server, to_client, &lens, faults) => end,
        end = ended(fate) => end,
    }
}

async fn pump(
    direction: Direction,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    lens: &Mutex<Lens>,
    faults: &Faults,
) -> End {
    let mut buffer = vec![0; CHUNK];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return End::Closed };
        faults.hold().await;
        let seen = lens.lock().expect("a lens does not panic").look(direction, &buffer[..read], faults);
        let (passes, cut) = faults.passes(direction, seen.forward.len());
        if to.write_all(&seen.forward[..passes]).await.is_err() {
            return End::Closed;
        }
        if cut {
            // What has passed arrives: a reset may overtake it.
            let _ = to.shutdown().await;
            return End::Closed;
        }
        if seen.cut {
            return End::Cut;
        }
    }
}

/// Returns when a command ends the connection.
async fn ended(fate: &mut watch::Receiver<Fate>) -> End {
    let told = fate.wait_for(|fate| *fate != Fate::Lives).await.map(|fate| *fate);
    match told {
        Ok(Fate::HalfOpen) => End::HalfOpen,
        Ok(Fate::Lives | Fate::Cut) | Err(_) => End::Cut,
    }
}

/// Takes what a client says to nobody, until it gives up.
async fn swallow(client: &mut TcpStream, faults: &Faults) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(1..) = client.read(&mut buffer).await {
        faults.strike(Fault::HalfOpen);
    }
}

/// Closing becomes a reset.
fn reset(stream: &TcpStream) {
    // It fails when the other side has reset it first.
    let _ = stream.set_zero_linger();
}
