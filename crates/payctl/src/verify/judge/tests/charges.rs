//! Charges of a till that were taken back.

use super::*;

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
