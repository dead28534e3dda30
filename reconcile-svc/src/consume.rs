//! What arrives: facts of both streams, booked once each.

mod bookkeeper;
mod note;

pub use bookkeeper::Bookkeeper;
