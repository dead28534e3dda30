//! About midnight the provider and we may count on different days.

use e2e::{
    Options,
    reconciling::RunState,
    sandbox_client::Misbilled,
    selling::{MERCHANT, RefundState},
    story,
};
use jiff::ToSpan as _;

use super::{
    super::{differences, next_morning, noon, sell},
    is_clean,
};
use crate::refund::arrives;

#[test]
fn a_payment_and_a_refund_in_the_next_days_bill_are_missed_on_neither_day() {
    story(Options::default().with_reconcile(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let day = noon(world).await;
        let next = day + 1.day();
        let sold = sell(world, MERCHANT, &[1_000, 250]).await;
        let refund = sold[0].order().refund(100).await;
        refund.becomes(RefundState::Processing).await;
        arrives(world, &refund).await;
        let after_midnight = Misbilled { on_day: Some(next), ..Misbilled::default() };
        world.sandbox.misbill(sold[1].out_trade_no(), &after_midnight).await;
        world.sandbox.misbill_refund(refund.out_refund_no(), &after_midnight).await;

        next_morning(world).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), differences(&run)), (RunState::Waiting, vec![]), "{run:?}");
        assert_eq!((run.waiting_count, run.waiting_sum_fen), (2, 350));

        next_morning(world).await;
        let run = is_clean(world, next).await;
        assert_eq!((run.bill_count, run.bill_refund_count), (1, 1));
        assert_eq!((run.matched_sum_fen, run.matched_refund_sum_fen), (250, 100));
        let run = is_clean(world, day).await;
        assert_eq!((run.bill_sum_fen, run.book_sum_fen, run.book_refund_count), (1_000, 1_000, 0));
    });
}
