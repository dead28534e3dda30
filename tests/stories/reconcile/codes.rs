//! A story for each code: the world is made wrong in exactly one way, the run finds exactly that and nothing else, and the repair,
//! where there is one, ends it.

mod both_sides;
mod facts;
mod fees;
mod funds;
mod midnight;
mod one_side;
mod refunds;
mod surplus;

use e2e::{
    World, eventually,
    reconciling::{Discrepancy, DiscrepancyState, RunState},
    selling::MERCHANT,
};
use jiff::civil::Date;
use proto::reconcile::v1::Run;

use super::differences;

/// Runs the day and asserts that it finds exactly one difference, of this code and with so much at risk.
pub(crate) async fn finds_only(world: &World, day: Date, code: &str, risk_fen: i64) -> (Run, Discrepancy) {
    let run = world.reconcile_day(MERCHANT, day).await;
    assert_eq!((run.state(), differences(&run)), (RunState::Differences, vec![(code, 1, risk_fen)]), "{run:?}");
    assert_eq!(run.waiting_count, 0, "{run:?}");
    (run, only(world, day, code).await)
}

/// Runs the day and asserts that nothing differs yet, and that exactly one thing waits.
pub(crate) async fn waits_for_only(world: &World, day: Date, code: &str, due: Date) -> Discrepancy {
    let run = world.reconcile_day(MERCHANT, day).await;
    assert_eq!((run.state(), differences(&run), run.waiting_count), (RunState::Waiting, vec![], 1), "{run:?}");
    let found = only(world, day, code).await;
    assert_eq!((found.state(), found.due_date), (DiscrepancyState::Held, due.to_string()));
    only(world, day, code).await
}

/// Runs the day and asserts that it is clean, and that what was found has ended by that.
pub(crate) async fn is_clean(world: &World, day: Date) -> Run {
    let run = world.reconcile_day(MERCHANT, day).await;
    assert_eq!((run.state(), differences(&run), run.waiting_count), (RunState::Balanced, vec![], 0), "{run:?}");
    for found in world.discrepancies(MERCHANT, day).await {
        assert_eq!((found.state(), found.resolution.as_str()), (DiscrepancyState::Resolved, "RESOLVED_BY_RERUN"));
        assert_ne!(found.resolved_by, "");
    }
    run
}

/// The one difference of the day that has this code, whatever became of it.
async fn only(world: &World, day: Date, code: &str) -> Discrepancy {
    let mut found = world.discrepancies(MERCHANT, day).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, code);
    found.remove(0)
}

/// Waits until order-svc has answered about a difference and it is open again, or ended; returns it.
pub(crate) async fn is_answered(world: &World, day: Date, code: &str) -> Discrepancy {
    eventually(&format!("{code} is answered"), async || {
        let found = only(world, day, code).await;
        if found.answer.is_empty() { Err(format!("{found:?}")) } else { Ok(found) }
    })
    .await
}
