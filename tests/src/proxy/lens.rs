//! What a proxy understands of the bytes that pass.

use super::{
    faults::{Direction, Faults},
    nats::Acks,
    postgres::Session,
};

/// What is spoken on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Anything; only bytes are counted.
    Bytes,
    /// NATS, without TLS.
    Nats,
    /// Postgres, without TLS.
    Postgres,
}

/// What becomes of a chunk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// What goes on. Of answers only whole messages do; the beginning of another waits for its end.
    pub(super) forward: Vec<u8>,
    /// Whether the connection is cut then.
    pub(super) cut: bool,
}

/// Follows one connection.
#[derive(Debug)]
pub(super) enum Lens {
    Bytes,
    Nats(Acks),
    Postgres(Session),
}

impl Lens {
    pub(super) fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Bytes => Lens::Bytes,
            Protocol::Nats => Lens::Nats(Acks::default()),
            Protocol::Postgres => Lens::Postgres(Session::default()),
        }
    }

    pub(super) fn look(&mut self, direction: Direction, bytes: &[u8], faults: &Faults) -> Seen {
        match (self, direction) {
            (Lens::Bytes, _) | (Lens::Nats(_), Direction::ToServer) => Seen { forward: bytes.to_vec(), cut: false },
            (Lens::Nats(acks), Direction::ToClient) => acks.answered(bytes, faults),
            (Lens::Postgres(session), Direction::ToServer) => session.asked(bytes, faults),
            (Lens::Postgres(session), Direction::ToClient) => session.answered(bytes, faults),
        }
    }
}
