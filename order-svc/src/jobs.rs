//! What the clock starts.

pub mod close;
pub mod measure;
pub mod prune;
pub mod surplus;
pub mod turns;
