//! What arrives over the bus.

pub mod paid;
pub mod refund_noticed;
