//! Negative controls: from one true story, each rule is broken in turn, and must say so.

mod broken;
mod charges;
mod imports;
mod truth;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proto::event::{PaymentPaid, RefundFailed};
use sandbox::control::{CallbackState, Ledger, RefundSource, RefundState};
use truth::{
    CLOSED, ORDER, PAYMENT, REFUND, SURPLUS, at, fact, order_row, truth, truth_with_import, truth_with_reversed,
};
use uuid::Uuid;

use super::judge;
use crate::verify::{
    Allowed, DeadLetter, Evidence, Fact, News, PaymentRow, RepairRow, Rule, Unapplied, Violation, Waiting,
};

type Spoil = fn(&mut Evidence);

fn found(evidence: &Evidence) -> String {
    let found = judge(evidence, &Allowed::default());
    found.iter().map(Violation::to_string).collect::<Vec<_>>().join("\n")
}

fn ledger(evidence: &mut Evidence) -> &mut Ledger {
    evidence.ledger.as_mut().expect("there is one")
}

fn forget(evidence: &mut Evidence, id: &str) {
    let before = evidence.order.len();
    evidence.order.retain(|fact| !fact.id.starts_with(id));
    assert_ne!(evidence.order.len(), before, "{id}");
}

fn paid(fact: &mut Fact) -> &mut PaymentPaid {
    match &mut fact.news {
        News::PaymentPaid(paid) => paid,
        news => panic!("{news:?}"),
    }
}

fn letter(fact: &Fact, durable: &str) -> DeadLetter {
    DeadLetter {
        id: fact.id.clone(),
        durable: durable.into(),
        reason: "no".into(),
        subject: fact.subject.clone(),
        sequence: fact.sequence,
    }
}

fn unapplied(fact: &Fact) -> Unapplied {
    Unapplied {
        durable: "order-svc-pay",
        id: fact.id.clone(),
        subject: fact.subject.clone(),
        sequence: fact.sequence,
        published: fact.published,
    }
}

fn refund(evidence: &mut Evidence, at: usize) -> &mut crate::verify::RefundRow {
    &mut evidence.refunds.as_mut().expect("there are some")[at]
}

#[test]
fn a_true_story_is_believed() {
    assert_eq!(judge(&truth(), &Allowed::default()), Vec::new());
}

#[test]
fn dead_letters_are_counted_and_excuse_their_facts() {
    let mut evidence = truth();
    evidence.dead.push(letter(&evidence.pay[0], "order-svc-pay"));
    evidence.unapplied.push(unapplied(&evidence.pay[0]));
    assert_eq!(judge(&evidence, &Allowed { dead_letters: 1, ..Allowed::default() }), Vec::new());
    evidence.dead[0].durable = "reconcile-svc-pay".into();
    let found = judge(&evidence, &Allowed { dead_letters: 1, ..Allowed::default() });
    assert!(
        found.iter().any(|violation| violation.rule == Rule::Unapplied),
        "another consumer's letter excuses nobody"
    );
}

#[test]
fn a_record_that_may_be_forgotten_is_not_missed() {
    let mut evidence = truth();
    evidence.unapplied.push(unapplied(&evidence.pay[0]));
    evidence.looked_at = at() + SignedDuration::from_hours(39 * 24);
    assert!(found(&evidence).contains("has not recorded"));
    evidence.looked_at = at() + SignedDuration::from_hours(41 * 24);
    assert_eq!(found(&evidence), "");
}

#[test]
fn a_fact_that_is_told_again_after_the_duplicate_window_is_the_same_fact() {
    let mut evidence = truth();
    let mut again = evidence.pay[0].clone();
    again.published += SignedDuration::from_hours(1);
    paid(&mut again).bank_type = "OTHERS".into();
    evidence.pay.push(again);
    assert_eq!(found(&evidence), "");
}

