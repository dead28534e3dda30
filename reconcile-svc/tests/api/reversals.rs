//! Pay codes that were taken back: rows of the bill that are no payments.

use money::{Fen, MilliFen};
use proto::event::PaymentCreated;
use proto::reconcile::v1::run::State;
use wechat_pay::bill::{BillRefund, BillState, TradeRow};

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;

fn issued(payment: &Payment) -> PaymentCreated {
    PaymentCreated { method: "pay_code".to_owned(), ..payment.issued() }
}

/// The reversal's row, with the amount where an unpaid one has it.
fn reversed(payment: &Payment) -> TradeRow {
    TradeRow { state: BillState::Revoked, trade_type: "MICROPAY".to_owned(), fee: MilliFen::ZERO, ..payment.row() }
}

/// The reversal's row of money that had come, written as its refund.
fn reversed_after_it_was_paid(payment: &Payment) -> TradeRow {
    let amount = Fen::new(payment.fen);
    let refund = BillRefund {
        refund_id: format!("50{}", payment.transaction_id),
        out_refund_no: "0".to_owned(),
        refund_fee: amount,
        settlement_refund_fee: amount,
        coupon_refund_fee: Fen::ZERO,
        refund_type: "ORIGINAL".to_owned(),
        refund_status: "SUCCESS".to_owned(),
        applied_at: None,
        succeeded_at: None,
    };
    let fee = MilliFen::new(-6 * payment.fen);
    TradeRow { total_fee: Fen::ZERO, settlement_total_fee: Fen::ZERO, refund: Some(refund), fee, ..reversed(payment) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversed_pay_code_is_counted_and_shown_and_is_no_difference() {
    let world = World::start().await;
    let day = world.day();
    let (sold, unpaid, paid) = (Payment::on(day, 900), Payment::on(day, 100), Payment::on(day, 250));
    world.book(&[&sold]).await;
    world.publish(&[issued(&unpaid), issued(&paid)]).await;
    // One was taken back before anybody paid, one after; a bill has the payment of that one, too.
    let rows = [sold.row(), reversed(&unpaid), paid.row(), reversed_after_it_was_paid(&paid)];
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&rows)));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.problem.as_str(), run.differences.len()), (State::Balanced, "", 0));
    assert_eq!((run.bill_count, run.bill_sum_fen, run.matched_count, run.matched_sum_fen), (1, 900, 1, 900));
    assert_eq!((run.bill_revoked_count, run.bill_revoked_sum_fen), (2, 350));
    assert_eq!((run.bill_refund_count, run.bill_refund_sum_fen), (0, 0));
    assert_eq!(run, world.get(&run.name).await);
    assert_eq!(world.discrepancies().await, []);
    let (_, page) = world.page(&format!("/{}", run.name)).await;
    assert!(page.contains("Reversals are counted and not compared: 2, 3.50 yuan."), "{page}");
    assert!(page.contains("<td class=\"n\">2</td><td class=\"n\">3.50</td>"), "{page}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_nothing_but_reversals_is_balanced_and_says_what_was_not_compared() {
    let world = World::start().await;
    let day = world.day();
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&[reversed(&Payment::on(day, 100))])));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.bill_count, run.bill_revoked_count), (State::Balanced, 0, 1));
    let (_, page) = world.page(&format!("/{}", run.name)).await;
    for told in ["no payments on either side.", "Reversals are counted and not compared: 1, 1.00 yuan."] {
        assert!(page.contains(told), "{told}: {page}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversed_payment_that_our_books_keep_as_paid_is_p8_and_counted_as_well() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    let rows = [payment.row(), reversed_after_it_was_paid(&payment)];
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&rows)));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.differences[0].code.as_str()), (State::Differences, "P8"));
    assert_eq!((run.bill_count, run.bill_revoked_count, run.bill_revoked_sum_fen), (1, 1, 100));
    world.end().await;
}
