use serde::{Deserialize, Serialize};

/// How often each merchant may ask for refunds from now on; whatever was counted is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRate {
    /// Requests in a second of the sandbox's clock, at first 150. Beyond it `FREQUENCY_LIMITED`.
    pub per_second: u32,
    /// Wrong requests in a second, at first 6. Beyond it everything is `INVALID_REQ_TOO_MUCH` for a minute.
    pub failing_per_second: u32,
}

impl Default for RefundRate {
    fn default() -> RefundRate {
        RefundRate { per_second: 150, failing_per_second: 6 }
    }
}