#[test]
fn what_nobody_was_there_to_apply_is_not_missed() {
    let mut evidence = truth();
    evidence.applied = false;
    evidence.books = None;
    evidence.journal = None;
    evidence.order.retain(|fact| !fact.id.starts_with("paid:"));
    evidence.orders = vec![order_row(ORDER, "PENDING", 100, 1, None)];
    evidence.payments.truncate(1);
    evidence.payments[0].state = "PENDING".into();
    evidence.payments[0].refunded_fen = 0;
    evidence.refunds = Some(Vec::new());
    ledger(&mut evidence).orders.iter_mut().for_each(|order| order.refunds.clear());
    assert_eq!(found(&evidence), "");
}

#[test]
fn without_the_ledger_the_bus_is_the_witness() {
    let mut evidence = truth();
    evidence.ledger = None;
    assert_eq!(found(&evidence), "");
    evidence.payments[0].amount_fen = 99;
    assert!(found(&evidence).contains("and its fact says something else"));
}

#[test]
fn without_the_tables_of_refunds_their_rules_are_skipped_and_named() {
    let mut evidence = truth();
    evidence.refunds = None;
    evidence.journal = None;
    for (rule, word) in [(Rule::RefundState, "refunds"), (Rule::Transition, "state_changes")] {
        let why = rule.missing(&evidence).expect("it cannot be judged");
        assert!(why.contains(&format!("has no table {word}")), "{why}");
    }
    let found = judge(&evidence, &Allowed::default());
    assert!(found.iter().all(|violation| violation.rule.missing(&evidence).is_none()), "{found:#?}");
}

#[test]
fn what_is_older_than_the_journal_began_without_it() {
    let mut evidence = truth();
    let journal = evidence.journal.as_mut().expect("there is one");
    journal.begun = Some(at() + SignedDuration::from_secs(1));
    // What is left of the order is what it was when the journal began, and of the refund nothing.
    journal.changes.drain(..3);
    journal.changes[0].from_state = None;
    journal.changes.retain(|change| change.id != REFUND);
    assert_eq!(found(&evidence), "");
    evidence.journal.as_mut().expect("there is one").begun = Some(at());
    assert!(found(&evidence).contains("the journal knows nothing of refund"));
}

#[test]
fn what_may_be_unsettled_or_unknown_is_excused() {
    let mut evidence = truth();
    evidence.payments[1].state = "CREATED".into();
    evidence.payments[1].surplus = false;
    let found = judge(&evidence, &Allowed { unsettled: true, unknown: true, ..Allowed::default() });
    for rule in [Rule::MoneyUnlearned, Rule::Conservation, Rule::Unknown] {
        assert!(found.iter().all(|violation| violation.rule != rule), "{found:#?}");
    }
}

#[test]
fn money_held_by_a_person_need_not_go_back() {
    let mut evidence = truth();
    refund(&mut evidence, 1).state = "CLOSED".into();
    evidence.payments[1].surplus_held = true;
    assert!(!found(&evidence).contains("nobody holds it"));
}

#[test]
fn a_false_hint_about_a_refund_may_be_answered_with_success() {
    let mut evidence = truth();
    ledger(&mut evidence).callbacks[2].attempts[0].genuine = false;
    assert_eq!(found(&evidence), "");
}

#[test]
fn what_a_person_gave_back_in_the_merchant_platform_is_for_reconciliation() {
    let mut evidence = truth();
    let mut refund = ledger(&mut evidence).orders[0].refunds[0].clone();
    refund.out_refund_no = "50300".into();
    refund.amount_fen = 60;
    refund.source = RefundSource::VendorPlatform;
    ledger(&mut evidence).orders[0].refunds.push(refund);
    assert_eq!(found(&evidence), "");
    ledger(&mut evidence).orders[0].refunds[1].source = RefundSource::Api;
    assert!(found(&evidence).contains("WeChat has a refund 50300"));
    ledger(&mut evidence).orders[0].refunds[1].amount_fen = 61;
    assert!(found(&evidence).contains("WeChat gives 101 fen of"));
}
