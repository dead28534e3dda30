use jiff::civil::date;
use money::Fen;
use reconciliation::{BoundaryMatch, Code, Leg};

use super::{codes, fen, tally};
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

#[test]
fn a_payment_that_both_bills_have_is_this_days_too() {
    let mut world = World::default();
    world.pay(100).book_mut().billed_on = Some(DAY_AFTER);
    assert_eq!(world.outcome().matched, tally(1, 100));
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
