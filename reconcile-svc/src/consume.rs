//! What arrives: facts of both streams, booked once each.

mod bookkeeper;
mod note;
mod worker;

pub use bookkeeper::Bookkeeper;
pub use worker::Worker;
