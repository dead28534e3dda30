use jiff::civil::date;
use money::Fen;
use reconciliation::books::RefundState;
use reconciliation::{Code, Repair};

use super::{codes, fen, only, tally};
use crate::world::{DAY_AFTER, DAY_BEFORE, Refund, World};

/// A payment of 100 fen of which 40 go back.
fn refunded() -> World {
    let mut world = World::default();
    world.pay(100);
    world.refund(0, 40);
    world
}

fn with(spoil: impl FnOnce(&mut Refund)) -> World {
    let mut world = refunded();
    spoil(&mut world.refunds[0]);
    world
}

fn not_billed(refund: &mut Refund) {
    (refund.billed, refund.flows) = (None, Vec::new());
}

#[test]
fn a_refund_that_both_sides_have_agrees() {
    let outcome = refunded().outcome();
    assert_eq!(
        (outcome.bill_refunds, outcome.book_refunds, outcome.matched_refunds),
        (tally(1, 40), tally(1, 40), tally(1, 40))
    );
    assert_eq!((outcome.differences.len(), outcome.matched), (0, tally(1, 100)));
}

#[test]
fn a_refund_of_the_providers_console_is_r1_and_imported() {
    let outcome = with(|refund| refund.book = None).outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.repair, found.risk), (Code::R1, Some(Repair::ImportRefund), Fen::new(40)));
    assert_eq!((found.bill_amount, found.book_amount, found.app_id.as_str()), (fen(40), None, "wx1"));
    assert_eq!((outcome.bill_refunds, outcome.book_refunds), (tally(1, 40), tally(0, 0)));
}

#[test]
fn a_refund_that_we_say_the_provider_refused_is_r1_and_asked_about() {
    let outcome = with(|refund| refund.book_mut().state = RefundState::Rejected).outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.repair), (Code::R1, Some(Repair::QueryRefund)));
    assert_eq!((found.bill_amount, found.book_amount, outcome.matched_refunds), (fen(40), fen(40), tally(0, 0)));
}

#[test]
fn a_refused_refund_that_no_bill_has_is_nothing() {
    let outcome = with(|refund| {
        not_billed(refund);
        refund.book_mut().state = RefundState::Rejected;
    })
    .outcome();
    assert_eq!((outcome.differences.len(), outcome.book_refunds), (0, tally(0, 0)));
}

#[test]
fn a_refund_that_the_bill_does_not_have_is_r2_from_the_second_day_after_also_when_it_was_closed() {
    for state in [RefundState::Processing, RefundState::Succeeded, RefundState::Closed] {
        let mut world = with(|refund| {
            not_billed(refund);
            refund.book_mut().state = state;
        });
        for (as_of, due) in [(DAY_AFTER, Some(date(2026, 11, 22))), (date(2026, 11, 22), None)] {
            world.as_of = as_of;
            let outcome = world.outcome();
            let found = only(&outcome);
            assert_eq!((found.code, found.due, found.repair), (Code::R2, due, Some(Repair::QueryRefund)), "{state:?}");
        }
    }
}

#[test]
fn a_fen_more_or_less_in_any_leg_of_a_refund_is_r3() {
    for by in [1, -1] {
        let other = Fen::new(40 + by);
        for leg in 0..3 {
            let outcome = with(|refund| match leg {
                0 => refund.bill_mut().refund_fee = other,
                1 => refund.book_mut().amount = other,
                _ => refund.book_mut().fact = Some(other),
            })
            .outcome();
            let found = only(&outcome);
            assert_eq!((found.code, found.repair, found.risk), (Code::R3, None, Fen::new(1)), "leg {leg}");
            assert_eq!(outcome.matched_refunds, tally(0, 0));
        }
    }
}

#[test]
fn a_refund_of_which_nothing_was_told_yet_agrees() {
    assert_eq!(codes(&with(|refund| refund.book_mut().fact = None)), []);
}

#[test]
fn a_refund_under_way_is_r4_after_three_working_days_and_agrees_all_the_time() {
    let mut world = with(|refund| refund.book_mut().state = RefundState::Processing);
    // The day is a Friday: Monday, Tuesday and Wednesday are its three working days.
    for (as_of, due) in [
        (DAY_AFTER, Some(date(2026, 11, 26))),
        (date(2026, 11, 25), Some(date(2026, 11, 26))),
        (date(2026, 11, 26), None),
    ] {
        world.as_of = as_of;
        let outcome = world.outcome();
        let found = only(&outcome);
        assert_eq!((found.code, found.due, found.repair), (Code::R4, due, Some(Repair::QueryRefund)));
        assert_eq!(
            (outcome.matched_refunds, outcome.tally_of(Code::R4).count),
            (tally(1, 40), i64::from(due.is_none()))
        );
    }
}

#[test]
fn a_bounced_or_closed_refund_is_r4_at_once() {
    for state in [RefundState::Abnormal, RefundState::Closed] {
        let mut world = with(|refund| refund.book_mut().state = state);
        world.as_of = DAY_AFTER;
        let outcome = world.outcome();
        assert_eq!((only(&outcome).code, only(&outcome).due), (Code::R4, None));
    }
}

