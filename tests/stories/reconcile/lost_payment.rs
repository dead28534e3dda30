//! A payment that nobody told us about: the bill finds it, and the query that follows repairs it.

use e2e::{
    Options,
    reconciling::{DiscrepancyState, RunState},
    sandbox_client::{Fault, FaultPoint, always},
    selling::{MERCHANT, State},
    story,
};
use proto::event::{DiscrepancyOpened, DiscrepancyResolved, PaymentPaid, ReconciliationCompleted, Source};

use super::{assert_balanced, differences, next_morning, noon, sell};
use crate::restart::is_paid_once;

/// Three days: order-svc neither asks nor closes before the bill comes.
const LONG_LIFE_S: i64 = 3 * 24 * 3600;

#[test]
fn a_payment_that_only_the_bill_knows_is_asked_about_and_pays_its_order() {
    story(Options::default().with_reconcile().asking("24h"), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let lost = world.create_order(250).expires_in_s(LONG_LIFE_S).await.pay_by_openid().await;
        let paid = lost.pay().await;
        lost.attempted(1).await;
        next_morning(world).await;
        assert_eq!(lost.order().now().await.state(), State::Pending);

        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.version), (RunState::Differences, 1));
        assert_eq!(differences(&run), [("P1", 1, 250)]);
        assert_eq!((run.bill_count, run.bill_sum_fen), (2, 350));
        assert_eq!((run.book_count, run.book_sum_fen), (1, 100));
        assert_eq!((run.matched_count, run.matched_sum_fen), (1, 100));
        let opened = &world.tells("recon.v1.discrepancy.opened.>", 1).await[0].event::<DiscrepancyOpened>();
        assert_eq!((opened.code.as_str(), opened.out_trade_no.as_str()), ("P1", lost.out_trade_no()));
        assert_eq!((opened.bill_amount_fen, opened.book_amount_fen), (250, 0));
        assert_eq!((&opened.transaction_id, &opened.run), (&paid.transaction_id, &run.name));

        // A bill pays nothing; what WeChat answers to the question it raised does.
        is_paid_once(world, &lost).await;
        let facts = world.tells("pay.v1.payment.paid.>", 2).await;
        assert_eq!(facts[1].event::<PaymentPaid>().source(), Source::Reconcile);
        assert_eq!(facts[1].text("outTradeNo"), lost.out_trade_no());

        let repaired = world.reconcile_day(MERCHANT, day).await;
        assert_balanced(&repaired, 2, 2, 350);
        assert_eq!(repaired.bill_sha256, run.bill_sha256);
        let resolved = &world.tells("recon.v1.discrepancy.resolved.>", 1).await[0].event::<DiscrepancyResolved>();
        assert_eq!((&resolved.discrepancy, &resolved.run), (&opened.discrepancy, &repaired.name));
        let verdicts: Vec<_> = world.tells("recon.v1.run.completed.>", 2).await;
        let verdicts: Vec<ReconciliationCompleted> = verdicts.iter().map(e2e::streams::Fact::event).collect();
        assert_eq!((verdicts[0].verdict.as_str(), verdicts[0].open_discrepancies), ("DIFFERENCES", 1));
        assert_eq!((verdicts[1].verdict.as_str(), verdicts[1].open_discrepancies), ("BALANCED", 0));

        let listed = world.discrepancies(MERCHANT, day).await;
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].state(), &listed[0].resolved_by), (DiscrepancyState::Resolved, &repaired.name));
        // The first version stays readable as it was.
        let page = world.report_page(&run).await;
        assert!(page.contains("A later version exists"), "{page}");
        assert!(page.contains(lost.out_trade_no()), "{page}");
    });
}
