use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use money::Fen;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proto::event::refund_changed::State;
use reconcile_svc::books::ProviderRefund;
use reconcile_svc::store::books::{day, first_day, note_provider_refund};
use reconciliation::Questions;
use reconciliation::books::{Fact, MovedElsewhere, OrderState, RefundState, Taken, TakenAs};

use crate::bill::Payment;
use crate::books::{Books, closed, surplus};
use crate::refund_facts::Refund;

const DAY: Date = date(2026, 11, 21);

/// Long after every fact was noted.
fn later() -> Timestamp {
    Timestamp::MAX
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_stands_in_the_books_with_both_legs() {
    let mut books = Books::open().await;
    let payment = Payment::on(DAY, 100);
    books.order(payment.order_created()).await;
    books.issued(payment.issued()).await;
    books.told(payment.told()).await;
    books.taken(payment.order_paid()).await;
    let refund = Refund::of(&payment, 30);
    books.refund(refund.created()).await;
    let (_, found) = books.payments(DAY, later()).await;
    let [found] = found.as_slice() else { panic!("one payment: {found:?}") };
    assert_eq!((&found.out_trade_no, &found.transaction_id), (&payment.out_trade_no, &payment.transaction_id));
    assert_eq!(found.taken, Some(Taken { amount: Fen::new(100), taken_as: TakenAs::Paid }));
    assert_eq!(found.fact, Some(Fact { amount: Fen::new(100), payer: Fen::new(100), ripe: true }));
    assert_eq!((found.issued, found.order, found.given_back), (Some(Fen::new(100)), OrderState::Paid, Fen::new(30)));
    assert_eq!((found.paid_date, found.billed_on, found.moved_on), (DAY, None, None));
    let (_, other) = books.payments(DAY.saturating_add(1.day()), later()).await;
    assert_eq!(other, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_or_closed_is_not_given_back() {
    let mut books = Books::open().await;
    let payment = Payment::on(DAY, 100);
    books.taken(surplus(payment.order_paid())).await;
    for (fen, failure) in [(1, "REJECTED"), (2, "CLOSED"), (4, "ABNORMAL")] {
        books.refund(Refund::of(&payment, fen).failed(failure)).await;
    }
    books.refund(Refund::of(&payment, 8).refunded()).await;
    let (_, found) = books.payments(DAY, later()).await;
    assert_eq!(found[0].given_back, Fen::new(12));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_open_closed_paid_by_another_attempt_or_unknown() {
    let mut books = Books::open().await;
    let [open, shut, twice, first, unknown] = [1, 2, 3, 4, 5].map(|fen| Payment::on(DAY, fen));
    for payment in [&open, &shut, &twice] {
        books.order(payment.order_created()).await;
        books.issued(payment.issued()).await;
        books.told(payment.told()).await;
    }
    books.order(closed(shut.order_created())).await;
    let first = Payment { order_id: twice.order_id, ..first };
    books.taken(first.order_paid()).await;
    books.told(unknown.told()).await;
    let (_, found) = books.payments(DAY, later()).await;
    let mut states: Vec<_> =
        found.iter().map(|found| (found.fact.map(|fact| fact.amount.get()), found.order)).collect();
    states.sort_unstable();
    let expected = [
        (None, OrderState::Paid),
        (Some(1), OrderState::Open),
        (Some(2), OrderState::Closed),
        (Some(3), OrderState::PaidByOther),
        (Some(5), OrderState::Unknown),
    ];
    assert_eq!(states, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_is_ripe_five_minutes_after_it_was_noted() {
    let mut books = Books::open().await;
    books.told(Payment::on(DAY, 100).told()).await;
    let noted: jiff_sqlx::Timestamp =
        sqlx::query_scalar("SELECT note_time FROM provider_payments").fetch_one(&mut books.conn).await.expect("a time");
    let ripe = noted.to_jiff() + SignedDuration::from_mins(5);
    for (now, is_ripe) in [(ripe - SignedDuration::from_micros(1), false), (ripe, true)] {
        let (_, found) = books.payments(DAY, now).await;
        assert_eq!(found[0].fact.map(|fact| fact.ripe), Some(is_ripe));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_days_bill_or_fund_flow_already_has_is_said() {
    let mut books = Books::open().await;
    let payment = Payment::on(DAY, 100);
    books.taken(payment.order_paid()).await;
    let refund = Refund::of(&payment, 100);
    books.refund(refund.accepted()).await;
    let (next, after) = (DAY.saturating_add(1.day()), DAY.saturating_add(2.days()));
    for (number, fee) in [(&payment.transaction_id, 6), (&refund.refund_id, -6)] {
        books.found((next, "TRADE"), number, DAY, (Some(100), 0)).await;
        books.found((after, "FUND"), number, DAY, (Some(70), fee)).await;
    }
    // A run of the day itself explains nothing that the day lacks.
    books.found((DAY, "TRADE"), &payment.transaction_id, next, (Some(99), 0)).await;
    let moved = |principal, fee| Some(MovedElsewhere { principal: Fen::new(principal), fee: Fen::new(fee) });
    let (_, payments) = books.payments(DAY, later()).await;
    assert_eq!((payments[0].billed_on, payments[0].billed), (Some(next), Some(Fen::new(100))));
    assert_eq!((payments[0].moved_on, payments[0].moved), (Some(after), moved(70, 6)));
    let (_, refunds) = books.refunds(DAY, later()).await;
    assert_eq!((refunds[0].billed_on, refunds[0].moved_on), (Some(next), Some(after)));
    assert_eq!(refunds[0].moved, moved(70, -6));
    // What other days ask about it is told the same; of a day that has it itself, the rest.
    let numbers = vec![payment.transaction_id.clone(), refund.refund_id.clone()];
    let questions = Questions { movements: numbers, ..Questions::default() };
    let answers = books.answer(DAY.saturating_add(3.days()), later(), &questions).await;
    assert_eq!((answers.payments[0].billed_on, answers.payments[0].billed), (Some(DAY), Some(Fen::new(100))));
    assert_eq!((answers.payments[0].moved, answers.refunds[0].moved), (moved(70, 6), moved(70, -6)));
    let answers = books.answer(after, later(), &questions).await;
    assert_eq!((answers.payments[0].moved_on, answers.payments[0].moved), (None, None));
    sqlx::query("UPDATE runs SET current = FALSE").execute(&mut books.conn).await.expect("no run is current");
    let (_, payments) = books.payments(DAY, later()).await;
    assert_eq!((payments[0].billed_on, payments[0].moved_on), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_on_several_other_days_is_added_up_unless_one_of_them_does_not_say_how_much() {
    let mut books = Books::open().await;
    let payment = Payment::on(DAY, 100);
    books.taken(payment.order_paid()).await;
    let number = &payment.transaction_id;
    let other = |days: i64| DAY.saturating_add(days.days());
    books.found((other(1), "FUND"), number, DAY, (Some(60), 1)).await;
    books.found((other(2), "FUND"), number, DAY, (Some(0), -2)).await;
    books.found((other(1), "TRADE"), number, DAY, (None, 0)).await;
    let (_, found) = books.payments(DAY, later()).await;
    let moved = MovedElsewhere { principal: Fen::new(60), fee: Fen::new(-1) };
    assert_eq!((found[0].moved_on, found[0].moved), (Some(other(1)), Some(moved)));
    assert_eq!((found[0].billed_on, found[0].billed), (Some(other(1)), None), "a reversal");

    books.found((other(2), "TRADE"), number, DAY, (Some(100), 0)).await;
    books.found((other(3), "FUND"), number, DAY, (None, 0)).await;
    let (_, found) = books.payments(DAY, later()).await;
    assert_eq!((found[0].moved_on, found[0].moved), (Some(other(1)), None), "of an earlier release");
    assert_eq!((found[0].billed_on, found[0].billed), (Some(other(2)), Some(Fen::new(100))));
    let questions = Questions { movements: vec![number.clone()], ..Questions::default() };
    let answer = &books.answer(other(9), later(), &questions).await.payments[0];
    assert_eq!(answer, &found[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_stands_on_the_day_of_its_acceptance_and_an_unaccepted_one_on_none() {
    let mut books = Books::open().await;
    let late =
        Payment::at(wechat_pay::time::day_start(DAY).expect("a day") + SignedDuration::from_mins(22 * 60 + 58), 9);
    let (accepted, created) = (Refund::of(&late, 4), Refund::of(&late, 5));
    books.refund(accepted.created()).await;
    books.refund(created.created()).await;
    books.refund(accepted.accepted()).await;
    let told = ProviderRefund::try_from(accepted.told(State::Abnormal)).expect("a whole event");
    note_provider_refund(&mut books.conn, &told).await.expect("noted");
    let (_, written_day) = books.refunds(DAY, later()).await;
    assert_eq!(written_day, [], "written at 23:58, accepted at 00:01");
    let next = DAY.saturating_add(1.day());
    let (_, found) = books.refunds(next, later()).await;
    let [found] = found.as_slice() else { panic!("one refund: {found:?}") };
    assert_eq!((found.out_refund_no.as_str(), found.state), (accepted.out_refund_no.as_str(), RefundState::Processing));
    assert_eq!((found.accept_date, found.fact), (Some(next), Some(Fen::new(4))));

    let numbers = vec![accepted.refund_id.clone(), created.out_refund_no.clone()];
    let questions = Questions { refunds: numbers, ..Questions::default() };
    let elsewhere = books.answer(next, later(), &questions).await.refunds;
    assert_eq!(elsewhere.iter().map(|refund| refund.state).collect::<Vec<_>>(), [RefundState::Created]);
    assert_eq!(books.answer(DAY, later(), &questions).await.refunds.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_look_like_the_format_come_back_as_they_were() {
    let mut books = Books::open().await;
    let hostile = ["\\N", "a\tb", "line\nbreak", "\\.", "back\\slash\\t", "\r", "茶'--\"", "\u{8}\u{b}\u{c}"];
    for (at, text) in hostile.iter().enumerate() {
        let mut told = Payment::on(DAY, 100).told();
        told.out_trade_no = format!("{text}{at}");
        told.transaction_id = format!("{at}{text}");
        books.told(told).await;
    }
    let mut told = Payment::on(DAY, 100).told();
    told.transaction_id = "\\N".to_owned();
    books.told(told).await;
    let (text, found) = books.payments(DAY, later()).await;
    let numbers: Vec<&str> = found.iter().map(|found| found.transaction_id.as_str()).collect();
    let mut expected: Vec<String> = hostile.iter().enumerate().map(|(at, text)| format!("{at}{text}")).collect();
    expected.push("\\N".to_owned());
    expected.sort_unstable();
    assert_eq!(numbers, expected, "sorted by the provider's number, by bytes");
    assert_eq!(found.iter().map(reconciliation::books::BookPayment::to_line).collect::<String>(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_fails_leaves_the_connection_usable() {
    struct Full;
    impl day::Sink for Full {
        async fn push(&mut self, _: Vec<u8>) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
    }
    let mut books = Books::open().await;
    books.told(Payment::on(DAY, 100).told()).await;
    let copied = day::copy_payments(&mut books.conn, crate::bill::MERCHANT, DAY, later(), &mut Full).await;
    assert!(matches!(copied, Err(sqlx::Error::Io(_))), "{copied:?}");
    assert_eq!(books.payments(DAY, later()).await.1.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_day_is_that_of_the_first_payment_fact_or_refund() {
    let mut books = Books::open().await;
    let merchant = crate::bill::MERCHANT;
    assert_eq!(first_day(&mut books.conn, merchant).await.expect("an answer"), None);
    let mut foreign = Payment::on(date(2026, 11, 1), 100).told();
    foreign.currency = "USD".to_owned();
    books.told(foreign).await;
    books.issued(Payment::on(date(2026, 11, 1), 100).issued()).await;
    assert_eq!(first_day(&mut books.conn, merchant).await.expect("an answer"), None);
    let day = |at| date(2026, 11, at);
    books.refund(Refund::of(&Payment::on(day(9), 100), 40).accepted()).await;
    assert_eq!(first_day(&mut books.conn, merchant).await.expect("an answer"), Some(day(9)));
    books.told(Payment::on(day(8), 100).told()).await;
    assert_eq!(first_day(&mut books.conn, merchant).await.expect("an answer"), Some(day(8)));
    books.taken(Payment::on(day(7), 100).order_paid()).await;
    assert_eq!(first_day(&mut books.conn, merchant).await.expect("an answer"), Some(day(7)));
}

/// What happened to one attempt.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that happened or did not")]
struct Story {
    order: usize,
    issued: bool,
    taken: Option<TakenAs>,
    told: bool,
    in_dollars: bool,
    /// The provider told it with the time of the next day, or a second time under another transaction.
    told_tomorrow: bool,
    told_twice: bool,
    refunds: Vec<(i64, usize)>,
}

fn story() -> impl Strategy<Value = Story> {
    let taken = prop_oneof![Just(None), Just(Some(TakenAs::Paid)), Just(Some(TakenAs::Surplus))];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.2), any::<bool>());
    (0..6_usize, taken, flags, prop::collection::vec((1..9_i64, 0..4_usize), 0..3)).prop_map(
        |(order, taken, (issued, told, in_dollars, told_tomorrow, told_twice), refunds)| Story {
            order,
            issued,
            taken,
            told,
            in_dollars,
            told_tomorrow,
            told_twice,
            refunds,
        },
    )
}

async fn tell(books: &mut Books, stories: &[Story]) -> Questions {
    let orders: Vec<Payment> = (0..6).map(|_| Payment::on(DAY, 100)).collect();
    for (at, order) in orders.iter().enumerate() {
        if at % 3 < 2 {
            books.order(order.order_created()).await;
        }
        if at % 3 == 1 {
            books.order(closed(order.order_created())).await;
        }
    }
    let mut questions = Questions::default();
    for story in stories {
        let order = &orders[story.order];
        let payment = Payment { order_id: order.order_id, order_no: order.order_no.clone(), ..Payment::on(DAY, 100) };
        questions.payments.push(payment.out_trade_no.clone());
        questions.movements.push(payment.transaction_id.clone());
        if story.issued {
            books.issued(payment.issued()).await;
        }
        match story.taken {
            Some(TakenAs::Paid) => books.taken(payment.order_paid()).await,
            Some(TakenAs::Surplus) => books.taken(surplus(payment.order_paid())).await,
            None => {}
        }
        let mut told = payment.told();
        if story.in_dollars {
            "USD".clone_into(&mut told.currency);
        }
        if story.told_tomorrow {
            let tomorrow = payment.paid_time + SignedDuration::from_hours(24);
            told.paid_time = Some(proto::time::to_wire(tomorrow));
        }
        if story.told_twice {
            let mut again = told.clone();
            again.transaction_id.push('X');
            books.told(again).await;
        }
        if story.told {
            books.told(told).await;
        }
        for (fen, failure) in &story.refunds {
            let refund = Refund::of(&payment, *fen);
            match ["REJECTED", "CLOSED", "ABNORMAL"].get(*failure) {
                Some(failure) => books.refund(refund.failed(failure)).await,
                None => books.refund(refund.accepted()).await,
            }
        }
    }
    questions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_file_says_of_a_payment_what_an_answer_about_it_says() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut books = Books::open().await;
    for _ in 0..8 {
        let stories = prop::collection::vec(story(), 20).new_tree(&mut runner).expect("stories").current();
        sqlx::query("TRUNCATE book_orders, book_payments, provider_payments, book_refunds")
            .execute(&mut books.conn)
            .await
            .expect("empty books");
        let questions = tell(&mut books, &stories).await;
        // Asked on a day on which nothing happened, so that every payment is one of another day.
        let answers = books.answer(date(2026, 1, 1), later(), &questions).await.payments;
        let mut in_files = Vec::new();
        for day in [DAY, DAY.saturating_add(1.day())] {
            in_files.extend(books.payments(day, later()).await.1);
        }
        in_files.sort_by(|a, b| a.transaction_id.cmp(&b.transaction_id));
        assert!(!in_files.is_empty());
        assert_eq!(in_files, answers, "{stories:#?}");
    }
}
