//! Bills that are not to be trusted.

use e2e::{
    Options,
    reconciling::RunState,
    sandbox_client::{Fault, FaultPoint, always, once},
    selling::{MERCHANT, State},
    story,
};
use proto::event::ReconciliationCompleted;
use tonic::Code;

use super::{assert_balanced, next_morning, noon, sell};

/// Each makes a bill that must be refused: by a control, or because it is no bill any more.
const SPOILED: [(Fault, RunState); 3] = [
    (Fault::AlterAmount, RunState::ControlFailed),
    (Fault::Truncate, RunState::BillInvalid),
    (Fault::OtherDay, RunState::ControlFailed),
];

#[test]
fn nothing_of_an_altered_truncated_or_misdated_bill_is_used() {
    story(Options::default().with_reconcile().asking("24h"), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100, 250]).await;
        // Used, the bill would pay this order.
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let lost = world.create_order(70).expires_in_s(3 * 24 * 3600).await.pay_by_openid().await;
        lost.pay().await;
        next_morning(world).await;
        let mut version = 0;
        for (fault, state) in SPOILED {
            let spoiled = world.sandbox.fault(once(FaultPoint::DownloadBill, fault.clone())).await;
            let run = world.reconcile_day(MERCHANT, day).await;
            assert_eq!(world.sandbox.hits(&spoiled).await, 1);
            version += 1;
            assert_eq!((run.state(), run.version), (state, version), "{fault:?}: {run:?}");
            assert_ne!(run.problem, "", "{fault:?}");
            assert_eq!((run.bill_count, run.book_count, run.matched_count), (0, 0, 0), "{fault:?}");
            let page = world.report_page(&run).await;
            assert!(page.contains("nothing of it was used"), "{fault:?}: {page}");
        }
        assert_eq!(world.discrepancies(MERCHANT, day).await, []);
        assert_eq!(lost.order().now().await.state(), State::Pending);

        // A good bill ends it: the lost payment is found, and then everything agrees.
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.version), (RunState::Differences, 4));
        lost.order().becomes(State::Paid).await;
        assert_balanced(&world.reconcile_day(MERCHANT, day).await, 5, 3, 420);
        let told = world.tells("recon.v1.run.completed.>", 5).await;
        let verdicts: Vec<String> = told.iter().map(|fact| fact.event::<ReconciliationCompleted>().verdict).collect();
        let refused = "CONTROL_FAILED";
        assert_eq!(verdicts, [refused, "BILL_INVALID", refused, "DIFFERENCES", "BALANCED"]);
    });
}

#[test]
fn a_bill_that_does_not_arrive_leaves_no_run_behind() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        world.books_are_written().await;
        let faults = [
            // An empty answer is no bill; a day without payments is told in words.
            Fault::Empty,
            Fault::Lost,
            Fault::Status { status: 503, executed: false },
            Fault::ErrorCode { code: "SYSTEMERROR".to_owned(), executed: false },
        ];
        for fault in faults {
            let struck = world.sandbox.fault(once(FaultPoint::DownloadBill, fault.clone())).await;
            let request = proto::reconcile::v1::RunReconciliationRequest {
                request_id: uuid::Uuid::new_v4().to_string(),
                merchant: MERCHANT.to_owned(),
                bill_date: day.to_string(),
            };
            let refused = world.reconcile().run_reconciliation(request).await.expect_err("there is no bill");
            assert_eq!(refused.code(), Code::Unavailable, "{fault:?}: {refused:?}");
            assert_eq!(world.sandbox.hits(&struck).await, 1, "{fault:?}");
        }
        assert_balanced(&world.reconcile_day(MERCHANT, day).await, 1, 1, 100);
    });
}
