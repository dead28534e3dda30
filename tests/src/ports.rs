//! Free TCP ports that stay ours across restarts of the process that listens there.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which systems take ports for outgoing connections, so that none of those sits on ours.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A reserved port. TCP and UDP count ports apart, so a UDP socket on the same number keeps other worlds away while our own
/// process comes and goes.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _reserved: Option<UdpSocket>,
}

impl Port {
    /// Reserves a port that nobody listens on.
    ///
    /// # Panics
    /// When none of thousands is free.
    pub fn reserve() -> Self {
        let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below COUNT");
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST
                + u16::try_from((u32::from(start) * 7 + u32::from(step)) % u32::from(COUNT)).expect("below COUNT");
            let Ok(reserved) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _reserved: Some(reserved) };
            }
        }
        panic!("no free port between {FIRST} and {}", FIRST + COUNT);
    }

    /// A port that people know by heart, whoever listens there.
    pub fn documented(number: u16) -> Self {
        Self { number, _reserved: None }
    }

    /// Whether nobody can listen there now: somebody does, or the system has lent the number to an outgoing connection.
    pub fn is_taken(&self) -> bool {
        TcpListener::bind((Ipv4Addr::LOCALHOST, self.number)).is_err()
    }

    /// Whether somebody listens there.
    pub fn answers(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.number)).is_ok()
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.number)
    }

    /// `https://127.0.0.1:<port>`.
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.number)
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::Port;

    #[test]
    fn a_reserved_port_is_not_given_twice() {
        let ports: Vec<_> = (0..50).map(|_| Port::reserve()).collect();
        let numbers: std::collections::HashSet<_> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
    }
}
