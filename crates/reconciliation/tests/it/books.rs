//! Our own files.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use money::Fen;
use proptest::option;
use proptest::prelude::*;
use reconciliation::Refused;
use reconciliation::books::{
    BookPayment, BookRefund, Fact, LineError, MovedElsewhere, OrderState, RefundCause, RefundState, Taken, TakenAs,
};

use crate::world::{DAY_AFTER, World};

fn number() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9_*@-]{1,32}", any::<String>()]
        .prop_filter("the line's own sign for nothing", |it| it != "\\N")
}

fn fen() -> impl Strategy<Value = Fen> {
    (0..=i64::MAX).prop_map(Fen::new)
}

fn day() -> impl Strategy<Value = Date> {
    (0_i64..3000).prop_map(|days| date(2024, 1, 1).saturating_add(days.days()))
}

fn moved() -> impl Strategy<Value = (Option<Date>, Option<MovedElsewhere>)> {
    let amounts = option::of((fen(), any::<i64>().prop_map(Fen::new)));
    option::of((day(), amounts)).prop_map(|moved| {
        let amounts = moved.and_then(|(_, amounts)| amounts);
        (moved.map(|(on, _)| on), amounts.map(|(principal, fee)| MovedElsewhere { principal, fee }))
    })
}

prop_compose! {
    fn payment()(
        out_trade_no in number(),
        transaction_id in number(),
        issued in option::of(fen()),
        taken in option::of((fen(), prop::sample::select(vec![TakenAs::Paid, TakenAs::Surplus]))),
        fact in option::of((fen(), fen(), any::<bool>())),
        paid_date in day(),
        billed in option::of((day(), option::of(fen()))),
        moved in moved(),
        order in prop::sample::select(vec![
            OrderState::Open, OrderState::Closed, OrderState::Paid, OrderState::PaidByOther, OrderState::Unknown,
        ]),
        given_back in fen(),
    ) -> BookPayment {
        let taken = taken.map(|(amount, taken_as)| Taken { amount, taken_as });
        let fact = fact.map(|(amount, payer, ripe)| Fact { amount, payer, ripe });
        let (billed_on, billed) = (billed.map(|(on, _)| on), billed.and_then(|(_, fen)| fen));
        let (moved_on, moved) = moved;
        BookPayment {
            out_trade_no, transaction_id, issued, taken, fact, paid_date, billed_on, billed, moved_on, moved, order, given_back,
        }
    }
}

prop_compose! {
    fn refund()(
        out_refund_no in number(),
        refund_id in option::of(number()),
        (out_trade_no, transaction_id) in (number(), number()),
        amount in fen(),
        state in prop::sample::select(vec![
            RefundState::Created, RefundState::Processing, RefundState::Succeeded, RefundState::Abnormal,
            RefundState::Closed, RefundState::Rejected,
        ]),
        cause in prop::sample::select(vec![RefundCause::Requested, RefundCause::Surplus, RefundCause::External]),
        fact in option::of(fen()),
        (accept_date, billed_on) in (option::of(day()), option::of(day())),
        moved in moved(),
    ) -> BookRefund {
        let (moved_on, moved) = moved;
        BookRefund {
            out_refund_no, refund_id, out_trade_no, transaction_id, amount, state, cause, fact, accept_date, billed_on, moved_on,
            moved,
        }
    }
}

proptest! {
    #[test]
    fn a_payment_is_read_as_it_was_printed(payment in payment()) {
        let line = payment.to_line();
        prop_assert_eq!(line.matches('\n').count(), 1);
        prop_assert_eq!(BookPayment::parse_line(line.trim_end_matches('\n')), Ok(payment));
    }

    #[test]
    fn a_refund_is_read_as_it_was_printed(refund in refund()) {
        let line = refund.to_line();
        prop_assert_eq!(line.matches('\n').count(), 1);
        prop_assert_eq!(BookRefund::parse_line(line.trim_end_matches('\n')), Ok(refund));
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in any::<String>(), tabs in prop::collection::vec("[0-9a-zA-Z\\\\-]{0,11}", 9..15)) {
        let _ = (BookPayment::parse_line(&line), BookRefund::parse_line(&line));
        let _ = (BookPayment::parse_line(&tabs.join("\t")), BookRefund::parse_line(&tabs.join("\t")));
    }
}

