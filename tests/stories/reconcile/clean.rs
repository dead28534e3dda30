//! Days on which nothing is missing.

use e2e::{
    Options,
    reconciling::RunState,
    sandbox_client::Pay,
    selling::{MERCHANT, OTHER_MERCHANT, RefundState, State},
    story,
};
use jiff::ToSpan as _;
use proto::event::ReconciliationCompleted;

use crate::{refund::arrives, restart::is_told};

use super::{assert_balanced, next_morning, noon, sell};

#[test]
fn a_clean_day_balances_to_the_fen_and_is_compared_once_however_often_it_is_asked_for() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[1, 250, 399_900]).await;
        sell(world, OTHER_MERCHANT, &[777]).await;
        // Not paid, so in no bill.
        world.open_cashier(5).await;
        next_morning(world).await;

        let run = world.reconcile_day(MERCHANT, day).await;
        assert_balanced(&run, 1, 3, 400_151);
        assert_eq!((run.merchant.as_str(), &run.bill_date), (MERCHANT, &day.to_string()));
        assert_eq!((run.bill_refund_count, run.bill_refund_sum_fen), (0, 0));
        // 0.60 % of 4001.51 yuan.
        assert_eq!(run.bill_fee_yuan, "24.00906");
        assert_eq!((run.bill_sha256.len(), run.books_sha256.len()), (64, 64));

        let page = world.report_page(&run).await;
        assert!(page.contains("3 payments, 4,001.51 yuan, agree to the fen."), "{page}");

        for _ in 0..2 {
            let again = world.reconcile_day(MERCHANT, day).await;
            assert_eq!((&again.name, again.version), (&run.name, 1));
        }
        let other = world.reconcile_day(OTHER_MERCHANT, day).await;
        assert_balanced(&other, 1, 1, 777);

        let facts = world.tells("recon.v1.run.completed.>", 2).await;
        let told: ReconciliationCompleted = facts[0].event();
        assert_eq!(facts[0].subject, format!("recon.v1.run.completed.{MERCHANT}"));
        assert_eq!((told.run.as_str(), told.verdict.as_str(), told.version), (run.name.as_str(), "BALANCED", 1));
        assert_eq!((told.bill_count, told.bill_sum_fen, told.book_sum_fen), (3, 400_151, 400_151));
        assert_eq!((told.open_discrepancies, &told.bill_sha256), (0, &run.bill_sha256));
        assert_eq!(world.facts("recon.v1.discrepancy.>").await, []);
    });
}

#[test]
fn a_day_without_payments_balances_without_a_bill() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        let before = day.saturating_sub(1.day());
        let run = world.reconcile_day(MERCHANT, before).await;
        assert_balanced(&run, 1, 0, 0);
        assert_eq!(run.bill_sha256, "");
        let page = world.report_page(&run).await;
        assert!(page.contains("no payments on either side."), "{page}");
    });
}

#[test]
fn money_that_an_order_could_not_keep_is_on_both_sides() {
    story(Options::default().with_reconcile(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let day = noon(world).await;
        let first = world.open_cashier(100).await;
        let second = first.order().pay_by_openid().await;
        for cashier in [&first, &second] {
            // The user has both cashiers open and pays twice.
            cashier.pay_as(Pay { in_cashier: true, ..Pay::default() }).await;
            is_told(world, cashier.out_trade_no()).await;
        }
        first.order().becomes(State::Paid).await;
        world.tells("order.v1.payment.surplus.>", 1).await;
        // The second goes back by itself, on the same day: later it would be a surplus that nobody has given back.
        let refund = first.order().has_refunds(1).await.remove(0);
        refund.becomes(RefundState::Processing).await;
        arrives(world, &refund).await;
        next_morning(world).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_balanced(&run, 1, 2, 200);
        assert_eq!((run.matched_refund_count, run.matched_refund_sum_fen), (1, 100));
    });
}

#[test]
fn a_day_that_has_no_bill_yet_and_a_stranger_are_refused() {
    story(Options::default().with_reconcile(), async |world| {
        let today = noon(world).await;
        let refused = world.attempt_reconcile(MERCHANT, today).await.expect_err("today is not over");
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
        let stranger = world.attempt_reconcile("nobody", today.saturating_sub(1.day())).await.expect_err("a stranger");
        assert_eq!(stranger.code(), tonic::Code::NotFound, "{stranger:?}");
        world.pass_to_next_day(8, 0).await;
        let early = world.attempt_reconcile(MERCHANT, today).await.expect_err("bills are made from nine");
        assert_eq!(early.code(), tonic::Code::FailedPrecondition, "{early:?}");
        world.pass(std::time::Duration::from_hours(2)).await;
        let run = world.reconcile_day(MERCHANT, today).await;
        assert_eq!((run.state(), run.version), (RunState::Balanced, 1));
    });
}
