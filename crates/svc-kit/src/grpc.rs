//! gRPC as all our servers and clients speak it.
//!
//! A server has health, reflection, a cap on the size of a request, a limit of requests at once, a deadline for each
//! request, a span that continues the caller's trace, and metrics. A client has a connect timeout, keep-alive and a lazy
//! connection, so that processes start in any order.

mod admission;
mod client;
mod deadline;
mod server;

pub use admission::{DEADLINE_EXCEEDED, INTERNAL, Limits, OVERLOADED};
pub use client::{CALL_TIME, TraceInterceptor, TracedChannel, channel, traced};
pub use server::{Api, serve};

#[cfg(test)]
mod tests;
