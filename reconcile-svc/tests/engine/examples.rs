use money::Fen;
use reconcile_svc::engine::{BookPayment, Code, EngineError, RowKind, Tally};

use crate::day::{DAY_BEFORE, Day, Story, codes};

fn only(fen: i64, story: Story) -> reconcile_svc::engine::Outcome {
    Day::of(&[(fen, story)]).outcome()
}

fn tally(count: i64, fen: i64) -> Tally {
    Tally { count, sum: Fen::new(fen) }
}

#[test]
fn a_day_on_which_everything_agrees_is_balanced() {
    let outcome = Day::of(&[(100, Story::Agrees), (250, Story::AgreesWithoutFact)]).outcome();
    assert_eq!((outcome.bill, outcome.books, outcome.matched), (tally(2, 350), tally(2, 350), tally(2, 350)));
    assert_eq!(outcome.differences, []);
    assert_eq!(outcome.fee.to_yuan(), "0.02100");
}

#[test]
fn a_day_without_anything_on_either_side_is_balanced() {
    let outcome = Day::default().outcome();
    assert_eq!((outcome.bill, outcome.books, outcome.differences.len()), (tally(0, 0), tally(0, 0), 0));
}

#[test]
fn a_payment_in_the_bill_that_is_still_open_here_is_p1_with_the_app_to_ask_under() {
    let outcome = only(100, Story::Pending);
    assert_eq!(codes(&outcome), [Code::P1]);
    let found = &outcome.differences[0];
    assert_eq!((found.bill_amount, found.book_amount, found.app_id.as_str()), (Some(Fen::new(100)), None, "wx1"));
    assert_eq!((outcome.bill, outcome.books), (tally(1, 100), tally(0, 0)));
}

#[test]
fn a_payment_that_the_provider_told_and_no_order_took_is_p1_and_counts_on_both_sides() {
    let outcome = only(100, Story::ToldOnly);
    assert_eq!(codes(&outcome), [Code::P1]);
    let found = &outcome.differences[0];
    assert_eq!((found.bill_amount, found.book_amount), (Some(Fen::new(100)), Some(Fen::new(100))));
    assert!(found.explanation.contains("no order took them"), "{}", found.explanation);
    assert_eq!((outcome.bill, outcome.books, outcome.matched), (tally(1, 100), tally(1, 100), tally(0, 0)));
}

#[test]
fn a_payment_that_the_provider_told_and_the_same_bill_takes_back_is_none_unless_an_order_took_it() {
    let outcome = Day::of(&[(100, Story::ToldAndReversed), (250, Story::Agrees)]).outcome();
    assert_eq!(codes(&outcome), []);
    assert_eq!((outcome.bill, outcome.books, outcome.revoked), (tally(1, 250), tally(1, 250), tally(1, 100)));
    let mut day = Day::of(&[(100, Story::ToldAndReversed)]);
    day.bill.remove(0);
    assert_eq!(codes(&day.outcome()), [], "whether the bill has its payment or not");
    day.books[0].order_amount = Some(Fen::new(100));
    assert_eq!(codes(&day.outcome()), [Code::P8]);
}

#[test]
fn a_number_that_we_never_issued_is_p3() {
    assert_eq!(codes(&only(100, Story::Unknown)), [Code::P3]);
}

#[test]
fn a_payment_that_only_a_message_of_the_provider_knows_is_p3_when_billed_and_p5_when_not() {
    let mut day = Day::of(&[(100, Story::Agrees)]);
    day.books[0] = BookPayment { issued_amount: None, order_amount: None, ..day.books[0].clone() };
    assert_eq!(codes(&day.outcome()), [Code::P3]);
    day.bill.clear();
    let outcome = day.outcome();
    assert_eq!(codes(&outcome), [Code::P5]);
    assert!(outcome.differences[0].explanation.contains("neither the bill nor any order"));
}

#[test]
fn a_payment_that_the_bill_does_not_have_is_p5() {
    let outcome = only(100, Story::BookOnly);
    assert_eq!(codes(&outcome), [Code::P5]);
    assert_eq!((outcome.differences[0].bill_amount, outcome.differences[0].book_amount), (None, Some(Fen::new(100))));
}

#[test]
fn a_fen_more_or_less_is_p6() {
    for by in [1, -1] {
        let outcome = only(100, Story::AmountDiffers(by));
        assert_eq!(codes(&outcome), [Code::P6]);
        assert_eq!(outcome.matched, tally(0, 0));
    }
}

#[test]
fn legs_of_our_own_that_disagree_are_p6_even_when_one_agrees_with_the_bill() {
    let mut day = Day::of(&[(100, Story::Agrees)]);
    day.books[0].fact_amount = Some(Fen::new(101));
    let outcome = day.outcome();
    assert_eq!(codes(&outcome), [Code::P6]);
    assert_eq!(
        outcome.differences[0].explanation,
        "The bill has 1.00 yuan, we asked for 1.00 yuan, the order took 1.00 yuan, the provider's message said 1.01 yuan."
    );
}

