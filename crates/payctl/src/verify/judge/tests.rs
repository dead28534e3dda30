//! Negative controls: from one true story, each rule is broken in turn, and must say so.

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

#[test]
fn a_true_story_is_believed() {
    assert_eq!(judge(&truth(), &Allowed::default()), Vec::new());
}

const PAYMENTS: &[(Rule, Spoil, &str)] = &[
    (Rule::PaidWithoutMoney, |e| ledger(e).orders[0].payment = None, "is SUCCEEDED, but WeChat has no payment of it"),
    (Rule::PaidWithoutMoney, |e| e.payments[0].app_id = "wx".into(), "is SUCCEEDED with other content than WeChat's"),
    (
        Rule::PaidWithoutMoney,
        |e| e.payments[0].paid_time.0 = Some(at() + SignedDuration::from_secs(1)),
        "is SUCCEEDED with other content than WeChat's",
    ),
    (Rule::MoneyUnlearned, |e| e.payments[0].state = "CLOSED".into(), "was paid at WeChat"),
    (Rule::MoneyUnlearned, |e| e.payments.clear(), "which was never written down here"),
    (
        Rule::MoneyUnlearned,
        |e| ledger(e).orders[0].payment.as_mut().expect("paid").amount_fen = 1,
        "and there is no dead letter of it",
    ),
    (Rule::FactBelied, |e| paid(&mut e.pay[0]).amount_fen = 1, "which WeChat does not know"),
    (
        Rule::ForgeryBelieved,
        |e| ledger(e).callbacks[0].attempts[0].genuine = false,
        "was believed that is not WeChat's",
    ),
    (Rule::SuccessUnpublished, |e| e.pay.clear(), "was answered with success, and paid:"),
    (Rule::SuccessUnpublished, |e| drop(e.pay.pop()), "was answered with success, and refund-noticed:"),
    (Rule::PaidWithoutFact, |e| e.pay.clear(), "and its fact is not on the bus"),
    (Rule::PaidWithoutFact, |e| paid(&mut e.pay[0]).app_id = "wx".into(), "and its fact says something else"),
    (Rule::FactUnbelieved, |e| e.payments.clear(), "which was never written down here"),
    (Rule::FactUnbelieved, |e| e.payments[0].transaction_id = Some("4201".into()), "is SUCCEEDED with 4201 here"),
    (Rule::KeptPayment, |e| e.orders[0].amount_fen = 1, "but not by the payment that it keeps"),
    (
        Rule::KeptPayment,
        |e| e.payments.push(PaymentRow { payment_id: Uuid::from_u128(99), ..e.payments[0].clone() }),
        "keeps 2 payments",
    ),
    (Rule::KeptPayment, |e| e.payments[1].surplus = false, "is CLOSED and keeps 1 payments"),
    (Rule::OpenAttempt, |e| e.payments[1].state = "PENDING".into(), "is CLOSED, but its attempt"),
    (
        Rule::OpenAttempt,
        |e| {
            e.payments[1].state = "CLOSED".into();
            ledger(e).orders[1].trade_state = "NOTPAY".into();
        },
        "would still take money",
    ),
    (Rule::OpenAttempt, |e| e.orders.clear(), "has no order"),
    (Rule::OneAnswer, |e| e.requests.shared.push((PAYMENT, 2)), "was written by 2 request ids"),
    (Rule::OneAnswer, |e| e.requests.answered_twice.push(("shop".into(), Uuid::nil())), "has an answer and a refusal"),
    (
        Rule::Conservation,
        |e| ledger(e).orders[0].payment.as_mut().expect("paid").amount_fen = 103,
        "are 130 fen here and 133 fen at WeChat: 3 fen apart",
    ),
];

#[test]
fn a_refund_of_the_console_that_was_imported_is_believed() {
    assert_eq!(judge(&truth_with_import(), &Allowed::default()), Vec::new());
}

