use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{Evidence, Rule, Violation, Window};

/// What was looked at, what could not be, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub clean: bool,
    /// How many of each kind were looked at.
    pub looked_at: BTreeMap<&'static str, usize>,
    /// Orders that were not looked at, because they are too old or too many.
    pub older_orders: i64,
    /// Why they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_because: Option<&'static str>,
    /// Rules that were not judged, and why.
    pub skipped: BTreeMap<&'static str, &'static str>,
    /// How many violations of each rule there are.
    pub counts: BTreeMap<&'static str, usize>,
    /// What is wrong.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Of one look.
    pub fn of(evidence: &Evidence, window: &Window, violations: Vec<Violation>) -> Self {
        let mut looked_at = BTreeMap::from([
            ("orders", evidence.orders.len()),
            ("payments", evidence.payments.len()),
            ("pay_facts", evidence.pay.len()),
            ("order_facts", evidence.order.len()),
            ("dead_letters", evidence.dead.len()),
        ]);
        let mut also = |what, count: Option<usize>| looked_at.extend(count.map(|count| (what, count)));
        also("refunds", evidence.refunds.as_ref().map(Vec::len));
        also("changes_of_state", evidence.journal.as_ref().map(|journal| journal.changes.len()));
        also("book_entries", evidence.books.as_ref().map(|books| books.taken.len() + books.told.len()));
        also("provider_orders", evidence.ledger.as_ref().map(|ledger| ledger.orders.len()));
        also("callbacks", evidence.ledger.as_ref().map(|ledger| ledger.callbacks.len()));
        let mut counts = BTreeMap::new();
        for violation in &violations {
            *counts.entry(violation.rule.word()).or_default() += 1;
        }
        let because = if window.forgotten {
            "the streams no longer keep their facts"
        } else {
            "they are too many (--newest-orders)"
        };
        Self {
            clean: violations.is_empty(),
            looked_at,
            older_orders: window.older,
            older_because: (window.older != 0).then_some(because),
            skipped: Rule::ALL.iter().filter_map(|rule| Some((rule.word(), rule.missing(evidence)?))).collect(),
            counts,
            violations,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looked_at: Vec<_> =
            self.looked_at.iter().map(|(what, count)| format!("{count} {}", what.replace('_', " "))).collect();
        writeln!(f, "looked at {}", looked_at.join(", "))?;
        if let Some(because) = self.older_because {
            writeln!(f, "not looked at: {} older orders, because {because}", self.older_orders)?;
        }
        let reasons: BTreeSet<_> = self.skipped.values().collect();
        for reason in reasons {
            let words: Vec<_> = self.skipped.iter().filter(|(_, why)| *why == reason).map(|(word, _)| *word).collect();
            writeln!(f, "not judged: {}, because {reason}", words.join(", "))?;
        }
        for violation in &self.violations {
            writeln!(f, "- {violation}")?;
        }
        if self.clean {
            return writeln!(f, "no violations");
        }
        let counts: Vec<_> = self.counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        writeln!(f, "{} violations: {}", self.violations.len(), counts.join(", "))
    }
}
