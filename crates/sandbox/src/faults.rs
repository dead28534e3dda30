//! Rules of what goes wrong, and how often each did.

use crate::control::{ActiveFault, Fault, FaultPoint, FaultRule, Faults};

/// Rules kept at once, used up or not; clearing makes room.
const MAX_RULES: usize = 1_000;

/// Longest wait of a late answer: longer than any client of ours waits.
const MAX_LATE_MS: u64 = 60_000;

/// Most copies of one callback.
const MAX_COPIES: u32 = 20;

/// The rules of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<ActiveFault>,
    added: u64,
}

/// A rule that cannot be taken; the text says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadRule(&'static str);

impl Rules {
    /// Adds a rule.
    ///
    /// # Errors
    /// [`BadRule`] when it makes no sense or there are too many.
    pub(crate) fn add(&mut self, rule: FaultRule) -> Result<ActiveFault, BadRule> {
        check(&rule)?;
        if self.rules.len() == MAX_RULES {
            return Err(BadRule("too many rules; clear them with DELETE /_sandbox/faults"));
        }
        self.added += 1;
        let active = ActiveFault { id: self.added, rule, hits: 0 };
        self.rules.push(active.clone());
        Ok(active)
    }

    /// The fault that strikes here and now; counts the hit.
    pub(crate) fn strike(
        &mut self,
        on: FaultPoint,
        merchant: Option<&str>,
        out_trade_no: Option<&str>,
    ) -> Option<Fault> {
        let fits = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given.is_some_and(|given| given == wanted))
        };
        let active = self.rules.iter_mut().find(|active| {
            active.rule.on == on
                && active.hits < active.rule.times
                && fits(&active.rule.merchant, merchant)
                && fits(&active.rule.out_trade_no, out_trade_no)
        })?;
        active.hits += 1;
        Some(active.rule.fault.clone())
    }

    /// Every rule, oldest first.
    pub(crate) fn list(&self) -> Faults {
        Faults { faults: self.rules.clone() }
    }

    /// Forgets every rule.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }
}

fn check(rule: &FaultRule) -> Result<(), BadRule> {
    let on = rule.on;
    let is_login = matches!(on, FaultPoint::JsCode2Session | FaultPoint::OAuthAccessToken);
    let (is_callback, is_bill) = (on.is_callback(), on.is_bill());
    let fits = match &rule.fault {
        Fault::Lose
        | Fault::Delay { .. }
        | Fault::Duplicate { .. }
        | Fault::Reorder
        | Fault::Tamper { .. }
        | Fault::Forge => is_callback,
        // Nobody signs what tells of a refund.
        Fault::OtherSignType | Fault::Rewrite { .. } => on == FaultPoint::Callback,
        Fault::Late { .. }
        | Fault::Lost
        | Fault::NotExecuted
        | Fault::Status { .. }
        | Fault::Garbage
        | Fault::ErrorCode { .. }
        | Fault::Redirect => !is_callback,
        Fault::BadSignature => on.is_signed(),
        Fault::Recall { .. } => on.is_reverse(),
        Fault::Truncate
        | Fault::AlterAmount
        | Fault::ExtraRow
        | Fault::MissingRow
        | Fault::OtherDay
        | Fault::Empty
        | Fault::AlterByte
        | Fault::NoSummary
        | Fault::ExtraColumn
        | Fault::HostileNames => is_bill,
        // A fund flow names no merchant, and never had another layout.
        Fault::ForeignMerchant | Fault::OldLayout => on == FaultPoint::DownloadBill,
    };
    if !fits {
        return Err(BadRule("this fault cannot strike there"));
    }
    if rule.out_trade_no.is_some() && !on.is_about_an_order() {
        return Err(BadRule("this call is not about one order"));
    }
    if rule.times == 0 {
        return Err(BadRule("times is at least 1"));
    }
    match &rule.fault {
        Fault::Late { delay_ms } if MAX_LATE_MS < *delay_ms => Err(BadRule("delay_ms of late is at most 60000")),
        Fault::Duplicate { copies } if !(1..=MAX_COPIES).contains(copies) => Err(BadRule("copies is 1 to 20")),
        Fault::Status { status, .. } if !(400..=599).contains(status) => Err(BadRule("status is 400 to 599")),
        Fault::Rewrite { field, .. } | Fault::Tamper { field: Some(field), .. } if !is_field_name(field) => {
            Err(BadRule("field is a name of 1 to 64 lower-case letters, digits and underscores"))
        }
        Fault::ErrorCode { code, .. } if code.is_empty() || 64 < code.len() => {
            Err(BadRule("code has 1 to 64 characters"))
        }
        Fault::ErrorCode { code, .. } if is_login && code.parse::<i32>().is_err() => {
            Err(BadRule("code of a login is a number"))
        }
        _ => Ok(()),
    }
}