#[test]
fn a_line_is_what_postgres_copies() {
    let line = "N1\t42\t100\tPAID\t100\t100\t70\tt\t2026-11-20\t\\N\t\\N\t2026-11-21\t70\t-1\tPAID_BY_OTHER\t0";
    let payment = BookPayment::parse_line(line).expect("a line");
    assert_eq!(payment.to_line(), format!("{line}\n"));
    assert_eq!((payment.order, payment.moved_on), (OrderState::PaidByOther, Some(DAY_AFTER)));
    assert_eq!(payment.moved, Some(MovedElsewhere { principal: Fen::new(70), fee: Fen::new(-1) }));
    let line = "R\\\\1\\t\t\\N\tN1\t42\t40\tCREATED\tEXTERNAL\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N";
    let refund = BookRefund::parse_line(line).expect("a line");
    assert_eq!((refund.out_refund_no.as_str(), refund.to_line()), ("R\\1\t", format!("{line}\n")));
}

#[test]
fn what_is_no_line_is_refused_with_its_column() {
    let good = "N1\t42\t100\tPAID\t100\t100\t70\tt\t2026-11-20\t2026-11-21\t7\t2026-11-22\t8\t9\tPAID\t0";
    let column = |line: &str| match BookPayment::parse_line(line) {
        Err(LineError::Column { column, .. }) => column,
        other => panic!("{other:?}"),
    };
    assert_eq!(BookPayment::parse_line("N1\t42"), Err(LineError::Width { expected: 16 }));
    assert_eq!(column(&good.replace("\t100\tPAID", "\t-100\tPAID")), "issued_fen");
    assert_eq!(column(&good.replace("\t100\tPAID", "\t+100\tPAID")), "issued_fen");
    assert_eq!(column(&good.replace("\t100\tPAID", "\t99999999999999999999\tPAID")), "issued_fen");
    assert_eq!(column(&good.replace("\tPAID\t100", "\tpaid\t100")), "taken_as");
    assert_eq!(column(&good.replace("\tPAID\t100", "\t\\N\t100")), "taken_fen");
    assert_eq!(column(&good.replace("\t70\t", "\t\\N\t")), "fact_fen");
    assert_eq!(column(&good.replace("\tt\t", "\ttrue\t")), "fact_ripe");
    assert_eq!(column(&good.replace("2026-11-20", "2026-02-30")), "paid_date");
    assert_eq!(column(&good.replace("2026-11-20", "\\N")), "paid_date");
    assert_eq!(column(&good.replace("N1\t", "N\\1\t")), "out_trade_no");
    assert_eq!(column(&good.replace("2026-11-21", "\\N")), "billed_fen");
    assert_eq!(column(&good.replace("2026-11-22", "\\N")), "moved_fen");
    assert_eq!(column(&good.replace("\t8\t", "\t\\N\t")), "moved_fen");
    assert_eq!(column(&good.replace("\t8\t", "\t-8\t")), "moved_fen");
    assert_eq!(column(&good.replace("\t9\t", "\t+9\t")), "moved_fee_fen");
}

#[test]
fn a_file_of_our_own_that_is_wrong_is_a_mistake_of_ours() {
    let mut world = World::default();
    world.pay(100);
    world.refund(0, 40);
    let good = world.files();
    let refused = |payments: &[u8], refunds: &[u8]| {
        let mut files = good.clone();
        (files.payments, files.refunds) = (payments.to_vec(), refunds.to_vec());
        match world.reconcile_files(&files) {
            Err(Refused::Books(problem)) => problem,
            other => panic!("{other:?}"),
        }
    };
    let line = String::from_utf8(good.payments.clone()).expect("text");
    assert_eq!(refused(b"\xff\n", &good.refunds), "payments: not UTF-8");
    assert_eq!(refused(line.trim_end().as_bytes(), &good.refunds), "payments: the last line has no end");
    assert_eq!(refused(format!("{line}\n").as_bytes(), &good.refunds), "payments, line 2: not 16 columns");
    assert_eq!(refused(&good.payments, b"R1\n"), "refunds, line 1: not 13 columns");
    assert_eq!(
        refused(line.replace("2026-11-20", "2026-11-21").as_bytes(), &good.refunds),
        "payments: one of another day"
    );
    assert_eq!(
        refused(&good.payments, &[good.refunds.clone(), good.refunds.clone()].concat()),
        "refunds: one stands there twice"
    );
}