#[test]
fn a_refund_that_we_do_not_know_to_be_accepted_agrees_with_the_bill_that_proves_it() {
    let mut world = with(|refund| {
        let book = refund.book_mut();
        (book.state, book.refund_id, book.accept_date, book.fact) = (RefundState::Created, None, None, None);
    });
    world.as_of = DAY_AFTER;
    let outcome = world.outcome();
    assert_eq!((outcome.matched_refunds, outcome.boundary.len()), (tally(1, 40), 0));
    assert_eq!(outcome.waiting().count, 1, "and how it goes on is waited for");
    world.refunds[0].book_mut().amount = Fen::new(41);
    assert_eq!(codes(&world), [Code::R3]);
}

#[test]
fn a_refund_of_the_day_whose_provider_number_we_do_not_know_is_found_by_ours() {
    assert_eq!(codes(&with(|refund| refund.book_mut().refund_id = None)), []);
}

#[test]
fn the_same_number_of_either_side_under_another_of_the_other_is_another_refund() {
    let world = with(|refund| refund.book_mut().out_refund_no = "R9".to_owned());
    assert_eq!(codes(&world), [Code::R1, Code::R2]);
    let world = with(|refund| refund.book_mut().refund_id = Some("509".to_owned()));
    let outcome = world.outcome();
    assert_eq!(codes(&world), [Code::R1, Code::R2]);
    assert_eq!(outcome.differences[0].repair, Some(Repair::QueryRefund), "the number is ours, so it is no console's");
}

#[test]
fn a_refund_about_midnight_counts_on_the_day_whose_bill_has_it() {
    let outcome = with(|refund| refund.book_mut().accept_date = Some(DAY_BEFORE)).outcome();
    assert_eq!(
        (outcome.book_refunds, outcome.matched_refunds, outcome.differences.len()),
        (tally(1, 40), tally(1, 40), 0)
    );
    assert_eq!((outcome.boundary.len(), outcome.boundary[0].book_date), (1, DAY_BEFORE));
    let neighbour = with(|refund| {
        not_billed(refund);
        refund.book_mut().billed_on = Some(DAY_AFTER);
    });
    let outcome = neighbour.outcome();
    assert_eq!((outcome.book_refunds, outcome.differences.len()), (tally(0, 0), 0));
}

#[test]
fn a_stuck_refund_about_midnight_is_counted_from_its_own_day() {
    let mut world = with(|refund| {
        refund.book_mut().accept_date = Some(DAY_BEFORE);
        refund.book_mut().state = RefundState::Processing;
    });
    world.as_of = date(2026, 11, 25);
    assert_eq!(only(&world.outcome()).due, None, "Friday, Monday and Tuesday were its working days");
}

/// One refund of our books, whose number of the provider they do not know, and two rows of the bill under our number.
fn billed_under_two_numbers(accepted: bool, amounts: [i64; 2]) -> World {
    let mut world = refunded();
    let mut twin = world.refunds[0].clone();
    twin.book = None;
    twin.bill_mut().refund_id.push('7');
    for flow in &mut twin.flows {
        flow.number.push('7');
        flow.id.push('7');
    }
    world.refunds.push(twin);
    for (refund, amount) in world.refunds.iter_mut().zip(amounts) {
        let bill = refund.bill_mut();
        (bill.refund_fee, bill.settlement_refund_fee) = (Fen::new(amount), Fen::new(amount));
        refund.flows[0].fen = -amount;
    }
    let book = world.refunds[0].book_mut();
    book.refund_id = None;
    if !accepted {
        (book.state, book.accept_date, book.fact) = (RefundState::Created, None, None);
    }
    world
}

#[test]
fn of_two_rows_under_our_number_one_is_ours_and_the_other_is_r1_and_asked_about() {
    for (accepted, reversed) in [(true, false), (true, true), (false, false), (false, true)] {
        for (amounts, ours, other) in
            [([40, 40], "5000000002", 40), ([41, 40], "50000000027", 41), ([40, 41], "5000000002", 41)]
        {
            let mut world = billed_under_two_numbers(accepted, amounts);
            if reversed {
                world.refunds.reverse();
            }
            let outcome = world.outcome();
            let case = format!("{accepted} {reversed} {amounts:?}");
            let unknown: Vec<_> = outcome.differences.iter().filter(|found| found.code != Code::R4).collect();
            let [found] = unknown.as_slice() else { panic!("{case}: {unknown:#?}") };
            assert_eq!((found.code, found.repair), (Code::R1, Some(Repair::QueryRefund)), "{case}");
            assert_eq!((found.risk, found.book_amount), (Fen::new(other), None), "{case}");
            assert_ne!(found.key.refund_id, ours, "{case}");
            assert_eq!((outcome.book_refunds, outcome.matched_refunds), (tally(1, 40), tally(1, 40)), "{case}");
        }
    }
}

#[test]
fn when_neither_of_two_rows_under_our_number_has_our_amount_one_is_r3() {
    for accepted in [true, false] {
        assert_eq!(codes(&billed_under_two_numbers(accepted, [41, 42])), [Code::R1, Code::R3]);
    }
}
