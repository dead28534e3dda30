use jiff::{SignedDuration, Timestamp};
use money::Fen;
use proptest::prelude::*;

use uuid::Uuid;

use super::{Cause, Found, Heard, MAX_REFUNDS, Refusal, Word, hear, import, is_hopeless, reserve, samples};
use crate::domain::{
    RefundId,
    order::{Refunded, State as OrderState},
    payment,
    refund::{Refund, State, Waiting},
};

fn accepted() -> Word {
    Word::Accepted { refund_id: "50".into() }
}

fn succeeded() -> Word {
    Word::Succeeded { refund_id: "50".into(), at: Timestamp::UNIX_EPOCH }
}

fn bounced() -> Word {
    Word::Bounced { refund_id: "50".into(), code: "CHANGE".into() }
}

fn closed() -> Word {
    Word::Closed { refund_id: "50".into(), code: "REFUNDCLOSE".into() }
}

fn refused(sends: i32) -> Word {
    Word::Refused { sends, code: "TRADE_OVERDUE".into() }
}

#[test]
fn what_is_reserved_cannot_be_reserved_again() {
    let (mut order, mut payment, _) = samples::reserved(60);
    let now = order.create_time;
    let refusal = reserve(&mut order, &mut payment, 1, samples::wish(2, 41), now);
    assert_eq!(refusal, Err(Refusal::Exceeds { left: Fen::new(40) }));
    assert!(reserve(&mut order, &mut payment, 1, samples::wish(2, 40), now).is_ok());
    assert_eq!((payment.refunding, payment.left()), (Fen::new(100), Fen::ZERO));
}

#[test]
fn nothing_and_less_than_nothing_are_no_refunds() {
    let (mut order, mut payment) = samples::paid();
    let before = (order.clone(), payment.clone());
    for amount in [0, -1, i64::MIN] {
        let refusal = reserve(&mut order, &mut payment, 0, samples::wish(1, amount), before.0.create_time);
        assert_eq!(refusal, Err(Refusal::Exceeds { left: Fen::new(100) }), "{amount}");
    }
    assert_eq!((order, payment), before);
}

#[test]
fn only_money_that_came_goes_back_and_only_within_a_year_and_fifty_times() {
    let (mut order, mut payment) = samples::paid();
    let payment::State::Succeeded { at, .. } = payment.state else { panic!("it is paid") };
    let mut wish = |known, now| reserve(&mut order, &mut payment, known, samples::wish(1, 1), now);
    assert_eq!(wish(MAX_REFUNDS, at), Err(Refusal::TooMany));
    assert_eq!(wish(0, at + SignedDuration::from_hours(365 * 24)), Err(Refusal::TooLate));
    assert!(wish(MAX_REFUNDS - 1, at + SignedDuration::from_hours(365 * 24 - 1)).is_ok());
    payment.state = payment::State::Pending;
    assert_eq!(reserve(&mut order, &mut payment, 0, samples::wish(1, 1), at), Err(Refusal::NotPaid));
}

#[test]
fn a_refund_that_succeeds_moves_its_order() {
    let (mut order, mut payment, mut first) = samples::reserved(40);
    let mut second = samples::another(&mut order, &mut payment, 2, 60);
    let version = order.version;
    assert_eq!(hear(&mut order, &mut payment, &mut first, &accepted()), Heard::Noted);
    assert_eq!(hear(&mut order, &mut payment, &mut first, &succeeded()), Heard::Refunded);
    assert!(matches!(order.state, OrderState::Paid { refunded: Refunded::Part, .. }));
    assert_eq!((payment.refunded, payment.refunding), (Fen::new(40), Fen::new(60)));
    assert_eq!(hear(&mut order, &mut payment, &mut second, &succeeded()), Heard::Refunded, "the yes was lost");
    assert!(matches!(order.state, OrderState::Paid { refunded: Refunded::All, .. }));
    assert_eq!((payment.refunded, payment.refunding), (Fen::new(100), Fen::ZERO));
    assert_eq!(order.version, version + 3);
}

#[test]
fn a_surplus_that_goes_back_leaves_its_order_as_it_is() {
    let (mut order, mut payment, mut refund) = samples::reserved(100);
    order.state = OrderState::Closed { at: order.create_time };
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &succeeded()), Heard::Refunded);
    assert_eq!((order.state.word(), payment.refunded), ("CLOSED", Fen::new(100)));
}

