//! Listening sockets: bound once, announced once, port 0 allowed.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

/// Binds `address` for the server called `name` and logs `NAME listening on ADDRESS` with the real address, so that
/// port 0 can be used.
///
/// # Errors
/// When the address is taken or not ours; the text names server and address.
pub async fn bind(name: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} for {name}"))?;
    let local = listener.local_addr().with_context(|| format!("cannot read the address of the {name} listener"))?;
    tracing::info!("{name} listening on {local}");
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn port_0_becomes_a_real_port_and_a_taken_one_is_named() {
        let listener = bind("grpc", ([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        assert_ne!(address.port(), 0);
        let error = bind("grpc", address).await.expect_err("the port is taken");
        assert_eq!(error.to_string(), format!("cannot listen on {address} for grpc"));
    }
}
