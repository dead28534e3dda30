//! The transitions that the journal's triggers allow, read from the migration that says so, and which of them were seen.

use std::{cell::RefCell, collections::BTreeSet, sync::LazyLock};

use crate::books::Wrong;

const MIGRATION: &str = include_str!("../../migrations/0003_refunds.sql");

type Pair = (&'static str, &'static str);

thread_local! {
    /// What this test has seen.
    static SEEN: RefCell<BTreeSet<Pair>> = const { RefCell::new(BTreeSet::new()) };
}

/// Transitions of one kind of row.
pub(crate) struct Table {
    legal: BTreeSet<Pair>,
}

impl Table {
    /// Reads the pairs of `is_legal` between two of its words.
    fn between(from: &str, to: &str) -> Self {
        let (_, function) = MIGRATION.split_once("CREATE FUNCTION is_legal").expect("the migration has it");
        let (_, after) = function.split_once(from).expect("it has this branch");
        let (branch, _) = after.split_once(to).expect("the branch ends");
        let words: Vec<&str> = branch.split('\'').skip(1).step_by(2).collect();
        let legal = words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        Self { legal }
    }

    fn check(&self, from: &str, to: &str) -> Result<(), Wrong> {
        if from == to {
            return Ok(());
        }
        let pair = self.legal.iter().find(|(a, b)| *a == from && *b == to);
        let pair = pair.ok_or_else(|| format!("no journal allows {from} to become {to}"))?;
        SEEN.with_borrow_mut(|seen| seen.insert(*pair));
        Ok(())
    }

    /// What is allowed and was not seen in this test.
    pub(crate) fn unseen(&self) -> Vec<Pair> {
        SEEN.with_borrow(|seen| self.legal.difference(seen).copied().collect())
    }
}

pub(crate) static ORDERS: LazyLock<Table> = LazyLock::new(|| Table::between("from_state = to_state", "WHEN 'payment'"));
pub(crate) static PAYMENTS: LazyLock<Table> = LazyLock::new(|| Table::between("WHEN 'payment'", "ELSE"));
pub(crate) static REFUNDS: LazyLock<Table> = LazyLock::new(|| Table::between("ELSE", "END;"));

pub(crate) fn order(from: &str, to: &str) -> Result<(), Wrong> {
    ORDERS.check(from, to)
}

pub(crate) fn payment(from: &str, to: &str) -> Result<(), Wrong> {
    PAYMENTS.check(from, to)
}

pub(crate) fn refund(from: &str, to: &str) -> Result<(), Wrong> {
    REFUNDS.check(from, to)
}

#[test]
fn the_migration_is_read_as_it_stands() {
    assert!(ORDERS.legal.contains(&("PENDING", "PAID")) && !ORDERS.legal.contains(&("CLOSED", "PAID")));
    assert!(PAYMENTS.legal.contains(&("FAILED", "SUCCEEDED")) && !PAYMENTS.legal.contains(&("SUCCEEDED", "CLOSED")));
    assert!(REFUNDS.legal.contains(&("ABNORMAL", "CLOSED")) && !REFUNDS.legal.contains(&("REJECTED", "SUCCEEDED")));
    assert_eq!((ORDERS.legal.len(), PAYMENTS.legal.len(), REFUNDS.legal.len()), (5, 9, 10));
}