const IMPORTED: &[(Rule, Spoil, &str)] = &[
    (Rule::RefundedTooMuch, |e| e.payments[0].refunded_fen = 40, "its refunds say 60 and 0"),
    (Rule::RefundedTooMuch, |e| refund(e, 2).amount_fen = 61, "but it was 100"),
    (Rule::RefundWithoutMoney, |e| drop(ledger(e).orders[0].refunds.pop()), "WeChat has given no such money back"),
    (
        Rule::RefundUnlearned,
        |e| ledger(e).orders[0].refunds[1].state = RefundState::RefundClose,
        "refund console-1 is REFUNDCLOSE at WeChat, but SUCCEEDED here",
    ),
    (Rule::RefundFact, |e| drop(e.pay.pop()), "refund console-1 is SUCCEEDED, and no fact"),
    (Rule::RefundFact, |e| refund(e, 2).external_no = Some("console-2".into()), "which was never written down here"),
    (Rule::Untold, |e| forget(e, "refund-accepted:"), "refund console-1 was accepted, and nobody was told"),
    (Rule::ToldFalsely, |e| refund(e, 2).cause = "REQUESTED".into(), "was told as written with other content"),
    (Rule::Untold, |e| forget(e, "repair-answered:"), "came to APPLIED, and nobody was told"),
    (
        Rule::RepairUnderWay,
        |e| {
            forget(e, "repair-answered:");
            e.repairs[0].outcome = None;
        },
        "is not answered yet",
    ),
    (Rule::ToldFalsely, |e| e.repairs[0].outcome = None, "was told with other content"),
    (Rule::ToldFalsely, |e| e.repairs[0].outcome = Some("CONFIRMED".into()), "was told with other content"),
    (Rule::ToldFalsely, |e| e.repairs.clear(), "about a repair that is not here"),
];

#[test]
fn what_is_wrong_about_an_imported_refund_or_a_repair_is_said() {
    for (rule, spoil, words) in IMPORTED {
        let mut evidence = truth_with_import();
        spoil(&mut evidence);
        let found = judge(&evidence, &Allowed::default());
        let said = found.iter().any(|violation| violation.rule == *rule && violation.sentence.contains(words));
        assert!(said, "{rule} does not say \"{words}\": {found:#?}");
    }
}

#[test]
fn a_charge_that_was_taken_back_is_believed() {
    assert_eq!(judge(&truth_with_reversed(), &Allowed::default()), Vec::new());
}

const REVERSED_CHARGE: &[(Rule, Spoil, &str)] = &[
    (
        Rule::PaidWithoutMoney,
        |e| {
            e.payments[2].state = "SUCCEEDED".into();
            e.payments[2].transaction_id = ledger(e).orders[2].payment.as_ref().map(|paid| paid.transaction_id.clone());
        },
        "is SUCCEEDED, but WeChat has taken its money back",
    ),
    (Rule::Conservation, |e| e.payments[2].state = "SUCCEEDED".into(), "30 fen apart"),
    (Rule::MoneyUnlearned, |e| ledger(e).orders[2].trade_state = "SUCCESS".into(), "was paid at WeChat"),
    (Rule::Conservation, |e| ledger(e).orders[2].trade_state = "SUCCESS".into(), "30 fen apart"),
    (Rule::OpenAttempt, |e| ledger(e).orders[2].trade_state = "USERPAYING".into(), "would still take money"),
    (Rule::FactUnbelieved, |e| e.payments[2].reversing = false, "is CLOSED with no transaction here"),
    (
        Rule::FactUnbelieved,
        |e| ledger(e).orders[2].trade_state = "SUCCESS".into(),
        "is CLOSED with no transaction here",
    ),
    (
        Rule::FactUnbelieved,
        |e| {
            e.payments[2].state = "FAILED".into();
            e.ledger = None;
        },
        "is FAILED with no transaction here",
    ),
    (Rule::Unknown, |e| e.payments[2].state = "PENDING".into(), "is being taken back"),
];

#[test]
fn what_is_wrong_about_a_charge_that_was_taken_back_is_said() {
    for (rule, spoil, words) in REVERSED_CHARGE {
        let mut evidence = truth_with_reversed();
        spoil(&mut evidence);
        let found = judge(&evidence, &Allowed::default());
        let said = found.iter().any(|violation| violation.rule == *rule && violation.sentence.contains(words));
        assert!(said, "{rule} does not say \"{words}\": {found:#?}");
    }
}

