//! Log lines about callbacks that did not end well. Strangers can cause them, so they are limited; and they carry nothing
//! that a stranger wrote.

use std::collections::HashMap;
use std::time::Duration;

use merchants::Merchant;
use svc_kit::log_limit::LogLimit;

use crate::outcome::{Kind, Outcome};

/// One line per reason and second is enough to see what goes on; the metrics have the numbers.
const PERIOD: Duration = Duration::from_secs(1);

/// The first few after a quiet time are all written, because a single forged callback is worth reading about.
const BURST: u32 = 10;

/// Limits the lines of each outcome by itself, so that a flood of one cannot hide another.
pub(crate) struct Refusals {
    limits: HashMap<Outcome, LogLimit>,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        Self { limits: Outcome::ALL.into_iter().map(|outcome| (outcome, LogLimit::new(PERIOD, BURST))).collect() }
    }

    /// Writes a line unless too many were written just now.
    pub(crate) fn log(&self, merchant: &Merchant, outcome: Outcome) {
        let Some(swallowed) = self.limits.get(&outcome).and_then(LogLimit::admit) else { return };
        let (name, reason) = (&merchant.name, outcome.word());
        let provider = merchant.provider().as_str();
        match outcome.kind() {
            Kind::Later => {
                tracing::error!(merchant = %name, provider, reason, swallowed, "{name}: a callback must come again: {reason}");
            }
            Kind::Taken | Kind::Refused | Kind::Unread => {
                tracing::warn!(merchant = %name, provider, reason, swallowed, "{name}: a callback was refused: {reason}");
            }
        }
    }
}
