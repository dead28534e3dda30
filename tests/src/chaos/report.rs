//! The verdict of a run.

use std::{collections::BTreeMap, path::PathBuf};

use payctl::verify::{Evidence, Rule, Violation};

use super::{aftermath::Aftermath, conductor::Watched, kind::Kind, tally::Tally, timeline::Timeline};
use crate::sandbox_client::{AnswerClass, CallbackKind, RefundState};

/// What a run showed.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it was drawn from.
    pub seed: u64,
    /// Where logs and the timeline are.
    pub folder: PathBuf,
    /// Promises that were kept, and faults that were observed.
    pub passed: Vec<String>,
    /// Promises that were broken with what was seen of that, and faults that were not observed.
    pub failed: BTreeMap<String, Vec<String>>,
}

impl Report {
    /// Whether everything passed.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty()
    }

    pub(super) fn judge(&mut self, what: &str, wrong: Vec<String>) {
        if wrong.is_empty() {
            self.passed.push(what.to_owned());
        } else {
            self.failed.insert(what.to_owned(), wrong);
        }
    }

    /// Every rule of the checker, one by one.
    pub(super) fn judge_rules(&mut self, evidence: &Evidence, violations: &[Violation]) {
        for rule in Rule::ALL {
            let of_rule = violations.iter().filter(|violation| violation.rule == *rule);
            let mut wrong: Vec<String> = of_rule.map(|violation| violation.sentence.clone()).collect();
            // A rule that is skipped proves nothing.
            wrong.extend(rule.missing(evidence).map(str::to_owned));
            self.judge(rule.word(), wrong);
        }
    }

    pub(super) fn judge_faults(&mut self, faults: &[Watched]) {
        for Watched { kind, observed } in faults {
            let wrong = if *observed == 0 { vec!["not observed".to_owned()] } else { Vec::new() };
            self.judge(&format!("observed: {kind}"), wrong);
        }
    }

    /// Prints the verdict.
    pub(super) fn tell(&self, timeline: &Timeline) {
        timeline.say(format_args!("\nverdict"));
        for passed in self.passed.iter().filter(|what| !what.starts_with("observed: ")) {
            timeline.say(format_args!("  ok      {passed}"));
        }
        let observed = self.passed.iter().filter(|what| what.starts_with("observed: ")).count();
        timeline.say(format_args!("  ok      {observed} kinds of faults were observed"));
        for (what, wrong) in &self.failed {
            timeline.say(format_args!("  FAILED  {what}: {} times", wrong.len()));
            for sentence in wrong.iter().take(5) {
                timeline.say(format_args!("            {sentence}"));
            }
        }
        if !self.is_clean() {
            timeline.say(format_args!("logs are in {}; again with CHAOS_SEED={}", self.folder.display(), self.seed));
        }
        timeline.say(format_args!("\n{} passed, {} failed", self.passed.len(), self.failed.len()));
    }
}

/// Prints what was counted.
pub(super) fn counts(timeline: &Timeline, load: &Tally, faults: &[Watched], end: &Aftermath) {
    let mut lines: Vec<(String, u64)> =
        load.counts().into_iter().map(|(what, count)| (what.to_owned(), count)).collect();
    lines.extend(load.last_words().into_iter().map(|(word, count)| (format!("requests given up: {word}"), count)));
    let observed = |wanted: fn(&Kind) -> bool| -> u64 {
        faults.iter().filter(|fault| wanted(&fault.kind)).map(|fault| fault.observed).sum()
    };
    lines.push(("kills".to_owned(), observed(|kind| matches!(kind, Kind::Kill(_)))));
    lines.push(("deaths between two durable steps".to_owned(), observed(|kind| matches!(kind, Kind::Crash(_)))));
    lines.push(("pauses".to_owned(), observed(|kind| matches!(kind, Kind::Pause(_)))));
    for trouble in ["Cut", "Refuse", "Delay", "BlackHole", "HalfOpen", "LoseAck", "LoseCommit"] {
        let struck = faults.iter().filter(|fault| match &fault.kind {
            Kind::Network(_, fault) => format!("{fault:?}") == trouble,
            _ => false,
        });
        lines.push((format!("on links: {trouble}"), struck.map(|fault| fault.observed).sum()));
    }
    let calls = observed(|kind| matches!(kind, Kind::WeChat(on, _) if on.as_str().find("callback").is_none()));
    lines.push(("calls that WeChat spoiled".to_owned(), calls));
    of_ledger(&end.evidence, &mut lines);
    timeline.say("\ncounts");
    for (what, count) in lines {
        timeline.say(format_args!("  {count:>7}  {what}"));
    }
    timeline.say("\nfaults, and how often each has struck");
    for Watched { kind, observed } in faults {
        timeline.say(format_args!("  {observed:>7}  {kind}"));
    }
}

fn of_ledger(evidence: &Evidence, lines: &mut Vec<(String, u64)>) {
    let Some(ledger) = &evidence.ledger else { return };
    let mut callbacks: BTreeMap<String, u64> = BTreeMap::new();
    for callback in &ledger.callbacks {
        let about = if callback.kind == CallbackKind::Payment { "callbacks" } else { "refund notices" };
        for attempt in &callback.attempts {
            *callbacks.entry(format!("attempts of {about}")).or_default() += 1;
            if let Some(fault) = &attempt.fault {
                *callbacks.entry(format!("attempts of {about}: {fault}")).or_default() += 1;
            }
            if attempt.answer != AnswerClass::Accepted {
                *callbacks.entry(format!("attempts of {about} that were not accepted")).or_default() += 1;
            }
        }
    }
    lines.extend(callbacks);
    let refunds: Vec<_> = ledger.orders.iter().flat_map(|order| &order.refunds).collect();
    for state in [RefundState::Success, RefundState::RefundClose, RefundState::Change, RefundState::Processing] {
        let count = refunds.iter().filter(|refund| refund.state == state).count();
        lines.push((format!("refunds at WeChat: {}", state.as_str()), u64::try_from(count).unwrap_or(u64::MAX)));
    }
    let surplus = evidence.payments.iter().filter(|payment| payment.surplus).count();
    lines.push(("surplus payments".to_owned(), u64::try_from(surplus).unwrap_or(u64::MAX)));
    lines.push(("dead letters".to_owned(), u64::try_from(evidence.dead.len()).unwrap_or(u64::MAX)));
}