#[test]
fn a_charge_that_is_taken_back_and_disputed_waits_for_a_person_and_for_no_answer() {
    let mut evidence = truth_with_reversed();
    evidence.payments[2].state = "PENDING".into();
    let is_unknown =
        |evidence: &Evidence| judge(evidence, &Allowed::default()).iter().any(|found| found.rule == Rule::Unknown);
    assert!(is_unknown(&evidence));
    evidence.payments[2].disputed = true;
    assert!(!is_unknown(&evidence));
}

#[test]
fn a_payment_of_a_charge_is_excused_while_that_is_being_taken_back_or_once_it_was_refused_aloud() {
    let mut evidence = truth_with_reversed();
    evidence.ledger = None;
    let is_unbelieved = |evidence: &Evidence| {
        judge(evidence, &Allowed::default()).iter().any(|found| found.rule == Rule::FactUnbelieved)
    };
    assert!(is_unbelieved(&evidence));
    let open = |state: &str| {
        let mut evidence = evidence.clone();
        evidence.payments[2].state = state.into();
        evidence
    };
    assert!(!is_unbelieved(&open("PENDING")) && !is_unbelieved(&open("CREATED")));
    let fact = evidence.pay.last().expect("it was told").clone();
    evidence.dead.push(DeadLetter {
        id: fact.id,
        durable: "order-svc-pay".into(),
        reason: "taken back".into(),
        subject: fact.subject,
        sequence: fact.sequence,
    });
    assert!(!is_unbelieved(&evidence));
}

fn refund(evidence: &mut Evidence, at: usize) -> &mut crate::verify::RefundRow {
    &mut evidence.refunds.as_mut().expect("there are some")[at]
}

const REFUNDS: &[(Rule, Spoil, &str)] = &[
    (Rule::RefundedTooMuch, |e| e.payments[0].refunded_fen = 41, "says that 41 fen are back"),
    (Rule::RefundedTooMuch, |e| refund(e, 0).amount_fen = 101, "101 fen of"),
    (Rule::RefundedTooMuch, |e| refund(e, 0).payment_id = SURPLUS, "is of no payment that agrees with it"),
    (Rule::RefundedTooMuch, |e| refund(e, 0).total_fen = 1, "is of no payment that agrees with it"),
    (Rule::RefundWithoutMoney, |e| ledger(e).orders[0].refunds.clear(), "WeChat has given no such money back"),
    (Rule::RefundWithoutMoney, |e| ledger(e).orders[0].refunds[0].amount_fen = 101, "WeChat gives 101 fen of"),
    (Rule::RefundWithoutMoney, |e| ledger(e).orders[0].refunds[0].amount_fen = 41, "WeChat has refund"),
    (Rule::RefundWithoutMoney, |e| e.refunds.as_mut().expect("some").clear(), "which was never written down here"),
    (Rule::RefundUnlearned, |e| ledger(e).orders[1].refunds[0].state = RefundState::Success, "but PROCESSING here"),
    (Rule::RefundUnlearned, |e| refund(e, 1).state = "REJECTED".into(), "is PROCESSING at WeChat, but REJECTED here"),
    (Rule::RefundFact, |e| drop(e.pay.remove(1)), "and no fact that agrees with it is on the bus"),
    (Rule::RefundFact, |e| refund(e, 0).state = "PROCESSING".into(), "is otherwise here"),
    (Rule::RefundFact, |e| e.refunds.as_mut().expect("some").clear(), "which was never written down here"),
    (Rule::RefundState, |e| e.orders[0].state = "PAID".into(), "40 of its 100 fen are back"),
    (Rule::SurplusUncovered, |e| refund(e, 1).state = "CLOSED".into(), "0 fen go back, and nobody holds it"),
    (Rule::Conservation, |e| ledger(e).orders[0].refunds[0].state = RefundState::Processing, "40 fen apart"),
];