#[test]
fn the_same_word_twice_changes_nothing() {
    for word in [accepted(), succeeded(), bounced(), closed()] {
        let (mut order, mut payment, mut refund) = samples::reserved(40);
        hear(&mut order, &mut payment, &mut refund, &word);
        let before = (order.clone(), payment.clone(), refund.clone());
        assert_eq!(hear(&mut order, &mut payment, &mut refund, &word), Heard::Unchanged, "{word:?}");
        assert_eq!((order, payment, refund), before);
    }
}

#[test]
fn money_that_bounced_stays_reserved_until_a_person_has_acted() {
    let (mut order, mut payment, mut refund) = samples::reserved(40);
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &bounced()), Heard::Failed);
    assert_eq!((refund.state.word(), payment.refunding), ("ABNORMAL", Fen::new(40)));
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &succeeded()), Heard::Refunded);
    assert_eq!((payment.refunded, payment.refunding), (Fen::new(40), Fen::ZERO));
}

#[test]
fn what_was_closed_or_refused_is_free_for_another_refund() {
    for word in [closed(), refused(1)] {
        let (mut order, mut payment, mut refund) = samples::reserved(100);
        refund.sends = 1;
        assert_eq!(hear(&mut order, &mut payment, &mut refund, &word), Heard::Failed, "{word:?}");
        assert_eq!((payment.left(), refund.state.is_open()), (Fen::new(100), false));
        assert!(refund.provider_code.is_some());
    }
}

#[test]
fn a_refusal_after_a_lost_answer_ends_nothing_until_a_question_has_spoken() {
    let (mut order, mut payment, mut refund) = samples::reserved(100);
    refund.sends = 2;
    for sends in [1, 2] {
        assert_eq!(hear(&mut order, &mut payment, &mut refund, &refused(sends)), Heard::Noted);
        assert_eq!(refund.refused_sends, Some(sends));
    }
    assert_eq!(payment.left(), Fen::ZERO);
    let never = Word::NeverArrived { sends: 1 };
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &never), Heard::Unchanged, "it was sent again since");
    let never = Word::NeverArrived { sends: 2 };
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &never), Heard::Failed);
    assert_eq!((refund.state.word(), payment.left()), ("REJECTED", Fen::new(100)));
}

#[test]
fn a_short_balance_is_waited_for_and_not_a_refusal() {
    let (mut order, mut payment, mut refund) = samples::reserved(100);
    let short = Word::Waits { waiting: Waiting::Balance, code: Some("NOTENOUGH".into()) };
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &short), Heard::Noted);
    assert_eq!(refund.state, State::Created { waiting: Some(Waiting::Balance) });
    assert_eq!((payment.refunding, refund.provider_code.as_deref()), (Fen::new(100), Some("NOTENOUGH")));
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &accepted()), Heard::Noted);
}

#[test]
fn a_provider_that_contradicts_itself_changes_nothing() {
    let cases = [
        (succeeded(), closed()),
        (closed(), succeeded()),
        (closed(), bounced()),
        (refused(1), succeeded()),
        (refused(1), accepted()),
    ];
    for (first, second) in cases {
        let (mut order, mut payment, mut refund) = samples::reserved(40);
        refund.sends = 1;
        hear(&mut order, &mut payment, &mut refund, &first);
        let before = (order.clone(), payment.clone(), refund.clone());
        assert_eq!(hear(&mut order, &mut payment, &mut refund, &second), Heard::Contradiction, "{first:?} {second:?}");
        assert_eq!((order, payment, refund), before);
    }
    let (mut order, mut payment, mut refund) = samples::reserved(40);
    hear(&mut order, &mut payment, &mut refund, &accepted());
    let other = Word::Succeeded { refund_id: "51".into(), at: Timestamp::UNIX_EPOCH };
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &other), Heard::Contradiction, "another number");
}

fn words() -> impl Strategy<Value = Word> {
    prop_oneof![
        Just(accepted()),
        Just(succeeded()),
        Just(bounced()),
        Just(closed()),
        (1..4).prop_map(refused),
        (1..4).prop_map(|sends| Word::NeverArrived { sends }),
        Just(Word::Waits { waiting: Waiting::Rate, code: None }),
    ]
}

