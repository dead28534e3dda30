//! The walks of the machine as it is.

use crate::{
    config::{Config, Start},
    legal,
    walk::walk,
};

/// One attempt, two processes that are about it at once, three sendings.
pub(crate) const ONE_ATTEMPT: Config =
    Config { name: "one attempt, two processes", attempts: 1, sends: 3, desks: 2, ..Config::SMALL };
/// Two attempts; messages overtake each other, processes do not.
pub(crate) const TWO_ATTEMPTS: Config = Config { name: "two attempts", attempts: 2, sends: 2, ..Config::SMALL };
/// One refund, two processes that are about it at once, three sendings.
pub(crate) const ONE_REFUND: Config = Config {
    name: "one refund, two processes",
    start: Start::Paid,
    wishes: 1,
    refunds: 1,
    refund_sends: 3,
    given_up: 1,
    desks: 2,
    ..Config::SMALL
};
/// One refund, three processes that are about it at once.
const THREE_PROCESSES: Config = Config { name: "one refund, three processes", refund_sends: 2, desks: 3, ..ONE_REFUND };
/// Two refunds that must share a payment.
pub(crate) const TWO_REFUNDS: Config = Config {
    name: "two refunds",
    start: Start::Paid,
    wishes: 2,
    refunds: 2,
    refund_sends: 2,
    given_up: 2,
    desks: 1,
    ..Config::SMALL
};
/// A refund of the team, and one of the provider's console that we learn of by the bill alone.
const CONSOLE: Config =
    Config { name: "a refund and one of the console", console: true, wishes: 1, given_up: 1, ..TWO_REFUNDS };
/// One of the console alone, with two repairs that are about it at once.
const CONSOLE_TWICE: Config = Config {
    name: "a refund of the console, two repairs",
    console: true,
    wishes: 0,
    refunds: 1,
    refund_sends: 0,
    desks: 2,
    ..TWO_REFUNDS
};
/// Late money that the console gives back while we do.
const CONSOLE_AND_LATE_MONEY: Config =
    Config { name: "late money and the console", console: true, refunds: 4, given_up: 1, ..LATE_MONEY };
/// Money that may come too late for its order, and goes back until the provider has given that up too often.
pub(crate) const LATE_MONEY: Config = Config {
    name: "late money",
    start: Start::Accepted,
    sends: 1,
    refunds: 3,
    given_up: 3,
    hold: false,
    ..Config::SMALL
};
/// The same with a refund that the team wants of the same money.
const LATE_MONEY_AND_REFUND: Config =
    Config { name: "late money and a refund", wishes: 1, refunds: 4, refund_sends: 0, given_up: 1, ..LATE_MONEY };
/// Two attempts that are both paid: one payment is kept, one goes back, and the team wants a refund of either.
const PAID_TWICE: Config = Config {
    name: "paid twice",
    start: Start::AllPaid,
    attempts: 2,
    sends: 1,
    wishes: 1,
    refunds: 3,
    refund_sends: 0,
    hold: false,
    ..Config::SMALL
};
/// One attempt and one refund, with every event followed to its consumer.
pub(crate) const EVENTS: Config = Config {
    name: "events",
    start: Start::Accepted,
    sends: 1,
    wishes: 1,
    refunds: 1,
    given_up: 1,
    relay: true,
    ..Config::SMALL
};

/// One charge, two processes that are about it at once.
pub(crate) const ONE_CHARGE: Config =
    Config { name: "one charge, two processes", charges: 1, sends: 1, desks: 2, ..Config::SMALL };
/// One charge, three processes that are about it at once.
const ONE_CHARGE_THREE: Config = Config { name: "one charge, three processes", desks: 3, ..ONE_CHARGE };
/// A charge, and then whatever the payer wants to pay with.
pub(crate) const CHARGE_THEN_CASHIER: Config =
    Config { name: "a charge, then a cashier", attempts: 2, desks: 1, ..ONE_CHARGE };
