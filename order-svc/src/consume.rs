//! What arrives over the bus.

pub mod native_scanned;
pub mod paid;
pub mod refund_noticed;
pub mod repair_requested;
