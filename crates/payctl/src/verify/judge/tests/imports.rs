//! Refunds of WeChat's console, and the repairs that brought them.

use super::*;

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
