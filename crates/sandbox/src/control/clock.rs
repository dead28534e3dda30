use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The sandbox's time: the machine's time plus an offset that only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// The sandbox's present instant, in whole milliseconds.
    pub now: Timestamp,
    /// How far the sandbox is ahead of the machine, in milliseconds.
    pub offset_ms: i64,
}

/// Moves the clock forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// How far, in milliseconds; 0 is allowed and changes nothing.
    pub advance_ms: u64,
}