/// A cashier that a charge supersedes.
const CASHIER_THEN_CHARGE: Config = Config { name: "a cashier, then a charge", charges: 2, ..CHARGE_THEN_CASHIER };
/// A code that did not work, and then a fresh one.
const TWO_CHARGES: Config = Config { name: "two charges", charges: 3, ..CHARGE_THEN_CASHIER };
/// One charge that is refunded, with every event followed to its consumer.
const CHARGE_EVENTS: Config =
    Config { name: "a charge and its events", desks: 1, wishes: 1, refunds: 1, given_up: 1, relay: true, ..ONE_CHARGE };

/// Walks and prints what was seen; fails with a shortest trace.
#[expect(clippy::print_stdout, reason = "whoever reads a walk wants to know how far it went")]
fn is_right(config: &Config, at_least: usize) {
    let began = std::time::Instant::now();
    let seen = walk(config).unwrap_or_else(|trace| panic!("{}: {trace}", config.name));
    println!(
        "{}: {} states, {} transitions, {} at rest, in {:.1?}",
        config.name,
        seen.states,
        seen.transitions,
        seen.at_rest,
        began.elapsed()
    );
    assert!(at_least < seen.states, "the walk has shrunk");
    assert!(0 < seen.at_rest);
}

#[test]
fn one_attempt_is_paid_or_ends_whatever_is_lost() {
    is_right(&ONE_ATTEMPT, 50_000);
}

#[test]
fn two_attempts_pay_an_order_once() {
    is_right(&TWO_ATTEMPTS, 400_000);
}

#[test]
fn one_refund_is_paid_once_whoever_sends_it() {
    is_right(&ONE_REFUND, 32_000);
}

#[test]
fn one_refund_is_paid_once_by_three_processes() {
    is_right(&THREE_PROCESSES, 80_000);
}

#[test]
fn two_refunds_never_exceed_their_payment() {
    is_right(&TWO_REFUNDS, 100_000);
}

#[test]
fn a_second_payment_goes_back_beside_a_refund() {
    is_right(&PAID_TWICE, 55_000);
}

#[test]
fn late_money_goes_back_or_waits_for_a_person() {
    is_right(&LATE_MONEY, 15_000);
    is_right(&LATE_MONEY_AND_REFUND, 19_000);
}

#[test]
fn a_refund_of_the_console_takes_from_its_payment_once_whatever_we_give_back_meanwhile() {
    is_right(&CONSOLE, 18_000);
    is_right(&CONSOLE_TWICE, 200);
    is_right(&CONSOLE_AND_LATE_MONEY, 10_000);
}

#[test]
fn what_happened_is_told_and_applied_once() {
    is_right(&EVENTS, 85_000);
}

#[test]
fn one_charge_is_paid_or_taken_back_whatever_is_lost() {
    is_right(&ONE_CHARGE, 12_000);
    is_right(&ONE_CHARGE_THREE, 43_000);
}

#[test]
fn a_charge_and_a_cashier_pay_an_order_once() {
    is_right(&CHARGE_THEN_CASHIER, 29_000);
    is_right(&CASHIER_THEN_CHARGE, 250_000);
    is_right(&TWO_CHARGES, 45_000);
}

#[test]
fn what_became_of_a_charge_is_told_and_applied_once() {
    is_right(&CHARGE_EVENTS, 46_000);
}

#[test]
fn every_transition_that_the_journal_allows_is_seen_and_no_other() {
    is_right(&Config { name: "one attempt, short", sends: 2, desks: 1, ..ONE_ATTEMPT }, 2_000);
    is_right(&Config { name: "two refunds, short", refund_sends: 1, ..TWO_REFUNDS }, 31_000);
    assert_eq!(legal::ORDERS.unseen(), []);
    assert_eq!(legal::PAYMENTS.unseen(), []);
    assert_eq!(legal::REFUNDS.unseen(), []);
}