const TOLD: &[(Rule, Spoil, &str)] = &[
    (Rule::Untold, |e| forget(e, "created:"), "nobody was told that order"),
    (Rule::Untold, |e| forget(e, "paid:"), "is PARTIALLY_REFUNDED, and nobody was told"),
    (Rule::Untold, |e| forget(e, "closed:"), "is CLOSED, and nobody was told"),
    (Rule::Untold, |e| forget(e, "payment-created:"), "nobody was told that"),
    (Rule::Untold, |e| forget(e, "surplus:"), "is a surplus, and nobody was told"),
    (Rule::Untold, |e| forget(e, "refund-created:"), "nobody was told that refund"),
    (Rule::Untold, |e| forget(e, "refund-accepted:"), "was accepted, and nobody was told"),
    (
        Rule::ToldFalsely,
        |e| refund(e, 0).provider_refund_id = Some("51".into()),
        "was told as accepted with other content",
    ),
    (Rule::ToldFalsely, |e| refund(e, 1).state = "CREATED".into(), "about a refund that is CREATED"),
    (Rule::Untold, |e| forget(e, "refunded:"), "is SUCCEEDED, and nobody was told"),
    (Rule::Untold, |e| refund(e, 1).state = "ABNORMAL".into(), "was ABNORMAL, and nobody was told"),
    (Rule::Untold, |e| refund(e, 1).state = "REJECTED".into(), "was REJECTED, and nobody was told"),
    (Rule::ToldFalsely, |e| e.orders[0].state = "PENDING".into(), "was told as paid, and is PENDING"),
    (Rule::ToldFalsely, |e| e.orders[1].state = "PENDING".into(), "was told as closed, and is PENDING"),
    (Rule::ToldFalsely, |e| e.payments[1].surplus = false, "was told as a surplus, and is none"),
    (Rule::ToldFalsely, |e| e.orders[0].paid_payment_id = Some(SURPLUS), "was told as paid with other content"),
    (Rule::ToldFalsely, |e| e.orders[1].amount_fen = 71, "was told as closed with other content"),
    (Rule::ToldFalsely, |e| refund(e, 0).cause = "SURPLUS".into(), "was told as SUCCEEDED with other content"),
    (Rule::ToldFalsely, |e| e.payments[0].refunded_fen = 39, "was told as SUCCEEDED with other content"),
    (Rule::ToldFalsely, |e| refund(e, 0).state = "PROCESSING".into(), "about a refund that is PROCESSING"),
    (
        Rule::ToldFalsely,
        |e| {
            let failed = RefundFailed {
                order: format!("orders/{CLOSED}"),
                refund: format!("orders/{CLOSED}/refunds/{}", truth::SURPLUS_REFUND),
                app: "shop".into(),
                state: "ABNORMAL".into(),
                ..RefundFailed::default()
            };
            e.order.push(fact(&failed));
        },
        "about a refund that is PROCESSING",
    ),
    (Rule::ToldFalsely, |e| drop(e.orders.remove(0)), "about an order that is not here"),
    (Rule::ToldFalsely, |e| e.pay[0].news = News::Nonsense("it is XML".into()), "is no fact: it is XML"),
    (Rule::ToldTwice, |e| e.order.push(e.order[2].clone()), "is 2 times on the bus"),
    (
        Rule::ToldTwice,
        |e| {
            let mut other = e.pay[0].clone();
            other.published += SignedDuration::from_hours(24);
            paid(&mut other).amount_fen = 1;
            e.pay.push(other);
        },
        "is on the bus with two contents",
    ),
    (Rule::Unapplied, |e| e.unapplied.push(unapplied(&e.pay[0])), "has not recorded"),
    (Rule::DeadLetters, |e| e.dead.push(letter(&e.pay[0], "order-svc-pay")), "1 dead letters instead of 0"),
    (Rule::BooksDiffer, |e| e.books.as_mut().expect("kept").taken.clear(), "do not hold as taken"),
    (Rule::BooksDiffer, |e| e.books.as_mut().expect("kept").taken[0].amount_fen = 1, "the books hold as taken"),
    (Rule::BooksDiffer, |e| e.books.as_mut().expect("kept").told.clear(), "do not hold as told"),
    (Rule::BooksDiffer, |e| e.pay.clear(), "the books hold as told what the bus does not say"),
];

