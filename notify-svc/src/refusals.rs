//! Log lines about callbacks that did not end well. Strangers can cause them, so they are limited; and they carry nothing
//! that a stranger wrote.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use merchants::{Merchant, MerchantName};
use svc_kit::log_limit::LogLimit;

use crate::outcome::{Kind, Outcome};
use crate::routes::CallbackKind;

/// One line per merchant, kind, reason and second is enough to see what goes on; the metrics have the numbers.
const PERIOD: Duration = Duration::from_secs(1);

/// The first few after a quiet time are all written, because a single forged callback is worth reading about.
const BURST: u32 = 10;

/// Limits the lines of each merchant, kind and outcome by themselves, so that a flood of one hides no other.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Only names of configured merchants come here, so there are at most as many limits as names times kinds times outcomes.
    limits: Mutex<HashMap<(MerchantName, CallbackKind, Outcome), LogLimit>>,
}

impl Refusals {
    /// Writes a line unless too many were written just now.
    pub(crate) fn log(&self, merchant: &Merchant, kind: CallbackKind, outcome: Outcome) {
        let Some(swallowed) = self.admit(&merchant.name, kind, outcome) else { return };
        let (name, reason) = (&merchant.name, outcome.word());
        let is_scan = kind == CallbackKind::NativeScan;
        let kind = kind.as_str();
        let provider = merchant.provider().as_str();
        match outcome.kind() {
            Kind::Later if is_scan => {
                tracing::error!(merchant = %name, provider, kind, reason, swallowed, "{name}: a payer who scanned a product code could not be served: {reason}");
            }
            Kind::Later => {
                tracing::error!(merchant = %name, provider, kind, reason, swallowed, "{name}: a callback must come again: {reason}");
            }
            Kind::Taken | Kind::Refused | Kind::Unread => {
                tracing::warn!(merchant = %name, provider, kind, reason, swallowed, "{name}: a callback was refused: {reason}");
            }
        }
    }

    /// How many lines were swallowed since the last one, or `None` when this one is to be swallowed as well.
    fn admit(&self, name: &MerchantName, kind: CallbackKind, outcome: Outcome) -> Option<u64> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.entry((name.clone(), kind, outcome)).or_insert_with(|| LogLimit::new(PERIOD, BURST)).admit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_merchant_kind_and_reason_hides_no_other() {
        use CallbackKind::{NativeScan, Payment, Refund};
        let name = |name: &str| MerchantName::parse(name).expect("a name");
        let refusals = Refusals::default();
        // However slow the machine, lines come faster than one a second sooner or later.
        while refusals.admit(&name("acme-mini"), Payment, Outcome::Malformed).is_some() {}
        assert_eq!(refusals.admit(&name("acme-shop"), Payment, Outcome::Malformed), Some(0));
        assert_eq!(refusals.admit(&name("acme-mini"), Refund, Outcome::Malformed), Some(0));
        assert_eq!(refusals.admit(&name("acme-mini"), NativeScan, Outcome::Malformed), Some(0));
        assert_eq!(refusals.admit(&name("acme-mini"), Payment, Outcome::OtherAccount), Some(0));
    }
}
