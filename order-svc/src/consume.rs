//! What arrives over the bus.

pub mod paid;