#[test]
fn money_told_by_the_provider_that_is_not_what_we_asked_for_never_agrees() {
    let mut day = Day::of(&[(100, Story::AmountDiffers(100))]);
    day.books[0] = BookPayment { order_amount: None, fact_amount: Some(Fen::new(200)), ..day.books[0].clone() };
    let outcome = day.outcome();
    assert_eq!(codes(&outcome), [Code::P6]);
    assert_eq!(outcome.differences[0].book_amount, Some(Fen::new(100)));
}

#[test]
fn a_revoked_payment_that_we_keep_as_paid_is_p8() {
    let outcome = only(100, Story::Revoked);
    assert_eq!(codes(&outcome), [Code::P8]);
    assert_eq!((outcome.bill, outcome.books, outcome.revoked), (tally(0, 0), tally(1, 100), tally(1, 100)));
}

#[test]
fn a_payment_and_its_reversal_in_one_bill_are_one_p8() {
    let mut day = Day::of(&[(100, Story::Agrees)]);
    let mut reversal = day.bill[0].clone();
    reversal.kind = RowKind::Revoked;
    day.bill.push(reversal);
    let outcome = day.outcome();
    assert_eq!(codes(&outcome), [Code::P8]);
    assert_eq!((outcome.bill, outcome.books), (tally(1, 100), tally(1, 100)));
}

#[test]
fn a_revoked_payment_that_we_never_had_as_paid_agrees() {
    let mut day = Day::of(&[(100, Story::Revoked)]);
    day.books.clear();
    let outcome = day.outcome();
    assert_eq!((codes(&outcome), outcome.revoked), (vec![], tally(1, 100)));
    day.bill.push(day.bill[0].clone());
    assert_eq!(day.compare().err(), Some(EngineError::Duplicate));
}

#[test]
fn a_payment_that_the_same_bill_takes_back_is_none_whoever_gave_out_its_number() {
    for (story, ours) in [(Story::Pending, true), (Story::Unknown, false)] {
        let mut day = Day::of(&[(100, story), (250, Story::Agrees)]);
        let mut reversal = day.bill[0].clone();
        reversal.kind = RowKind::Revoked;
        for at_the_end in [true, false] {
            let mut day = day.clone();
            day.bill.insert(if at_the_end { day.bill.len() } else { 0 }, reversal.clone());
            let outcome = day.outcome();
            assert_eq!(codes(&outcome), [], "{ours}");
            assert_eq!((outcome.bill, outcome.matched), (tally(1, 250), tally(1, 250)));
            assert_eq!(outcome.revoked, tally(1, 100));
        }
        reversal.transaction = "4299999".to_owned();
        day.bill.push(reversal);
        assert_eq!(day.outcome().differences.len(), 1, "another payment's reversal takes nothing back");
    }
}

#[test]
fn a_reversal_of_a_payment_of_another_day_of_our_books_is_p8() {
    let mut day = Day::of(&[(100, Story::AboutMidnight)]);
    day.bill[0].kind = RowKind::Revoked;
    let outcome = day.outcome();
    assert_eq!((codes(&outcome), outcome.revoked), (vec![Code::P8], tally(1, 100)));
}

#[test]
fn refunds_are_counted_apart_and_not_compared() {
    let outcome = only(100, Story::Refunded);
    assert_eq!((outcome.refunds, outcome.matched), (tally(1, 100), tally(1, 100)));
    assert_eq!(codes(&outcome), []);
}

#[test]
fn the_same_number_under_another_transaction_is_another_payment() {
    let mut day = Day::of(&[(100, Story::Agrees)]);
    day.bill[0].transaction = "4299999".to_owned();
    assert_eq!(codes(&day.outcome()), [Code::P1, Code::P5]);
}

#[test]
fn a_payment_about_midnight_counts_on_the_day_whose_bill_has_it() {
    let outcome = only(100, Story::AboutMidnight);
    assert_eq!((outcome.books, outcome.matched), (tally(1, 100), tally(1, 100)));
    assert_eq!(outcome.boundary.len(), 1);
    assert_eq!(outcome.boundary[0].book_date, DAY_BEFORE);
    let neighbour = only(100, Story::BilledElsewhere);
    assert_eq!((neighbour.books, neighbour.differences.len()), (tally(0, 0), 0));
}

#[test]
fn the_same_payment_twice_on_one_side_is_refused() {
    for story in [Story::Agrees, Story::Unknown, Story::Pending, Story::Revoked] {
        let mut day = Day::of(&[(100, story)]);
        day.bill.push(day.bill[0].clone());
        assert_eq!(day.compare().err(), Some(EngineError::Duplicate), "{story:?}");
    }
    let mut day = Day::of(&[(100, Story::BookOnly)]);
    day.books.push(day.books[0].clone());
    assert_eq!(day.compare().err(), Some(EngineError::Duplicate));
}

#[test]
fn sums_beyond_all_money_are_refused() {
    let mut day = Day::of(&[(1, Story::Unknown), (1, Story::Unknown)]);
    day.bill.iter_mut().for_each(|row| (row.fen, row.fee_milli_fen) = (i64::MAX, 0));
    assert_eq!(day.compare().err(), Some(EngineError::Overflow));
}
