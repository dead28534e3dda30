use jiff::civil::date;
use money::Fen;
use reconciliation::books::{OrderState, Taken, TakenAs};
use reconciliation::{Code, Refused, Repair};

use super::{codes, fen, only, tally};
use crate::world::{DAY_AFTER, LATER, World};

#[test]
fn a_day_on_which_everything_agrees_is_balanced() {
    let mut world = World::default();
    world.pay(100);
    world.pay(250);
    let outcome = world.outcome();
    assert_eq!((outcome.bill, outcome.books, outcome.matched), (tally(2, 350), tally(2, 350), tally(2, 350)));
    assert_eq!((outcome.differences.len(), outcome.boundary.len(), outcome.waiting()), (0, 0, tally(0, 0)));
    assert_eq!(outcome.fee.to_yuan(), "0.02100");
}

#[test]
fn a_day_without_anything_on_either_side_is_balanced() {
    let outcome = World::default().outcome();
    assert_eq!((outcome.bill, outcome.books, outcome.differences.len()), (tally(0, 0), tally(0, 0), 0));
}

#[test]
fn a_payment_in_the_bill_that_is_still_open_here_is_p1_with_the_app_to_ask_under() {
    let mut world = World::default();
    world.pay(100).issued_only(OrderState::Open);
    let outcome = world.outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.app_id.as_str(), found.repair), (Code::P1, "wx1", Some(Repair::QueryPayment)));
    assert_eq!((found.bill_amount, found.book_amount, found.risk), (fen(100), None, Fen::new(100)));
    assert_eq!((outcome.bill, outcome.books), (tally(1, 100), tally(0, 0)));
    assert_eq!(
        found.explanation,
        "The bill has 1.00 yuan for a payment that is still open here; the provider is asked about it."
    );
}

#[test]
fn an_open_payment_of_another_amount_is_p1_and_says_so() {
    let mut world = World::default();
    world.pay(100).issued_only(OrderState::Open).issued.as_mut().expect("issued").amount = Fen::new(90);
    let outcome = world.outcome();
    assert_eq!(only(&outcome).code, Code::P1);
    assert!(only(&outcome).explanation.contains("a payment of 0.90 yuan that is still open"), "{:?}", only(&outcome));
}

#[test]
fn a_payment_that_the_provider_told_and_no_order_took_is_p1_and_counts_on_both_sides() {
    let mut world = World::default();
    world.pay(100).told_only(OrderState::Open);
    let outcome = world.outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.bill_amount, found.book_amount), (Code::P1, fen(100), fen(100)));
    assert!(found.explanation.contains("no order took them"), "{}", found.explanation);
    assert_eq!((outcome.bill, outcome.books, outcome.matched), (tally(1, 100), tally(1, 100), tally(0, 0)));
}

#[test]
fn money_for_a_closed_order_is_p2_until_all_of_it_went_back() {
    let mut world = World::default();
    world.pay(100).issued_only(OrderState::Closed);
    assert_eq!(only(&world.outcome()).repair, Some(Repair::QueryPayment));
    assert_eq!(codes(&world), [Code::P2]);
    for (given_back, code, risk) in [(0, Some(Code::P2), 100), (99, Some(Code::P2), 1), (100, None, 0), (101, None, 0)]
    {
        let mut world = World::default();
        world.pay(100).as_surplus(OrderState::Closed, given_back);
        let outcome = world.outcome();
        assert_eq!(outcome.differences.first().map(|found| found.code), code, "{given_back}");
        if code.is_some() {
            assert_eq!((only(&outcome).repair, only(&outcome).risk), (None, Fen::new(risk)), "a person decides");
        }
    }
}

#[test]
fn a_second_payment_of_an_order_is_p4_until_all_of_it_went_back() {
    for (given_back, expected) in [(0, vec![Code::P4]), (99, vec![Code::P4]), (100, vec![])] {
        let mut world = World::default();
        world.pay(100);
        world.pay(100).as_surplus(OrderState::PaidByOther, given_back);
        assert_eq!(codes(&world), expected);
    }
    for told in [true, false] {
        let mut world = World::default();
        let payment = world.pay(100);
        if told {
            payment.told_only(OrderState::PaidByOther)
        } else {
            payment.issued_only(OrderState::PaidByOther)
        };
        assert_eq!(codes(&world), [Code::P4]);
    }
}

#[test]
fn a_number_that_we_never_issued_is_p3_and_critical() {
    let mut world = World::default();
    world.pay(100).book = None;
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).repair), (Code::P3, None));
    assert!(Code::P3.is_critical());
}

