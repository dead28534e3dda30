use jiff::civil::date;
use money::Fen;
use reconciliation::{BoundaryMatch, Code, Leg};

use super::{codes, fen, only, tally};
use crate::world::{DAY, DAY_AFTER, DAY_BEFORE, World};

#[test]
fn a_payment_about_midnight_counts_on_the_day_whose_bill_has_it() {
    let mut world = World::default();
    world.pay(100).book_mut().paid_date = DAY_BEFORE;
    let outcome = world.outcome();
    assert_eq!((outcome.books, outcome.matched, outcome.differences.len()), (tally(1, 100), tally(1, 100), 0));
    let number = world.payments[0].row().transaction_id.clone();
    let (leg, amount) = (Leg::Trade, fen(100));
    assert_eq!(outcome.boundary, [BoundaryMatch { leg, number, book_date: DAY_BEFORE, amount, fee: Fen::ZERO }]);
}

#[test]
fn a_payment_that_another_days_bill_has_is_not_missing_and_not_counted() {
    let mut world = World::default();
    let payment = world.pay(100);
    (payment.billed, payment.flows) = (None, Vec::new());
    payment.book_mut().billed_on = Some(DAY_AFTER);
    let outcome = world.outcome();
    assert_eq!((outcome.books, outcome.differences.len()), (tally(0, 0), 0));
}

/// A payment that the bill has, as that of the day after does.
fn billed_twice() -> World {
    let mut world = World::default();
    let payment = world.pay(1000);
    (payment.book_mut().billed_on, payment.book_mut().billed) = (Some(DAY_AFTER), fen(1000));
    world
}

#[test]
fn a_payment_that_another_days_bill_has_as_well_is_p6_and_counts_in_the_books_of_that_day() {
    let mut world = billed_twice();
    let number = world.payments[0].row().transaction_id.clone();
    for (paid_date, row_is_of_books_day) in [(DAY, true), (DAY_BEFORE, false)] {
        world.payments[0].book_mut().paid_date = paid_date;
        let outcome = world.outcome();
        let found = only(&outcome);
        assert_eq!((found.code, found.risk, found.due, found.repair), (Code::P6, Fen::new(1000), None, None));
        assert_eq!((found.bill_amount, found.book_amount, found.app_id.as_str()), (fen(1000), None, "wx1"));
        assert_eq!((outcome.bill, outcome.books, outcome.matched), (tally(1, 1000), tally(0, 0), tally(0, 0)));
        let expected = "This day's bill has a payment of 10.00 yuan that the bill of 2026-11-21 has as well; our books have it once.";
        assert_eq!(found.explanation, expected, "{row_is_of_books_day}");
        // Its money moved here: the other day must not miss it.
        let (leg, amount, fee) = (Leg::Fund, fen(1000), Fen::new(6));
        let number = number.clone();
        assert_eq!(outcome.boundary, [BoundaryMatch { leg, number, book_date: DAY_AFTER, amount, fee }]);
    }
    world.payments[0].flows.clear();
    world.withdraw(1);
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, outcome.boundary.len()), (Code::P6, 0), "told once, not as F2 again");
}

#[test]
fn a_payment_whose_reversal_another_days_bill_has_is_this_days() {
    let mut world = billed_twice();
    world.payments[0].book_mut().billed = None;
    let outcome = world.outcome();
    assert_eq!((outcome.matched, outcome.differences.len()), (tally(1, 1000), 0));
}

#[test]
fn a_reversal_of_a_payment_of_the_day_before_is_told_without_an_amount() {
    let mut world = World::default();
    world.pay(100).reverse().book_mut().paid_date = DAY_BEFORE;
    world.payments[0].billed = None;
    let outcome = world.outcome();
    assert_eq!(
        outcome.boundary.iter().map(|found| (found.leg, found.amount)).collect::<Vec<_>>(),
        [(Leg::Trade, None)]
    );
}

#[test]
fn a_refund_that_another_days_bill_has_as_well_is_r3() {
    let mut world = World::default();
    world.pay(1000);
    world.refund(0, 400).book_mut().billed_on = Some(DAY_AFTER);
    let outcome = world.outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.risk, found.repair), (Code::R3, Fen::new(400), None));
    assert_eq!((found.bill_amount, found.book_amount), (fen(400), None));
    let refunds = (outcome.bill_refunds, outcome.book_refunds, outcome.matched_refunds);
    assert_eq!(refunds, (tally(1, 400), tally(0, 0), tally(0, 0)));
    assert_eq!((outcome.boundary.len(), outcome.boundary[0].fee), (1, Fen::new(-2)));
    let expected = "This day's bill gives back 4.00 yuan that the bill of 2026-11-21 gives back as well; our books give them back once.";
    assert_eq!(found.explanation, expected);
}

#[test]
fn a_payment_of_another_day_is_judged_like_one_of_this_day() {
    let mut world = World::default();
    world.pay(100).book_mut().paid_date = DAY_BEFORE;
    world.payments[0].row_mut().total_fee = Fen::new(101);
    assert_eq!(codes(&world), [Code::P6]);
    let mut world = World::default();
    world.pay(100).reverse().book_mut().paid_date = DAY_BEFORE;
    let outcome = world.outcome();
    assert_eq!((codes(&world), outcome.revoked), (vec![Code::P8], tally(1, 100)));
}

#[test]
fn a_movement_of_the_day_before_is_told_as_one_and_is_not_unexplained() {
    let mut world = World::default();
    let payment = world.pay(1000);
    let number = payment.row().transaction_id.clone();
    payment.billed = None;
    payment.book_mut().paid_date = DAY_BEFORE;
    let outcome = world.outcome();
    let (leg, amount, fee) = (Leg::Fund, fen(1000), Fen::new(6));
    assert_eq!(outcome.boundary, [BoundaryMatch { leg, number, book_date: DAY_BEFORE, amount, fee }]);
    assert_eq!((outcome.differences.len(), outcome.books), (0, tally(0, 0)));
    assert!(outcome.accounts[0].movements.iter().all(|moved| moved.of_trades));
}

#[test]
fn a_movement_of_a_payment_of_the_day_that_the_neighbours_bill_has_is_told_for_that_neighbour() {
    let mut world = World::default();
    let payment = world.pay(100);
    let number = payment.row().transaction_id.clone();
    payment.billed = None;
    // Before the neighbour's bill is there, it waits; the movement is explained all the same.
    world.as_of = DAY_AFTER;
    let outcome = world.outcome();
    let (leg, amount, fee) = (Leg::Fund, fen(100), Fen::new(1));
    assert_eq!(outcome.boundary, [BoundaryMatch { leg, number, book_date: DAY, amount, fee }]);
    assert_eq!(
        outcome.differences.iter().map(|it| (it.code, it.due)).collect::<Vec<_>>(),
        [(Code::P5, Some(date(2026, 11, 22)))]
    );
    world.payments[0].book_mut().billed_on = Some(DAY_AFTER);
    assert_eq!(codes(&world), []);
}