fn change(evidence: &mut Evidence, at: usize) -> &mut crate::verify::ChangeRow {
    &mut evidence.journal.as_mut().expect("there is one").changes[at]
}

const CHANGES: &[(Rule, Spoil, &str)] = &[
    (
        Rule::Transition,
        |e| change(e, 3).to_state = "CLOSED".into(),
        "went from PAID to CLOSED (change 3), which is illegal",
    ),
    (
        Rule::Transition,
        |e| change(e, 0).to_state = "PAID".into(),
        "went from nothing to PAID (change 0), which is illegal",
    ),
    (Rule::Transition, |e| change(e, 6).from_state = Some("CREATED".into()), "but it was PENDING"),
    (Rule::Transition, |e| e.payments[0].state = "CLOSED".into(), "but its last change made it SUCCEEDED"),
    (Rule::Transition, |e| e.journal.as_mut().expect("one").changes.clear(), "the journal knows nothing of order"),
    (Rule::Transition, |e| e.refunds.as_mut().expect("some").clear(), "which is not here"),
    (Rule::Transition, |e| drop(e.journal.as_mut().expect("one").changes.remove(4)), "but it was nothing"),
    (Rule::Sequence, |e| change(e, 2).version = Some(4), "has version Some(4) where 3 was due"),
    (
        Rule::Sequence,
        |e| drop(e.journal.as_mut().expect("one").changes.remove(1)),
        "has version Some(3) where 2 was due",
    ),
    (Rule::Sequence, |e| e.orders[0].version = 5, "but its last change was version 4"),
];

const UNDER_WAY: &[(Rule, Spoil, &str)] = &[
    (
        Rule::RepairUnderWay,
        |e| {
            let (repair_id, discrepancy_id) = (truth::REPAIR, Uuid::nil());
            e.repairs.push(RepairRow { repair_id, discrepancy_id, merchant: "acme-mini".into(), outcome: None });
        },
        "is not answered yet",
    ),
    (Rule::CallbackUnderWay, |e| ledger(e).callbacks[0].state = CallbackState::Sending, "is under way"),
    (
        Rule::CallbackUnderWay,
        |e| {
            ledger(e).callbacks[0].state = CallbackState::Waiting;
            ledger(e).callbacks[0].next_attempt_at = Some(at());
        },
        "is under way",
    ),
    (
        Rule::Outbox,
        |e| e.waiting.push(Waiting::Outbox { service: "order-svc", event_id: "paid:1".into() }),
        "paid:1 waits in the outbox of order-svc",
    ),
    (
        Rule::Backlog,
        |e| e.waiting.push(Waiting::Backlog { durable: "order-svc-pay", pending: 0, unacked: 1, acked_up_to: 7 }),
        "order-svc-pay has messages that it has not acked, after message 7",
    ),
    (
        Rule::Backlog,
        |e| e.waiting.push(Waiting::NoDurable { durable: "order-svc-pay" }),
        "there is no durable order-svc-pay",
    ),
    (Rule::Unknown, |e| e.payments[0].state = "CREATED".into(), "nobody knows whether WeChat has accepted"),
    (
        Rule::Unknown,
        |e| {
            refund(e, 1).state = "CREATED".into();
            refund(e, 1).waiting = Some("ANSWER".into());
        },
        "nobody knows whether WeChat has accepted refund",
    ),
];

#[test]
fn every_broken_promise_is_named() {
    let mut broken = BTreeSet::new();
    for (rule, spoil, expected) in [PAYMENTS, REFUNDS, TOLD, CHANGES, UNDER_WAY].concat() {
        let mut evidence = truth();
        spoil(&mut evidence);
        let found = judge(&evidence, &Allowed::default());
        let named = found.iter().any(|violation| violation.rule == rule && violation.sentence.contains(expected));
        assert!(named, "{rule} with {expected:?} is not in {found:#?}");
        broken.insert(rule);
    }
    let all: BTreeSet<Rule> = Rule::ALL.iter().copied().collect();
    assert_eq!(broken, all, "every rule is able to fail");
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