#[test]
fn a_payment_that_only_a_message_of_the_provider_knows_is_p3_when_billed_and_p10_when_not() {
    let mut world = World::default();
    world.pay(100).told_only(OrderState::Unknown).book_mut().issued = None;
    assert_eq!(codes(&world), [Code::P3]);
    (world.payments[0].billed, world.payments[0].flows) = (None, Vec::new());
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).repair, only(&outcome).due), (Code::P10, None, None));
    assert!(only(&outcome).explanation.contains("neither the bill nor any order"));
}

#[test]
fn a_number_that_an_order_took_money_for_is_ours_though_its_own_event_is_late() {
    let mut world = World::default();
    world.pay(100).book_mut().issued = None;
    assert_eq!(codes(&world), []);
}

#[test]
fn what_was_told_a_moment_ago_is_a_p10_that_waits_for_the_next_run() {
    let mut world = World::default();
    let payment = world.pay(100).told_only(OrderState::Open);
    (payment.billed, payment.flows) = (None, Vec::new());
    assert_eq!(codes(&world), [Code::P10]);
    world.payments[0].book_mut().fact.as_mut().expect("told").ripe = false;
    for (as_of, due) in [(DAY_AFTER, date(2026, 11, 22)), (LATER, date(2026, 12, 11))] {
        world.as_of = as_of;
        let outcome = world.outcome();
        let found = only(&outcome);
        assert_eq!((found.code, found.due, found.risk), (Code::P10, Some(due), Fen::new(100)));
        assert_eq!((found.bill_amount, found.book_amount), (None, fen(100)));
        assert_eq!((outcome.books, outcome.waiting()), (tally(1, 100), tally(1, 100)), "finance sees it");
        assert!(found.explanation.contains("the next run decides"), "{}", found.explanation);
    }
}

#[test]
fn a_payment_that_the_bill_does_not_have_is_p5_from_the_second_day_after() {
    let mut world = World::default();
    let payment = world.pay(100);
    (payment.billed, payment.flows) = (None, Vec::new());
    for (as_of, due) in [(DAY_AFTER, Some(date(2026, 11, 22))), (date(2026, 11, 22), None), (date(2026, 11, 30), None)]
    {
        world.as_of = as_of;
        let outcome = world.outcome();
        let found = only(&outcome);
        assert_eq!((found.code, found.due, found.repair), (Code::P5, due, Some(Repair::QueryPayment)));
        assert_eq!((found.bill_amount, found.book_amount), (None, fen(100)));
        let (waiting, found) = if due.is_some() { (1, 0) } else { (0, 1) };
        assert_eq!((outcome.waiting().count, outcome.tally_of(Code::P5).count), (waiting, found));
        assert_eq!(outcome.books, tally(1, 100));
    }
}

#[test]
fn a_fen_more_or_less_in_any_leg_is_p6() {
    for by in [1, -1] {
        let other = Fen::new(100 + by);
        for leg in 0..4 {
            let mut world = World::default();
            let payment = world.pay(100);
            match leg {
                0 => payment.row_mut().total_fee = other,
                1 => payment.book_mut().issued = Some(other),
                2 => payment.book_mut().taken = Some(Taken { amount: other, taken_as: TakenAs::Paid }),
                _ => payment.book_mut().fact.as_mut().expect("told").amount = other,
            }
            let outcome = world.outcome();
            let found = only(&outcome);
            assert_eq!((found.code, found.repair, found.risk), (Code::P6, None, Fen::new(1)), "leg {leg}");
            assert_eq!(outcome.matched, tally(0, 0));
        }
    }
}

#[test]
fn legs_of_our_own_that_disagree_are_p6_even_when_one_agrees_with_the_bill() {
    let mut world = World::default();
    world.pay(100).book_mut().fact.as_mut().expect("told").amount = Fen::new(101);
    assert_eq!(
        only(&world.outcome()).explanation,
        "The bill has 1.00 yuan, we asked for 1.00 yuan, the order took 1.00 yuan, the provider's message said 1.01 yuan."
    );
}

#[test]
fn money_told_by_the_provider_that_is_not_what_we_asked_for_never_agrees() {
    let mut world = World::default();
    world.pay(200).told_only(OrderState::Open).book_mut().issued = fen(100);
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).book_amount), (Code::P6, fen(100)));
}

