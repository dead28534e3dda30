//! The public HTTP server: hyper with limits of its own on connections, headers, bodies and time. TLS ends in front of it.

mod body;
mod connection;
mod limits;
mod server;

pub(crate) use body::{BodyError, discard, read};
pub(crate) use limits::Limits;
pub(crate) use server::serve;