fn is_field_name(field: &str) -> bool {
    (1..=64).contains(&field.len())
        && field.starts_with(|first: char| first.is_ascii_lowercase())
        && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(on: FaultPoint, fault: Fault, times: u32) -> FaultRule {
        FaultRule { on, merchant: None, out_trade_no: None, fault, times }
    }

    #[test]
    fn a_rule_strikes_as_often_as_it_says_and_counts_its_hits() {
        let mut rules = Rules::default();
        rules.add(rule(FaultPoint::Callback, Fault::Lose, 2)).unwrap();
        let struck: Vec<_> = (0..3).map(|_| rules.strike(FaultPoint::Callback, None, None)).collect();
        assert_eq!(struck, [Some(Fault::Lose), Some(Fault::Lose), None]);
        assert_eq!(rules.list().faults[0].hits, 2);
    }

    #[test]
    fn a_rule_for_one_order_leaves_the_others_alone() {
        let mut rules = Rules::default();
        let one = FaultRule { out_trade_no: Some("A00001".into()), ..rule(FaultPoint::OrderQuery, Fault::Lost, 9) };
        rules.add(one).unwrap();
        assert_eq!(rules.strike(FaultPoint::OrderQuery, None, Some("A00002")), None);
        assert_eq!(rules.strike(FaultPoint::OrderQuery, None, None), None);
        assert_eq!(rules.strike(FaultPoint::CloseOrder, None, Some("A00001")), None);
        assert_eq!(rules.strike(FaultPoint::OrderQuery, None, Some("A00001")), Some(Fault::Lost));
    }

    #[test]
    fn a_fault_where_it_cannot_strike_is_refused() {
        let mut rules = Rules::default();
        for (on, fault) in [
            (FaultPoint::Callback, Fault::Truncate),
            (FaultPoint::UnifiedOrder, Fault::Lose),
            (FaultPoint::OrderQuery, Fault::Empty),
            (FaultPoint::DownloadBill, Fault::BadSignature),
            (FaultPoint::RefundCallback, Fault::OtherSignType),
            (FaultPoint::Refund, Fault::Forge),
            (FaultPoint::Refund, Fault::Recall { executed: false, success: false }),
            (FaultPoint::GetHbInfo, Fault::BadSignature),
            (FaultPoint::DownloadFundFlow, Fault::BadSignature),
        ] {
            assert!(rules.add(rule(on, fault.clone(), 1)).is_err(), "{on:?} {fault:?}");
        }
    }

    #[test]
    fn arguments_out_of_range_are_refused() {
        let mut rules = Rules::default();
        for fault in [
            Fault::Late { delay_ms: 60_001 },
            Fault::Status { status: 200, executed: false },
            Fault::ErrorCode { code: String::new(), executed: false },
        ] {
            assert!(rules.add(rule(FaultPoint::UnifiedOrder, fault.clone(), 1)).is_err(), "{fault:?}");
        }
        assert!(rules.add(rule(FaultPoint::Callback, Fault::Duplicate { copies: 0 }, 1)).is_err());
        assert!(rules.add(rule(FaultPoint::Callback, Fault::Lose, 0)).is_err());
    }

    #[test]
    fn a_call_that_is_not_about_one_order_has_no_rule_for_one() {
        let mut rules = Rules::default();
        for on in [FaultPoint::DownloadFundFlow, FaultPoint::ShortUrl, FaultPoint::SendRedpack, FaultPoint::Report] {
            let one = FaultRule { out_trade_no: Some("A00001".into()), ..rule(on, Fault::Lost, 1) };
            assert!(rules.add(one).is_err(), "{on:?}");
            assert!(rules.add(rule(on, Fault::Lost, 1)).is_ok(), "{on:?}");
        }
    }

    #[test]
    fn a_rule_reads_as_it_is_documented() {
        let json =
            r#"{"on": "unifiedorder", "merchant": "acme-mini", "do": "status", "status": 503, "executed": true}"#;
        let read: FaultRule = serde_json::from_str(json).unwrap();
        assert_eq!(read.fault, Fault::Status { status: 503, executed: true });
        assert_eq!((read.on, read.times), (FaultPoint::UnifiedOrder, 1));
        assert_eq!(serde_json::from_str::<FaultRule>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
    }
}
