use money::{Fen, MilliFen};
use reconciliation::Code;

use super::{codes, only};
use crate::world::{Flow, World};

/// A payment of 100 yuan whose fee in the bill is so many milli-fen; 60 000 would be right.
fn fee(milli_fen: i64) -> World {
    let mut world = World::default();
    world.pay(10_000).row_mut().fee = MilliFen::new(milli_fen);
    world
}

#[test]
fn a_fee_within_a_fen_of_its_rate_is_none_and_one_beyond_is_f1() {
    for (milli_fen, expected) in
        [(60_000, vec![]), (61_000, vec![]), (59_000, vec![]), (61_001, vec![Code::F1]), (58_999, vec![Code::F1])]
    {
        assert_eq!(codes(&fee(milli_fen)), expected, "{milli_fen}");
    }
    let outcome = fee(160_000).outcome();
    let found = only(&outcome);
    assert_eq!((found.risk, found.repair, found.bill_amount, found.book_amount), (Fen::new(100), None, None, None));
    assert!(
        found.explanation.starts_with("The fee is 1.60000 yuan; its rate on 100.00 yuan makes 0.60000 yuan."),
        "{}",
        found.explanation
    );
    assert_eq!(outcome.matched.count, 1, "a fee takes nothing out of what agrees");
}

#[test]
fn a_rate_that_cannot_be_read_is_f1_and_one_that_is_not_told_is_none() {
    for (rate, expected) in [("", vec![]), ("0.6%", vec![]), ("0.60", vec![Code::F1]), ("-0.60%", vec![Code::F1])] {
        let mut world = World::default();
        rate.clone_into(&mut world.pay(10_000).row_mut().rate);
        assert_eq!(codes(&world), expected, "{rate:?}");
    }
}

#[test]
fn a_refund_gives_its_fee_back() {
    for (milli_fen, expected) in [(-24_000, vec![]), (24_000, vec![Code::F1]), (0, vec![Code::F1])] {
        let mut world = World::default();
        world.pay(10_000);
        world.refund(0, 4_000).billed.as_mut().expect("billed").fee = MilliFen::new(milli_fen);
        assert_eq!(codes(&world), expected, "{milli_fen}");
    }
}

#[test]
fn a_reversal_gives_its_fee_back() {
    let mut world = World::default();
    world.pay(10_000).reverse().book = None;
    assert_eq!(codes(&world), []);
    world.payments[0].revoked.as_mut().expect("reversed").fee = MilliFen::ZERO;
    assert_eq!(codes(&world), [Code::F1]);
}

#[test]
fn what_the_account_was_charged_is_within_a_fen_of_the_bills_fee_or_f1() {
    for (charged, expected) in
        [(-60, vec![]), (-61, vec![]), (-59, vec![]), (-62, vec![Code::F1]), (-58, vec![Code::F1])]
    {
        let mut world = World::default();
        world.pay(10_000).flows[1].fen = charged;
        assert_eq!(codes(&world), expected, "{charged}");
    }
    let mut world = World::default();
    world.pay(10_000).flows.pop();
    world.pay(10_000);
    assert!(only(&world.outcome()).explanation.contains("was charged 0.00 yuan"));
}

#[test]
fn merchants_who_settle_fees_elsewhere_miss_no_fee_movement() {
    let mut world = World::default();
    world.pay(10_000).flows.pop();
    world.pay(20_000).flows.pop();
    assert_eq!(codes(&world), []);
    world.flows[2].push(Flow::new(9_000, "4200000001", "扣除交易手续费", -180));
    assert_eq!(codes(&world), [], "nor are the movements of the account for it unexplained");
}

#[test]
fn a_fee_that_is_wrong_by_rate_and_by_movement_is_one_difference() {
    let mut world = fee(160_000);
    world.payments[0].flows[1].fen = -100;
    let outcome = world.outcome();
    assert!(only(&outcome).explanation.contains("its rate") && only(&outcome).explanation.contains("was charged"));
}

#[test]
fn fees_are_judged_by_their_rate_also_without_a_fund_flow() {
    let mut world = fee(160_000);
    world.fetched = [false; 3];
    assert_eq!(codes(&world), [Code::F1]);
}
