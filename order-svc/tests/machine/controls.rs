//! Our side made wrong, one thing at a time: the walk must see each, and shows the shortest way to it.

use crate::{
    config::{Config, Fault},
    walk::walk,
    walks::{CHARGE_THEN_CASHIER, EVENTS, LATE_MONEY, ONE_ATTEMPT, ONE_CHARGE, ONE_REFUND, TWO_ATTEMPTS, TWO_REFUNDS},
};

/// Walks with `fault` and wants to be told `why` it is wrong.
#[expect(clippy::print_stdout, reason = "the shortest way to a fault is what a control shows")]
fn is_seen(config: &Config, fault: Fault, why: &str) {
    assert!(config.fault.is_none());
    match walk(&Config { fault: Some(fault), ..*config }) {
        Ok(seen) => panic!("{fault:?} was not seen: {seen:?}"),
        Err(trace) => {
            println!("{fault:?}: {trace}\n");
            assert!(trace.why.contains(why), "{fault:?} was seen as something else: {trace}");
        }
    }
}

const STUCK: &str = "no way to rest";

#[test]
fn a_refused_prepay_that_ends_what_was_sent_before_is_seen() {
    is_seen(&ONE_ATTEMPT, Fault::RefusedPrepayEnds, "attempt 0 is Failed and at the provider Open");
}

#[test]
fn a_close_that_is_believed_is_seen() {
    is_seen(&ONE_ATTEMPT, Fault::CloseIsBelieved, "attempt 0 is Closed and at the provider Open");
}

#[test]
fn an_unknown_number_that_ends_an_attempt_at_once_is_seen() {
    is_seen(&ONE_ATTEMPT, Fault::AttemptNeverArrivedAtOnce, "and at the provider Open");
}

#[test]
fn a_quiet_minute_that_is_measured_to_the_answer_is_seen() {
    is_seen(&ONE_ATTEMPT, Fault::JudgedWhenAnswered, "and at the provider Open");
    is_seen(&ONE_REFUND, Fault::JudgedWhenAnswered, "refund 0 is Rejected and at the provider Processing");
}

#[test]
fn a_process_that_sends_a_minute_after_its_write_breaks_the_assumption() {
    is_seen(&ONE_ATTEMPT, Fault::PausedSender, "and at the provider Open");
    is_seen(&ONE_REFUND, Fault::PausedSender, "refund 0 is Rejected and at the provider Processing");
}

#[test]
fn a_second_payment_that_is_kept_is_seen() {
    is_seen(&TWO_ATTEMPTS, Fault::SecondPaymentIsKept, "keeps the payments [0, 1]");
}

#[test]
fn two_versions_in_one_update_are_seen() {
    is_seen(&ONE_ATTEMPT, Fault::TwoVersionsAtOnce, "the order's version grew by 2 and not by 1");
}

#[test]
fn a_refused_refund_that_ends_what_was_sent_before_is_seen() {
    is_seen(&ONE_REFUND, Fault::RefusedRefundEnds, "refund 0 is Rejected and at the provider Processing");
}

#[test]
fn silence_that_is_taken_for_a_refusal_is_seen() {
    is_seen(&ONE_REFUND, Fault::SilenceIsRefusal, "refund 0 is Rejected and at the provider Processing");
}

#[test]
fn an_unknown_number_that_ends_a_refused_refund_at_once_is_seen() {
    is_seen(&ONE_REFUND, Fault::RefundNeverArrivedAtOnce, "refund 0 is Rejected and at the provider Processing");
}

#[test]
fn money_that_is_reserved_and_given_again_is_seen() {
    is_seen(&TWO_REFUNDS, Fault::ReservedIsForgotten, "the provider gives 3 back of attempt 0");
}

#[test]
fn money_that_bounced_and_is_free_is_seen() {
    is_seen(&TWO_REFUNDS, Fault::BouncedIsFree, "attempt 0 has other sums");
}

#[test]
fn an_event_outside_of_its_transaction_is_seen() {
    is_seen(&EVENTS, Fault::ToldAfterCommit, "Paid is not told");
}

#[test]
fn an_event_that_is_deleted_before_it_is_published_is_seen() {
    is_seen(&EVENTS, Fault::DeletedBeforePublished, "Paid is not told");
}

#[test]
fn a_consumer_without_a_record_is_seen() {
    is_seen(&EVENTS, Fault::NoRecord, "Paid is applied twice");
}

#[test]
fn money_that_only_the_bill_knows_is_lost_without_it() {
    is_seen(&Config { desks: 1, sends: 1, ..ONE_ATTEMPT }, Fault::NoBill, STUCK);
}

#[test]
fn surplus_money_that_nobody_decides_about_is_seen() {
    is_seen(&LATE_MONEY, Fault::SurplusIsForgotten, STUCK);
}

#[test]
fn refunds_that_nobody_asks_about_are_seen() {
    is_seen(&Config { desks: 1, refund_sends: 1, ..ONE_REFUND }, Fault::NobodyAsksAboutRefunds, STUCK);
}

#[test]
fn a_charge_that_is_sent_again_is_seen() {
    is_seen(&Config { sends: 2, ..ONE_CHARGE }, Fault::ChargeSentAgain, "charge 0 was sent 2 times");
}

#[test]
fn an_attempt_beside_an_undecided_charge_is_seen() {
    is_seen(&CHARGE_THEN_CASHIER, Fault::StartedBesideCharge, "another attempt was started beside charge 0");
}

#[test]
fn money_that_is_believed_while_it_is_taken_back_is_seen() {
    is_seen(&ONE_CHARGE, Fault::PaidWhileReversing, "is Kept and at the provider Reversed");
}

#[test]
fn a_reversal_that_leaves_before_its_mark_is_seen() {
    is_seen(&ONE_CHARGE, Fault::ReversedBeforeMark, "is Kept and at the provider Reversed");
}

#[test]
fn a_reversal_that_is_believed_is_seen() {
    is_seen(&ONE_CHARGE, Fault::ReversalIsBelieved, "charge 0 is Closed and at the provider Open");
}

#[test]
fn what_was_said_before_it_was_too_late_and_is_believed_is_seen() {
    is_seen(&ONE_CHARGE, Fault::SaidBeforeTooLate, "is Kept and at the provider Reversed");
}

#[test]
fn an_unknown_number_that_ends_a_charge_at_once_is_seen() {
    is_seen(&ONE_CHARGE, Fault::AttemptNeverArrivedAtOnce, "charge 0 is Closed and at the provider Open");
    is_seen(&ONE_CHARGE, Fault::JudgedWhenAnswered, "charge 0 is Closed and at the provider Open");
}

#[test]
fn a_charge_that_leaves_a_minute_after_its_write_breaks_the_assumption() {
    is_seen(&ONE_CHARGE, Fault::PausedSender, "charge 0 is Closed and at the provider Open");
}

#[test]
fn charges_that_are_closed_and_not_taken_back_are_seen() {
    is_seen(&ONE_CHARGE, Fault::ChargeIsClosed, STUCK);
    is_seen(&ONE_CHARGE, Fault::NobodyReverses, STUCK);
}