#[test]
fn total_that_is_not_payer_plus_coupons_is_p7_and_coupons_that_add_up_are_none() {
    for (payer, coupon, expected) in
        [(100, 0, vec![]), (99, 0, vec![Code::P7]), (101, 0, vec![Code::P7]), (70, 30, vec![])]
    {
        let mut world = World::default();
        let payment = world.pay(100);
        if coupon != 0 {
            payment.with_coupon(coupon, true);
        }
        payment.book_mut().fact.as_mut().expect("told").payer = Fen::new(payer);
        assert_eq!(codes(&world), expected, "{payer} {coupon}");
    }
    let mut world = World::default();
    world.pay(100).with_coupon(30, false).book_mut().fact.as_mut().expect("told").payer = Fen::new(71);
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).risk), (Code::P7, Fen::new(1)));
    assert_eq!(
        only(&outcome).explanation,
        "Of 1.00 yuan the payer paid 0.71 yuan, coupons are 0.30 yuan, and 0.70 yuan are settled: they do not add up."
    );
}

#[test]
fn a_settlement_beyond_the_total_or_below_what_coupons_leave_is_p7() {
    for (settled, expected) in [(101, vec![Code::P7]), (100, vec![]), (70, vec![]), (69, vec![Code::P7])] {
        let mut world = World::default();
        let payment = world.pay(100).with_coupon(30, true);
        payment.row_mut().settlement_total_fee = Fen::new(settled);
        payment.row_mut().fee = money::MilliFen::new(settled * 6);
        payment.move_money(settled);
        assert_eq!(codes(&world), expected, "{settled}");
    }
}

#[test]
fn a_revoked_payment_that_an_order_took_is_p8_and_counts_once() {
    let mut world = World::default();
    world.pay(100).reverse();
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).repair), (Code::P8, Some(Repair::QueryPayment)));
    assert_eq!((outcome.bill, outcome.books, outcome.revoked), (tally(1, 100), tally(1, 100), tally(1, 100)));
    world.payments[0].billed = None;
    world.payments[0].flows.retain(|flow| flow.number.starts_with("51"));
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).app_id.as_str()), (Code::P8, "wx1"));
    assert_eq!((outcome.bill, outcome.books, outcome.revoked), (tally(0, 0), tally(1, 100), tally(1, 100)));
}

#[test]
fn a_payment_that_the_same_bill_takes_back_is_none_unless_an_order_took_it() {
    for (order, told) in [(OrderState::Open, true), (OrderState::Open, false), (OrderState::Closed, false)] {
        let mut world = World::default();
        world.pay(250);
        let payment = world.pay(100).reverse();
        if told {
            payment.told_only(order)
        } else {
            payment.issued_only(order)
        };
        let outcome = world.outcome();
        assert_eq!(codes(&world), []);
        assert_eq!((outcome.bill, outcome.books, outcome.revoked), (tally(1, 250), tally(1, 250), tally(1, 100)));
    }
    let mut world = World::default();
    world.pay(100).reverse().book = None;
    assert_eq!(codes(&world), [], "whoever gave out its number");
}

#[test]
fn another_payments_reversal_takes_nothing_back() {
    let mut world = World::default();
    world.pay(100).issued_only(OrderState::Open).reverse();
    world.payments[0].revoked.as_mut().expect("reversed").transaction_id = "4299999".to_owned();
    assert_eq!(codes(&world), [Code::P1]);
}

#[test]
fn a_payment_that_an_order_took_without_a_message_of_the_provider_is_p9() {
    let mut world = World::default();
    world.pay(100).book_mut().fact = None;
    let outcome = world.outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.repair, found.risk), (Code::P9, Some(Repair::RepublishPayment), Fen::ZERO));
    assert_eq!((outcome.matched, outcome.bill, outcome.books), (tally(0, 0), tally(1, 100), tally(1, 100)));
}

#[test]
fn the_same_number_under_another_transaction_is_another_payment() {
    let mut world = World::default();
    let payment = world.pay(100);
    payment.row_mut().transaction_id = "4299999".to_owned();
    payment.flows.iter_mut().for_each(|flow| flow.number = "4299999".to_owned());
    assert_eq!(codes(&world), [Code::P1, Code::P5]);
}

#[test]
fn the_same_transaction_under_another_number_is_another_payment() {
    let mut world = World::default();
    world.pay(100).row_mut().out_trade_no = "N99999".to_owned();
    assert_eq!(codes(&world), [Code::P3, Code::P5]);
}

#[test]
fn the_same_payment_twice_in_the_books_is_a_mistake_of_ours() {
    let mut world = World::default();
    let mut twin = world.pay(100).clone();
    (twin.billed, twin.flows) = (None, Vec::new());
    world.payments.push(twin);
    assert_eq!(world.reconcile().err(), Some(Refused::Books("payments: one stands there twice".to_owned())));
}
