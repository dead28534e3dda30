//! Log lines about callbacks that did not end well. Strangers can cause them, so they are limited; and they carry nothing
//! that a stranger wrote.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use merchants::{Merchant, MerchantName, NoticeKind};
use svc_kit::log_limit::LogLimit;

use crate::outcome::{Kind, Outcome};

/// One line per merchant, kind, reason and second is enough to see what goes on; the metrics have the numbers.
const PERIOD: Duration = Duration::from_secs(1);

/// The first few after a quiet time are all written, because a single forged callback is worth reading about.
const BURST: u32 = 10;

/// Limits the lines of each merchant, kind and outcome by themselves, so that a flood of one hides no other.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Only names of configured merchants come here, so there are at most as many limits as names times kinds times outcomes.
    limits: Mutex<HashMap<(MerchantName, NoticeKind, Outcome), LogLimit>>,
}

impl Refusals {
    /// Writes a line unless too many were written just now.
    pub(crate) fn log(&self, merchant: &Merchant, kind: NoticeKind, outcome: Outcome) {
        let Some(swallowed) = self.admit(&merchant.name, kind, outcome) else { return };
        let (name, kind, reason) = (&merchant.name, kind.as_str(), outcome.word());
        let provider = merchant.provider().as_str();
        match outcome.kind() {
            Kind::Later => {
                tracing::error!(merchant = %name, provider, kind, reason, swallowed, "{name}: a callback must come again: {reason}");
            }
            Kind::Taken | Kind::Refused | Kind::Unread => {
                tracing::warn!(merchant = %name, provider, kind, reason, swallowed, "{name}: a callback was refused: {reason}");
            }
        }
    }

    /// How many lines were swallowed since the last one, or `None` when this one is to be swallowed as well.
    fn admit(&self, name: &MerchantName, kind: NoticeKind, outcome: Outcome) -> Option<u64> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.entry((name.clone(), kind, outcome)).or_insert_with(|| LogLimit::new(PERIOD, BURST)).admit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_merchant_kind_and_reason_hides_no_other() {
        use NoticeKind::{Payment, Refund};
        let name = |name: &str| MerchantName::parse(name).expect("a name");
        let refusals = Refusals::default();
        // However slow the machine, lines come faster than one a second sooner or later.
        while refusals.admit(&name("acme-mini"), Payment, Outcome::Malformed).is_some() {}
        assert_eq!(refusals.admit(&name("acme-shop"), Payment, Outcome::Malformed), Some(0));
        assert_eq!(refusals.admit(&name("acme-mini"), Refund, Outcome::Malformed), Some(0));
        assert_eq!(refusals.admit(&name("acme-mini"), Payment, Outcome::OtherAccount), Some(0));
    }
}
