//! What the clock starts.

pub mod ask;
pub mod close;
pub mod measure;
pub mod prune;