proptest! {
    #[test]
    fn whatever_is_said_in_whatever_order_no_fen_is_given_twice(
        amounts in proptest::collection::vec(1_i64..80, 1..5),
        said in proptest::collection::vec((0_usize..5, words(), 0..3), 0..40),
    ) {
        let (mut order, mut payment) = samples::paid();
        let mut refunds: Vec<Refund> = Vec::new();
        for (number, amount) in (1_u128..).zip(amounts) {
            let now = order.create_time;
            refunds.extend(reserve(&mut order, &mut payment, refunds.len(), samples::wish(number, amount), now));
        }
        for (index, word, sends) in said {
            if let Some(refund) = refunds.get_mut(index) {
                refund.sends += sends;
                let version = order.version;
                let heard = hear(&mut order, &mut payment, refund, &word);
                prop_assert!(order.version - version <= 1);
                prop_assert!(order.version == version || !matches!(heard, Heard::Unchanged | Heard::Contradiction));
            }
            let sum = |open: bool| refunds.iter()
                .filter(|refund| if open { refund.state.is_open() } else { matches!(refund.state, State::Succeeded { .. }) })
                .map(|refund| refund.amount.get()).sum::<i64>();
            prop_assert_eq!(payment.refunding.get(), sum(true));
            prop_assert_eq!(payment.refunded.get(), sum(false));
            prop_assert!(payment.refunded.get() + payment.refunding.get() <= payment.amount.get());
        }
    }
}

#[test]
fn a_surplus_is_tried_until_it_is_refused_once_or_given_up_three_times() {
    let (surplus, requested) = (Some(Cause::Surplus), Some(Cause::Requested));
    assert!(!is_hopeless([(requested, "REJECTED"), (surplus, "CLOSED"), (surplus, "CLOSED"), (requested, "CLOSED")]));
    assert!(is_hopeless([(surplus, "CLOSED"); 3]));
    assert!(is_hopeless([(surplus, "SUCCEEDED"), (surplus, "REJECTED")]));
}

#[test]
fn a_cause_is_kept() {
    let (mut order, mut payment) = samples::paid();
    let (mut wish, now) = (samples::wish(1, 100), order.create_time);
    wish.cause = Cause::Surplus;
    assert_eq!(reserve(&mut order, &mut payment, 0, wish, now).map(|refund| refund.cause), Ok(Cause::Surplus));
}

fn found(amount: i64) -> Found {
    let id = RefundId(Uuid::from_u128(300));
    Found { id, number: "console-1".into(), refund_id: "50".into(), amount: Fen::new(amount) }
}

#[test]
fn a_refund_of_the_console_moves_its_payment_and_order_like_any_other() {
    let (mut order, mut payment) = samples::paid();
    let (now, version) = (order.create_time, order.version);
    let mut refund = import(&mut order, &mut payment, found(100), now).expect("it fits");
    assert_eq!((refund.cause, refund.out_refund_no().as_str()), (Cause::External, "console-1"));
    assert_eq!((payment.refunding, payment.left(), order.version), (Fen::new(100), Fen::ZERO, version + 1));
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &succeeded()), Heard::Refunded);
    assert_eq!((payment.refunded, payment.refunding, order.version), (Fen::new(100), Fen::ZERO, version + 2));
    assert!(matches!(order.state, OrderState::Paid { refunded: Refunded::All, .. }));
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &succeeded()), Heard::Unchanged);
}

#[test]
fn a_refund_of_the_console_is_refused_by_the_sum_alone() {
    let (mut order, mut payment, _) = samples::reserved(60);
    let before = (order.clone(), payment.clone());
    let much_later = order.create_time + SignedDuration::from_hours(3 * 365 * 24);
    for amount in [41, 0, -1] {
        let refusal = import(&mut order, &mut payment, found(amount), much_later);
        assert_eq!(refusal, Err(Refusal::Exceeds { left: Fen::new(40) }), "{amount}");
    }
    assert_eq!((&order, &payment), (&before.0, &before.1));
    assert!(import(&mut order, &mut payment, found(40), much_later).is_ok(), "the provider's limits are behind it");
    let (mut order, mut payments) = crate::domain::settle::samples::pending(1);
    let refusal = import(&mut order, &mut payments[0], found(1), much_later);
    assert_eq!(refusal, Err(Refusal::NotPaid));
}

#[test]
fn a_refund_of_the_console_that_came_to_nothing_frees_its_amount() {
    let (mut order, mut payment) = samples::paid();
    let now = order.create_time;
    let mut refund = import(&mut order, &mut payment, found(30), now).expect("it fits");
    assert_eq!(hear(&mut order, &mut payment, &mut refund, &closed()), Heard::Failed);
    assert_eq!((refund.state, payment.left()), (State::Closed, Fen::new(100)));
}
