//! Files that somebody made to hurt.

use money::{Fen, MilliFen};
use proptest::prelude::*;
use reconciliation::{Code, Refused};

use crate::codes::codes;
use crate::world::{Flow, World};

#[test]
fn sums_beyond_all_money_are_refused() {
    let mut world = World::default();
    world.fetched = [false; 3];
    let row = world.pay(100).row_mut();
    (row.total_fee, row.fee, row.rate) = (Fen::new(i64::MAX), MilliFen::ZERO, String::new());
    let mut files = world.files();
    assert!(matches!(world.reconcile_files(&files), Ok(outcome) if outcome.bill.sum.get() == i64::MAX));
    // The largest amount again, under other numbers, with a summary that nobody can write honestly.
    let text = String::from_utf8(files.trade.clone().expect("a bill")).expect("text");
    let row = text.lines().nth(1).expect("a row");
    let again = row.replace("`4200000001,", "`4200000002,").replace("`N00001,", "`N00002,");
    files.trade = Some(text.replace(row, &format!("{row}\r\n{again}")).into_bytes());
    assert!(matches!(world.reconcile_files(&files), Err(Refused::Control(_))));
}

#[test]
fn the_largest_amounts_in_every_column_are_told_without_a_panic() {
    for (largest, is_countable) in [(i64::MAX, false), (i64::MAX / 4, true)] {
        let mut world = World::default();
        world.withdraw(1);
        let payment = world.pay(1);
        let row = payment.row_mut();
        let amount = Fen::new(largest);
        (row.total_fee, row.settlement_total_fee, row.coupon_fee) = (amount, amount, amount);
        row.fee = MilliFen::new(-largest);
        if is_countable {
            assert_eq!(codes(&world), [Code::P6, Code::F1, Code::F2]);
        } else {
            assert!(
                matches!(world.reconcile(), Err(Refused::Control(_))),
                "what is at risk adds up to more than money"
            );
        }
    }
}

#[test]
fn negative_amounts_are_refused() {
    let mut world = World::default();
    world.pay(100).row_mut().coupon_fee = Fen::new(-1);
    assert_eq!(world.reconcile(), Err(Refused::Invalid("trade bill, line 2: an amount is negative".to_owned())));
}

#[test]
fn numbers_may_hold_anything_and_stay_what_they_are() {
    for number in ["0", "00", "a|b/c", "\\N", "\\", "'; DROP TABLE runs; --", "号", "=1+1"] {
        let mut world = World::default();
        let payment = world.pay(100);
        number.clone_into(&mut payment.row_mut().out_trade_no);
        number.clone_into(&mut payment.book_mut().out_trade_no);
        assert_eq!(codes(&world), [], "{number:?}");
        world.payments[0].row_mut().out_trade_no.push('x');
        assert_eq!(codes(&world), [Code::P3, Code::P5], "{number:?}");
    }
}

#[test]
fn an_unknown_word_is_told_without_its_control_characters_and_cut() {
    let mut world = World::default();
    world.flows[0].push(Flow::new(1, "4377", &format!("坏{}", "长".repeat(500)), 70));
    let outcome = world.outcome();
    assert!(outcome.differences[0].explanation.chars().count() < 200);
}

#[test]
fn more_differences_than_anybody_reads_are_told_as_that() {
    let mut world = World::default();
    world.fetched = [false; 3];
    for _ in 0..=reconciliation::MAX_DIFFERENCES {
        world.pay(2).book = None;
    }
    assert_eq!(world.reconcile(), Err(Refused::TooManyDifferences));
}

#[test]
fn one_transaction_under_two_of_our_numbers_gives_the_same_result_in_any_order() {
    let mut world = World::default();
    world.withdraw(1);
    world.pay(100);
    let mut twin = world.payments[0].clone();
    twin.flows.clear();
    twin.billed = None;
    twin.book_mut().out_trade_no = "N99999".to_owned();
    world.payments.push(twin);
    let one = world.outcome();
    world.payments.reverse();
    assert_eq!((one.digest(), codes(&world)), (world.outcome().digest(), vec![Code::P5]));
}

proptest! {
    #[test]
    fn no_bytes_make_the_engine_panic(
        at in 0..4,
        place in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..6),
        removed in 0_usize..4,
    ) {
        let mut world = World::default();
        world.pay(100);
        world.pay(70).reverse();
        world.refund(0, 40);
        world.withdraw(5);
        let mut files = world.files();
        let file = match at {
            0 => files.trade.as_mut().expect("a file"),
            1 => files.funds[0].as_mut().expect("a file"),
            2 => &mut files.payments,
            _ => &mut files.refunds,
        };
        let from = place.index(file.len());
        file.splice(from..(from + removed).min(file.len()), bytes);
        if let Ok(outcome) = world.reconcile_files(&files) {
            prop_assert!(outcome.is_conserved());
        }
    }
}
